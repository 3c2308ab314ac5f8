use witrpc::wit_service;

use std::rc::Rc;

#[wit_service]
trait Words {
    async fn count(&self, text: &str) -> u64;
}

struct MyWords;

impl Words for MyWords {
    async fn count(&self, text: &str) -> u64 {
        let text = Rc::new(text.to_owned());
        std::future::ready(()).await;
        text.len() as u64
    }
}

fn main() {}
