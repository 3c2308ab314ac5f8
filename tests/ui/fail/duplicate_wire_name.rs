use witrpc::wit_service;

#[wit_service]
trait Calculator {
    fn add(&self, a: i64, b: i64) -> i64;
    #[wit(rename = "add")]
    fn plus(&self, a: i64, b: i64) -> i64;
}

fn main() {}
