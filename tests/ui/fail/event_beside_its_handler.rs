use witrpc::wit_service;

#[wit_service]
trait Jobs {
    fn on_ended(&self, job: u64);
    #[wit(event)]
    fn ended(&self, job: u64);
}

fn main() {}
