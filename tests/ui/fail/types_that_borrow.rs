use std::borrow::Cow;

use witrpc::wit_service;

#[wit_service]
trait Text {
    fn put(&self, text: Cow<str>) -> u64;
    fn get(&self) -> Cow<str>;
}

fn main() {}
