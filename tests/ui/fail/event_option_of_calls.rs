use witrpc::wit_service;

#[wit_service]
trait Jobs {
    #[wit(event, idempotent)]
    fn progress(&self, done: f32);
}

fn main() {}
