use witrpc::wit_service;

#[wit_service]
unsafe trait Calculator {
    fn add(&self, a: i64, b: i64) -> i64;
}

fn main() {}
