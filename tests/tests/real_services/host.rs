//! The host of a template language: values that contain themselves in three ways.

use std::collections::HashMap;

use arbitrary::Arbitrary;
use serde::{Deserialize, Serialize};
use witrpc::{Codec, wit_service};

use super::{Desk, finite, over_each_codec};

/// A value of the template language, which contains itself in three ways.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Arbitrary)]
pub enum Value {
    #[default]
    Null,
    Bool(bool),
    Int(i64),
    Float(#[arbitrary(with = finite)] f64),
    Text(String),
    Bytes(Vec<u8>),
    Array(Vec<Value>),
    Object(Vec<(String, Value)>),
    Tagged(Box<(String, Value)>),
    Instant {
        seconds: i64,
        nanos: u32,
        zone: Option<char>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Arbitrary)]
#[repr(transparent)]
pub struct ContextId(pub u64);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
#[repr(u8)]
pub enum LoadResult {
    Found { source: String },
    NotFound,
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
#[repr(u8)]
pub enum CallResult {
    Success { value: Value },
    Error { message: String },
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
#[repr(u8)]
pub enum KeysResult {
    Keys { keys: Vec<String> },
    NotAContainer,
}

#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize, Arbitrary)]
pub struct ReadyMessage {
    pub peer: u16,
    pub pid: Option<u32>,
    pub version: Option<String>,
    pub features: HashMap<String, Vec<String>>,
}

#[allow(async_fn_in_trait, reason = "as its author writes it")]
#[wit_service]
pub trait HostService {
    async fn ready(&self, message: ReadyMessage) -> bool;
    /// A template's source by its name.
    async fn load_template(&self, context: ContextId, name: String) -> LoadResult;
    async fn resolve(&self, context: ContextId, path: Vec<String>) -> Option<Value>;
    async fn call_function(
        &self,
        context: ContextId,
        name: String,
        args: Vec<Value>,
        kwargs: Vec<(String, Value)>,
    ) -> CallResult;
    async fn keys_at(&self, context: ContextId, path: Vec<String>) -> KeysResult;
    async fn quit(&self);
}

impl HostService for Desk {
    async fn ready(&self, message: ReadyMessage) -> bool {
        self.serve(message)
    }

    async fn load_template(&self, context: ContextId, name: String) -> LoadResult {
        self.serve((context, name))
    }

    async fn resolve(&self, context: ContextId, path: Vec<String>) -> Option<Value> {
        self.serve((context, path))
    }

    async fn call_function(
        &self,
        context: ContextId,
        name: String,
        args: Vec<Value>,
        kwargs: Vec<(String, Value)>,
    ) -> CallResult {
        self.serve((context, name, args, kwargs))
    }

    async fn keys_at(&self, context: ContextId, path: Vec<String>) -> KeysResult {
        self.serve((context, path))
    }

    async fn quit(&self) {
        self.serve(())
    }
}

#[test]
fn the_host_of_a_template_language() {
    let desk = Desk::default();
    over_each_codec!(
        HostServiceClient,
        HostServiceServer::new(desk.clone()),
        quickest Codec::Postcard,
        unfit &[],
        |codec, client: &HostServiceClient| {
            desk.plain(codec, |message| client.ready(message));
            desk.plain(codec, |(context, name)| client.load_template(context, name));
            desk.plain(codec, |(context, path)| client.resolve(context, path));
            desk.plain(codec, |(context, name, args, kwargs)| client.call_function(context, name, args, kwargs));
            desk.plain(codec, |(context, path)| client.keys_at(context, path));
            desk.plain(codec, |()| client.quit());
        }
    );
}
