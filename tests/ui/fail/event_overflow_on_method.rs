use witrpc::wit_service;

#[wit_service]
trait Jobs {
    #[wit(overflow = "newest")]
    fn progress(&self, done: f32);
}

fn main() {}
