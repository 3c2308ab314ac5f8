use witrpc::wit_service;

struct Job {
    name: String,
}

#[wit_service]
trait Jobs {
    #[wit(event)] fn begun(&self, job: &Job);
}

fn main() {}
