use witrpc::wit_service;

use std::fmt::Debug;
use std::future::Future;

#[wit_service]
trait Calculator {
    fn add(&self, a: i64, b: i64) -> impl Future<Output = i64> + Debug;
}

fn main() {}
