//! A lease belongs to one call, not to one of many items or subscribers.

use witrpc::{Shared, wit_service};

#[wit_service]
pub trait Camera {
    fn frames(&self) -> impl Iterator<Item = Shared<[u8]>>;
    fn record(&self, frames: impl Iterator<Item = Result<Shared<[u8]>, String>>) -> u64;
    #[wit(event)]
    fn seen(&self, frame: Shared<[u8]>);
    #[wit(event)]
    fn lost(&self, frame: &Shared<u64>);
}

fn main() {}
