use serde::{Deserialize, Serialize};
use witrpc::wit_service;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChatMessage {
    pub text: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChatClient(u8);

#[wit_service(server = Both, events = Both)]
pub trait Chat {
    fn send(&self, message: ChatMessage) -> ChatClient;
    #[wit(event)]
    fn message(&self, message: ChatMessage);
    #[wit(item = Message)]
    fn receive(&self) -> u8;
}

fn main() {}
