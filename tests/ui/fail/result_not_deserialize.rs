use witrpc::wit_service;

use serde::Serialize;

#[derive(Serialize)]
struct Job {
    name: String,
}

#[wit_service]
trait Jobs {
    async fn current(&self) -> Job;
}

fn main() {}
