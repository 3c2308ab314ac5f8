//! A method that spells its future out is an `async fn`, for those that implement it and for clients.

use std::future::Future;

use futures_executor::block_on;

#[witrpc::wit_service]
trait Counter {
    fn later(&self, by: u32) -> impl Future<Output = Result<u32, String>> + Send;
    fn twice(&self, by: u32) -> impl std::future::Future<Output = u32> + Send + '_ {
        async move { by * 2 }
    }
}

struct Spelled;

impl Counter for Spelled {
    fn later(&self, by: u32) -> impl Future<Output = Result<u32, String>> + Send {
        async move { by.checked_add(1).ok_or_else(|| "too much".to_owned()) }
    }
}

struct Plain;

impl Counter for Plain {
    async fn later(&self, by: u32) -> Result<u32, String> {
        Ok(by)
    }
}

fn main() {
    let counter = CounterClient::in_process(Spelled);
    assert_eq!(counter.later(1), Ok(2));
    assert_eq!(counter.later(u32::MAX), Err(witrpc::CallError::App("too much".to_owned())));
    let counter = CounterAsyncClient::in_process(Plain);
    assert_eq!(block_on(counter.later(1)), Ok(1));
    assert_eq!(block_on(counter.twice(4)), Ok(8));
}
