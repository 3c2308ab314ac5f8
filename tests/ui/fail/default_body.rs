use witrpc::wit_service;

#[wit_service]
trait Calculator {
    fn add(&self, a: i64, b: i64) -> i64 {
        a + b
    }
    async fn half(&self, a: i64) -> i64 {
        a / 2
    }
}

fn main() {}
