use witrpc::wit_service;

use std::borrow::Cow;

#[wit_service]
trait Words {
    fn count(&self, text: Cow<'_, str>) -> u64;
}

fn main() {}
