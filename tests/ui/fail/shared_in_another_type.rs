//! A `Shared` stands by itself.

use witrpc::{Shared, wit_service};

#[wit_service]
pub trait Camera {
    fn look(&self, frame: Option<Shared<[u8]>>);
    fn frames(&self, frames: Vec<Shared<[u8]>>);
    fn render(&self) -> (Shared<[u8]>, u32);
    fn fail(&self) -> Result<u32, Shared<[u8]>>;
}

fn main() {}
