use witrpc::wit_service;

#[wit_service]
trait Jobs {
    #[wit(event)]
    fn progress(&self, done: f32) {
        println!("{done}");
    }
}

fn main() {}
