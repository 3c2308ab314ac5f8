use witrpc::wit_service;

#[wit_service]
trait Jobs {
    fn start(&self) -> u64;
    #[wit(event)]
    fn progress(&self, done: f32) -> bool;
}

struct MyJobs;

impl Jobs for MyJobs {
    fn start(&self) -> u64 {
        1
    }
}

fn main() {
    let jobs = JobsClient::in_process(MyJobs);
    for progress in jobs.progress() {
        drop(progress);
    }
}
