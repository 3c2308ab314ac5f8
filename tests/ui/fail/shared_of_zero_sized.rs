//! Elements of no size cannot be counted in memory.

use bytemuck::{Pod, Zeroable};
use serde::{Deserialize, Serialize};
use witrpc::{Shared, wit_service};

#[derive(Clone, Copy, Pod, Zeroable, Serialize, Deserialize)]
#[repr(C)]
pub struct Tick {}

#[wit_service]
pub trait Clock {
    fn ticks(&self, ticks: Shared<[Tick]>);
}

fn main() {}
