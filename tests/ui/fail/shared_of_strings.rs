//! Text has no fixed place in shared memory.

use witrpc::{Shared, wit_service};

#[wit_service]
pub trait Names {
    fn store(&self, names: Shared<[String]>);
    fn text(&self) -> Shared<str>;
}

fn main() {}
