use witrpc::wit_service;

#[wit_service]
trait Counter {
    fn count(&mut self) -> u64;
}

struct MyCounter(u64);

impl Counter for MyCounter {
    fn count(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}

fn main() {
    let _ = CounterServer::new(MyCounter(0));
}
