use witrpc::wit_service;

#[wit_service]
trait Counter {
    fn count(&self) -> u64;
}

struct MyCounter;

fn main() {
    let _ = CounterServer::new(MyCounter);
}
