#[wit_service]
/// Calculates.
pub trait Calculator {
    /// Adds.
    fn add(&self, a: i64, b: i64) -> i64;
    fn divide(&self, a: i64, b: i64) -> Result<i64, DivideError>;
    async fn lookup(&self, key: &str) -> Option<String>;
    fn mean(&self, samples: &[f64]) -> f64;
    async fn store(&self, path: &Path, table: &Table, #[wit(ctx)] cx: &CallContext) -> io::Result<u64>;
}
