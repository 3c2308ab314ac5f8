#[wit_service]
trait Calculator {
    fn add(&self, a: i64, b: &i64) -> i64;
    async fn half(&mut self, (a, b): (i64, i64)) -> &i64;
}
