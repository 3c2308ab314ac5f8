use witrpc::wit_service;

struct Job {
    name: String,
}

#[wit_service]
trait Jobs {
    fn current(&self) -> Option<Job>;
}

fn main() {}
