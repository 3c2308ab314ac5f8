use witrpc::wit_service;

use std::cell::Cell;

#[wit_service]
trait Counter {
    fn count(&self) -> u64;
}

struct MyCounter(Cell<u64>);

impl Counter for MyCounter {
    fn count(&self) -> u64 {
        self.0.replace(self.0.get() + 1)
    }
}

fn main() {
    let _ = CounterServer::new(MyCounter(Cell::new(0)));
}
