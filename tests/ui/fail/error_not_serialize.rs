use witrpc::wit_service;

use std::io;

#[wit_service]
trait Files {
    fn len(&self, name: &str) -> Result<u64, io::Error>;
}

fn main() {}
