//! What others read is not written to any more.

use witrpc::{CallContext, Shared, wit_service};

#[wit_service]
pub trait Camera {
    fn render(&self, #[wit(ctx)] cx: &CallContext) -> Shared<[u8]>;
}

struct Painter;

impl Camera for Painter {
    fn render(&self, cx: &CallContext) -> Shared<[u8]> {
        let mut frame = cx.alloc::<u8>(100).unwrap();
        let shared = frame.freeze();
        frame[0] = 1;
        shared
    }
}

fn main() {}
