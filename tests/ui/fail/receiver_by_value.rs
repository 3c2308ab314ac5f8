use witrpc::wit_service;

#[wit_service]
trait Calculator {
    fn finish(self) -> i64;
}

fn main() {}
