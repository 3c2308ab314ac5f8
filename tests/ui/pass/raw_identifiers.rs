//! Raw identifiers stay raw in Rust and are plain on the wire.

#![deny(warnings)]

use witrpc::__private::v1::Client;
use witrpc::wit_service;

#[wit_service]
trait Keywords {
    fn r#type(&self, r#fn: u8, r#match: &str) -> u8;
    async fn r#loop(&self, r#async: u8) -> u8;
}

struct MyKeywords;

impl Keywords for MyKeywords {
    fn r#type(&self, r#fn: u8, r#match: &str) -> u8 {
        r#fn + r#match.len() as u8
    }
    async fn r#loop(&self, r#async: u8) -> u8 {
        r#async
    }
}

fn main() {
    let _ = KeywordsServer::new(MyKeywords);
    let _ = |client: KeywordsClient| client.r#type(1, "").and(client.r#loop(2));
    let _ = |client: KeywordsAsyncClient| async move { client.r#type(1, "").await };
    let methods = KeywordsClient::DESCRIPTOR.methods;
    assert_eq!(methods[0].name, "type");
    assert_eq!(methods[0].arguments[0].name, "fn");
    assert_eq!(methods[1].name, "loop");
}
