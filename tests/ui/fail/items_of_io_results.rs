use std::io;

use witrpc::wit_service;

#[wit_service]
trait Files {
    fn lines(&self, name: &str) -> impl Iterator<Item = io::Result<String>>;
}

fn main() {}
