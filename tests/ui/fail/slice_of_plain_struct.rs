use witrpc::wit_service;

use serde::{Deserialize, Serialize};

#[derive(Clone, Serialize, Deserialize)]
struct Sample {
    value: f64,
}

#[wit_service]
trait Statistics {
    fn mean(&self, samples: &[Sample]) -> f64;
}

fn main() {}
