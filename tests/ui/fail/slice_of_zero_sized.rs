use witrpc::wit_service;

use bytemuck::{Pod, Zeroable};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Pod, Zeroable, Serialize, Deserialize)]
#[repr(C)]
struct Nothing;

#[wit_service]
trait Statistics {
    fn count(&self, samples: &[Nothing]) -> u64;
}

fn main() {}
