//! A method takes up to sixteen arguments, and the context beside them.

#![deny(warnings)]

use witrpc::__private::v1::Client;
use witrpc::{CallContext, wit_service};

#[wit_service]
trait Many {
    #[rustfmt::skip]
    fn sum(
        &self,
        a1: u8, a2: u8, a3: u8, a4: u8, a5: u8, a6: u8, a7: u8, a8: u8,
        #[wit(ctx)] cx: &CallContext,
        a9: u8, a10: u8, a11: u8, a12: u8, a13: u8, a14: u8, a15: u8, a16: &[u8],
    ) -> u8;
}

fn main() {
    let _ = |client: ManyClient| {
        client.sum(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, &[16])
    };
    assert_eq!(ManyClient::DESCRIPTOR.methods[0].arguments.len(), 16);
}
