use witrpc::{ServerHook, wit_service};

#[wit_service]
trait Counter {
    fn count(&self) -> u64;
}

struct Audit;

impl ServerHook for Audit {}

fn main() {
    let _ = CounterClient::builder("counter").hook(Audit);
}
