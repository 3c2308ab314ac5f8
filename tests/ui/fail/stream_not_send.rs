use std::rc::Rc;

use witrpc::wit_service;

#[wit_service]
trait Words {
    fn words(&self, text: String) -> impl Iterator<Item = String>;
}

struct MyWords;

impl Words for MyWords {
    fn words(&self, text: String) -> impl Iterator<Item = String> {
        let text = Rc::new(text);
        (0..3).map(move |_| text.to_string())
    }
}

fn main() {}
