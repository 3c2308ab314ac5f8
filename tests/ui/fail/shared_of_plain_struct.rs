//! What is shared is raw memory, so its elements must be plain.

use serde::{Deserialize, Serialize};
use witrpc::{Shared, wit_service};

#[derive(Clone, Serialize, Deserialize)]
pub struct Job {
    id: u64,
}

#[wit_service]
pub trait Queue {
    fn submit(&self, jobs: Shared<[Job]>);
    fn first(&self) -> Shared<Job>;
}

fn main() {}
