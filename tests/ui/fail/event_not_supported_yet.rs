use witrpc::wit_service;

#[wit_service]
trait Jobs {
    fn start(&self) -> u64;
    #[wit(event)]
    fn progress(&self, job: u64, done: f32);
}

fn main() {}
