//! `rename` and `name` change what is on the wire and nothing else.

#![deny(warnings)]

use witrpc::__private::v1::Client;
use witrpc::wit_service;

#[wit_service(name = "calc.v2")]
trait Calculator {
    #[wit(rename = "connect", idempotent)]
    fn join(&self, a: i64) -> i64;
    #[wit(rename = "join")]
    #[wit(idempotent)]
    async fn connect_all(&self) -> i64;
    fn plain(&self) -> i64;
}

fn main() {
    let _ = |client: CalculatorClient| client.join(1).and(client.connect_all());
    let descriptor = CalculatorClient::DESCRIPTOR;
    assert_eq!(descriptor.name, "calc.v2");
    let methods = descriptor.methods.iter();
    let methods: Vec<_> = methods.map(|m| (m.name, m.idempotent, m.is_async)).collect();
    assert_eq!(methods, [("connect", true, false), ("join", true, true), ("plain", false, false)]);
}
