#[wit_service]
pub trait Files {
    fn offsets(&self, path: &str) -> impl Iterator<Item = u64>;
    async fn lines(
        &self,
        path: String,
        #[wit(ctx)] cx: &CallContext,
    ) -> Result<impl Stream<Item = Result<String, Problem>>, Problem>;
    fn write(&self, path: &str, blocks: impl Iterator<Item = Vec<u8>>) -> Result<u64, Problem>;
    async fn sum(&self, numbers: impl Stream<Item = u64>) -> u64;
}
