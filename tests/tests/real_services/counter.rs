//! A counter: a number as text, and a method with another name on the wire.

use arbitrary::Arbitrary;
use serde::{Deserialize, Serialize};
use witrpc::{Codec, wit_service};

use super::{Desk, over_each_codec};

mod as_text {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(value: &usize, to: S) -> Result<S::Ok, S::Error> {
        value.to_string().serialize(to)
    }
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub enum IncreaseError {
    Overflow,
    Call(String),
}

pub type T = u32;

#[wit_service]
pub trait GenericCounter {
    async fn value(&self) -> Result<T, IncreaseError>;
    async fn watch(&self) -> Result<Vec<T>, IncreaseError>;
    #[wit(rename = "inc")]
    async fn increase(&self, by: T) -> Result<(), IncreaseError>;
    async fn scale(&self, by: AsText) -> Result<T, IncreaseError>;
}

#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, Arbitrary)]
pub struct AsText(#[serde(with = "as_text")] pub usize);

impl GenericCounter for Desk {
    async fn value(&self) -> Result<T, IncreaseError> {
        self.serve(())
    }

    async fn watch(&self) -> Result<Vec<T>, IncreaseError> {
        self.serve(())
    }

    async fn increase(&self, by: T) -> Result<(), IncreaseError> {
        self.serve(by)
    }

    async fn scale(&self, by: AsText) -> Result<T, IncreaseError> {
        self.serve(by)
    }
}

#[test]
fn a_counter_with_a_number_as_text() {
    let desk = Desk::default();
    over_each_codec!(
        GenericCounterClient,
        GenericCounterServer::new(desk.clone()),
        quickest Codec::Postcard,
        unfit &[],
        |codec, client: &GenericCounterClient| {
            desk.result(codec, |()| client.value());
            desk.result(codec, |()| client.watch());
            desk.result(codec, |by| client.increase(by));
            desk.result(codec, |by| client.scale(by));
        }
    );
}
