use witrpc::wit_service;

#[wit_service]
trait Jobs {
    #[wit(event)]
    async fn progress(&self, done: f32);
}

fn main() {}
