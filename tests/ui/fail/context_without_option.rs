use witrpc::wit_service;

use witrpc::CallContext;

#[wit_service]
trait Jobs {
    fn start(&self, cx: &CallContext) -> u64;
}

fn main() {}
