//! Options may stand under conditions, of a method and of an argument.

#![deny(warnings)]

use witrpc::__private::v1::Client;
use witrpc::{CallContext, wit_service};

#[wit_service]
trait Blocks {
    #[cfg_attr(all(), wit(rename = "getBlock", idempotent))]
    #[cfg_attr(any(), wit(rename = "blockNow"))]
    fn block(&self) -> u64;
    /// Documented.
    #[cfg_attr(any(), wit(event), doc = "Never.")]
    fn call(&self, #[cfg_attr(all(), wit(ctx))] cx: &CallContext) -> u32 {
        cx.pid()
    }
    #[cfg_attr(all(), wit(event))]
    fn event(&self, number: u8);
}

/// A method that is configured out is not checked.
#[wit_service]
trait Windows {
    #[cfg(any())]
    fn draw(&mut self, on: Self) -> &str;
    #[cfg(any())]
    #[wit(event, nothing)]
    fn drawn(&mut self) -> u8;
    fn handle(&self) -> u8;
}

struct Chain;

impl Windows for Chain {
    fn handle(&self) -> u8 {
        2
    }
}

impl Blocks for Chain {
    fn block(&self) -> u64 {
        1
    }
}

fn main() {
    assert_eq!(WindowsClient::in_process(Chain).handle(), Ok(2));
    let client = BlocksClient::in_process(Chain);
    assert_eq!(client.block(), Ok(1));
    assert_eq!(client.call(), Ok(std::process::id()));
    let descriptor = BlocksClient::DESCRIPTOR;
    assert_eq!(descriptor.methods.len(), 2);
    assert_eq!((descriptor.methods[0].name, descriptor.methods[0].idempotent), ("getBlock", true));
    assert_eq!(descriptor.events.len(), 1);
    let number = |event: BlocksEvent| -> u8 { event.number };
    let _ = number;
}
