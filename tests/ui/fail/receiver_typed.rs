use witrpc::wit_service;

use std::sync::Arc;

#[wit_service]
trait Calculator {
    fn share(self: Arc<Self>) -> i64;
}

fn main() {}
