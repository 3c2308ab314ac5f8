use witrpc::wit_service;

use std::io;

#[wit_service]
trait Files {
    fn len(&self, name: &str) -> io::Result<u64>;
}

fn main() {}
