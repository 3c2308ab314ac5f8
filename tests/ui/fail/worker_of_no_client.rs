use std::process::Command;
use witrpc::{Worker, wit_service};

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
    let _ = Worker::<MyCounter>::builder(Command::new("counter"));
}
