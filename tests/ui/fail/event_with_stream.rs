use witrpc::wit_service;

#[wit_service]
trait Jobs {
    #[wit(event)]
    fn progress(&self, steps: impl Iterator<Item = f32>);
}

fn main() {}
