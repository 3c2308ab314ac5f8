use witrpc::wit_service;

type Outcome = Result<u64, String>;

#[wit_service]
trait Files {
    fn len(&self, name: &str) -> Outcome;
}

fn main() {}
