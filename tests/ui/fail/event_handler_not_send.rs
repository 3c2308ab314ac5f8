use std::cell::Cell;
use std::rc::Rc;
use witrpc::wit_service;

#[wit_service]
trait Jobs {
    #[wit(event)]
    fn ended(&self, job: u64);
}

fn listen(jobs: &JobsClient) {
    let seen = Rc::new(Cell::new(0));
    let _guard = jobs.on_ended(move |_| seen.set(seen.get() + 1));
}

fn main() {}
