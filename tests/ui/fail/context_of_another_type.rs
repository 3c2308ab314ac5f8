use witrpc::wit_service;

use witrpc::CallContext;

#[wit_service]
trait Jobs {
    fn start(&self, #[wit(ctx)] cx: CallContext) -> u64;
}

#[wit_service]
trait Tasks {
    fn stop(&self, #[wit(ctx)] cx: &str) -> u64;
    async fn stop_later(&self, #[wit(ctx)] cx: &u64) -> u64;
}

fn main() {}
