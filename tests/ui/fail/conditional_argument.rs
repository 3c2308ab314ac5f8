use witrpc::wit_service;

#[wit_service]
trait Calculator {
    fn add(&self, a: i64, #[cfg(unix)] b: i64) -> i64;
}

fn main() {}
