use witrpc::wit_service;

use witrpc::CallContext;

#[wit_service]
trait Jobs {
    fn start(&self, #[wit(ctx)] cx: CallContext) -> u64;
    fn stop(&self, #[wit(ctx)] cx: &str) -> u64;
}

fn main() {}
