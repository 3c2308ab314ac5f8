use witrpc::wit_service;

#[wit_service]
trait Jobs {
    #[wit(event)]
    fn started(&self, job: u64);
    fn started(&self) -> u64;
}

fn main() {}
