use witrpc::wit_service;

use witrpc::CallContext;

#[wit_service]
trait Jobs {
    fn start(&self, #[wit(ctx)] one: &CallContext, #[wit(ctx)] other: &CallContext) -> u64;
}

fn main() {}
