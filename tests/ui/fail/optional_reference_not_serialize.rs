use witrpc::wit_service;

struct Filter;

#[wit_service]
trait Search {
    fn count(&self, filter: Option<&Filter>) -> u64;
}

fn main() {}
