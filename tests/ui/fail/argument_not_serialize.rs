use witrpc::wit_service;

struct Job {
    name: String,
}

#[wit_service]
trait Jobs {
    fn start(&self, job: Job) -> u64;
}

fn main() {}
