//! No name that a user chooses meets one of the generated code's.

#![deny(warnings)]

use serde::{Deserialize, Serialize};
use witrpc::{CallContext, wit_service};

/// Types named like type parameters.
#[derive(Serialize, Deserialize)]
struct S;
#[derive(Serialize, Deserialize)]
struct T;
#[derive(Serialize, Deserialize)]
struct Connection;

#[wit_service]
trait Names {
    fn arguments(&self, w: u8, r: u8, codec: u8, call: u8, arguments: &[u8]) -> u8;
    fn locals(&self, service: &str, connection: u8, context: u8, reader: &str, span: u8) -> u8;
    async fn futures(&self, call: &str, service: u8, arguments: &str, context: &[u8]) -> u8;
    async fn contexts(&self, context: u8, #[wit(ctx)] arguments: &CallContext) -> u8;
    fn ignored_context(&self, #[wit(ctx)] _: &CallContext, context: u8) -> u8;
    fn call(&self, s: S, t: &T) -> Connection;
    fn method(&self) -> S;
    fn new(&self) -> Result<S, T>;
    fn from_arc(&self);
    fn clone(&self);
    fn fmt(&self);
    fn send(&self);
    fn block(&self);
    fn dispatch(&self);
    fn descriptor(&self);
    fn from_connection(&self);
}

struct MyNames;

impl Names for MyNames {
    fn arguments(&self, w: u8, r: u8, codec: u8, call: u8, arguments: &[u8]) -> u8 {
        w + r + codec + call + arguments[0]
    }
    fn locals(&self, service: &str, connection: u8, context: u8, reader: &str, span: u8) -> u8 {
        (service.len() + reader.len()) as u8 + connection + context + span
    }
    async fn futures(&self, call: &str, service: u8, arguments: &str, context: &[u8]) -> u8 {
        (call.len() + arguments.len() + context.len()) as u8 + service
    }
    async fn contexts(&self, context: u8, _: &CallContext) -> u8 {
        context
    }
    fn ignored_context(&self, _: &CallContext, context: u8) -> u8 {
        context
    }
    fn call(&self, _: S, _: &T) -> Connection {
        Connection
    }
    fn method(&self) -> S {
        S
    }
    fn new(&self) -> Result<S, T> {
        Err(T)
    }
    fn from_arc(&self) {}
    fn clone(&self) {}
    fn fmt(&self) {}
    fn send(&self) {}
    fn block(&self) {}
    fn dispatch(&self) {}
    fn descriptor(&self) {}
    fn from_connection(&self) {}
}

mod trait_named_like_a_parameter {
    #[witrpc::wit_service]
    pub trait S {
        fn s(&self);
    }
}

fn main() {
    let _ = NamesServer::new(MyNames);
    let _ = |names: NamesClient| names.arguments(1, 2, 3, 4, &[5]);
    let _ = |names: NamesAsyncClient| async move { names.contexts(1).await };
    let _ = |client: trait_named_like_a_parameter::SClient| client.s();
}
