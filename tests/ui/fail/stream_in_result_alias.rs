use std::io;

use witrpc::wit_service;

#[wit_service]
trait Files {
    fn lines(&self, path: &str) -> io::Result<impl Iterator<Item = String>>;
}

fn main() {}
