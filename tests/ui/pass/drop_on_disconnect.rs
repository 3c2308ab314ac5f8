//! Methods whose futures are dropped with their clients.

#![deny(warnings)]

use witrpc::{CallContext, Stream, wit_service};

#[wit_service]
pub trait Waiter {
    #[wit(drop_on_disconnect)]
    async fn wait(&self, #[wit(ctx)] cx: &CallContext, text: &str) -> String;
    #[wit(drop_on_disconnect, idempotent)]
    async fn wait_or_fail(&self) -> Result<u64, String>;
    #[wit(drop_on_disconnect)]
    async fn sum(&self, numbers: impl Stream<Item = u64>) -> u64;
    #[wit(drop_on_disconnect)]
    async fn count(&self) -> impl Stream<Item = u64>;
}

fn main() {}
