use witrpc::wit_service;

use std::cell::Cell;

#[wit_service]
trait Jobs {
    fn start(&self, job: &Cell<u64>) -> u64;
}

fn main() {}
