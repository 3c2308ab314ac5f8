use witrpc::wit_service;

#[wit_service]
trait Jobs {
    #[wit(event)]
    fn ended(&self, job: u64);
    #[wit(event)]
    fn ended(&self, job: u64, well: bool);
}

fn main() {}
