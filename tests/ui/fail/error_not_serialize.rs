use witrpc::wit_service;

use std::fmt;

#[wit_service]
trait Files {
    fn len(&self, name: &str) -> Result<u64, fmt::Error>;
}

fn main() {}
