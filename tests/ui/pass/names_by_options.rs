//! What is generated has the names that the options give, so that it does not clash with types that a
//! trait uses.

#![deny(warnings)]

use serde::{Deserialize, Serialize};
use witrpc::wit_service;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChatMessage {
    pub text: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct ChatClient(u8);

#[wit_service(
    client = Caller,
    async_client = AsyncCaller,
    server = Served,
    events = Teller,
)]
pub trait Chat {
    fn send(&self, message: ChatMessage) -> ChatClient;
    #[wit(event, item = Told)]
    fn message(&self, message: &ChatMessage);
}

struct Room(Teller);

impl Chat for Room {
    fn send(&self, message: ChatMessage) -> ChatClient {
        ChatClient(self.0.message(&message).unwrap() as u8)
    }
}

fn main() {
    let _ = Served::with_events(Room);
    let text = |told: Told| -> String { told.message.text };
    let _ = text;
    let client: Option<Caller> = None;
    let async_client: Option<AsyncCaller> = None;
    assert!(client.is_none() && async_client.is_none());
}
