use witrpc::wit_service;

use std::rc::Rc;

use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Job {
    #[serde(skip)]
    name: Rc<u8>,
}

#[wit_service]
trait Jobs {
    fn start(&self, job: Job) -> u64;
    async fn stop(&self, job: Job);
}

fn main() {}
