use witrpc::{WitServer, wit_service};

#[wit_service]
trait Counter {
    fn count(&self) -> u64;
}

struct MyCounter;

impl Counter for MyCounter {
    fn count(&self) -> u64 {
        0
    }
}

fn main() {
    let _ = WitServer::builder().listen("counter").service(MyCounter);
}
