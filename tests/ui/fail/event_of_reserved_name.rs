use witrpc::wit_service;

#[wit_service]
trait Jobs {
    #[wit(event)]
    fn client(&self, id: u64);
    #[wit(event)]
    fn connection(&self);
}

fn main() {}
