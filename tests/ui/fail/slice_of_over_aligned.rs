use witrpc::wit_service;

use bytemuck::{Pod, Zeroable};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Pod, Zeroable, Serialize, Deserialize)]
#[repr(C, align(128))]
struct Wide {
    values: [[u64; 8]; 2],
}

#[wit_service]
trait Statistics {
    fn count(&self, samples: &[Wide]) -> u64;
}

fn main() {}
