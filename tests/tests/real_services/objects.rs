//! Objects of a chain: numbers as text, an identifier that is a number or a digest, pages.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use arbitrary::{Arbitrary, Unstructured};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use witrpc::{Codec, wit_service};

use super::{Desk, finite, over_each_codec};

/// A number that every codec carries as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Arbitrary)]
pub struct Big<T>(T);

impl<T: Display> Serialize for Big<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.to_string().serialize(to)
    }
}
impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Big<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map(Big).map_err(serde::de::Error::custom)
    }
}

#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Arbitrary,
)]
pub struct Digest([u8; 32]);
/// Twice an address: by its derived shape for programs, as text for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Arbitrary)]
pub struct ObjectId([u8; 32]);

impl Serialize for ObjectId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() {
            to.collect_str(&format_args!("{}", self.0.map(|b| format!("{b:02x}")).concat()))
        } else {
            self.0.serialize(to)
        }
    }
}
impl<'de> Deserialize<'de> for ObjectId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if !from.is_human_readable() {
            return <[u8; 32]>::deserialize(from).map(ObjectId);
        }
        let text = String::deserialize(from)?;
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err(serde::de::Error::custom("there are 64 digits"));
        }
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16)
                .map_err(serde::de::Error::custom)?;
        }
        Ok(ObjectId(bytes))
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
#[serde(untagged)]
pub enum CheckpointId {
    SequenceNumber(Big<u64>),
    Digest(Digest),
}

#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize, Arbitrary)]
#[serde(rename_all = "camelCase", rename = "ObjectDataOptions", default)]
pub struct DataOptions {
    pub show_type: bool,
    pub show_owner: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
#[serde(tag = "status", content = "details", rename = "PastObject")]
pub enum PastObject {
    VersionFound(Box<Object>),
    ObjectNotExists(ObjectId),
    VersionTooHigh { object_id: ObjectId, asked: u64, latest: u64 },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
#[serde(rename_all = "camelCase")]
pub struct Object {
    pub object_id: ObjectId,
    pub version: Big<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub display: BTreeMap<String, String>,
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub enum Owner {
    AddressOwner(ObjectId),
    Shared { initial_shared_version: u64 },
    Immutable,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
#[serde(rename_all = "camelCase")]
pub struct Page<T, C> {
    pub data: Vec<T>,
    pub next_cursor: Option<C>,
    pub has_next_page: bool,
}
pub type CheckpointPage = Page<Checkpoint, Big<u64>>;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct Checkpoint {
    pub number: Big<u64>,
    pub digest: Digest,
    pub attributes: BTreeMap<String, Option<Attribute>>,
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
#[serde(rename_all = "camelCase")]
pub enum Attribute {
    U32(Big<u32>),
    F64(#[arbitrary(with = |u: &mut Unstructured<'_>| finite(u).map(Big))] Big<f64>),
}

pub type RpcResult<T> = Result<T, String>;

#[wit_service(name = "sui")]
pub trait ReadApi {
    /// The object information for a specified object.
    #[wit(rename = "getObject", result)]
    async fn get_object(
        &self,
        /// The ID of the queried object.
        object_id: ObjectId,
        /// What is to be returned.
        options: Option<DataOptions>,
    ) -> RpcResult<Object>;

    #[wit(rename = "tryGetPastObject", result)]
    async fn try_get_past_object(
        &self,
        object_id: ObjectId,
        /// If `None`, the latest version that is known.
        version: Option<Big<u64>>,
        options: Option<DataOptions>,
    ) -> RpcResult<PastObject>;

    /// One checkpoint.
    #[wit(rename = "getCheckpoint", result)]
    async fn get_checkpoint(&self, id: CheckpointId) -> RpcResult<Checkpoint>;

    /// A page of them.
    #[wit(rename = "getCheckpoints", result)]
    async fn get_checkpoints(
        &self,
        /// An optional cursor.
        cursor: Option<Big<u64>>,
        limit: Option<usize>,
        descending_order: bool,
    ) -> RpcResult<CheckpointPage>;

    #[wit(rename = "getChainIdentifier", result)]
    async fn get_chain_identifier(&self) -> RpcResult<String>;
}

impl ReadApi for Desk {
    async fn get_object(
        &self,
        object_id: ObjectId,
        options: Option<DataOptions>,
    ) -> RpcResult<Object> {
        self.serve((object_id, options))
    }

    async fn try_get_past_object(
        &self,
        object_id: ObjectId,
        version: Option<Big<u64>>,
        options: Option<DataOptions>,
    ) -> RpcResult<PastObject> {
        self.serve((object_id, version, options))
    }

    async fn get_checkpoint(&self, id: CheckpointId) -> RpcResult<Checkpoint> {
        self.serve(id)
    }

    async fn get_checkpoints(
        &self,
        cursor: Option<Big<u64>>,
        limit: Option<usize>,
        descending_order: bool,
    ) -> RpcResult<CheckpointPage> {
        self.serve((cursor, limit, descending_order))
    }

    async fn get_chain_identifier(&self) -> RpcResult<String> {
        self.serve(())
    }
}

#[test]
fn objects_of_a_chain() {
    let desk = Desk::default();
    over_each_codec!(
        ReadApiClient,
        ReadApiServer::new(desk.clone()),
        quickest Codec::MessagePack,
        unfit & [(Codec::Postcard, "untagged")],
        |codec, client: &ReadApiClient| {
            desk.result(codec, |(object_id, options)| client.get_object(object_id, options));
            desk.result(codec, |(object_id, version, options)| client.try_get_past_object(object_id, version, options));
            desk.result(codec, |id| client.get_checkpoint(id));
            desk.result(codec, |(cursor, limit, descending_order)| client.get_checkpoints(cursor, limit, descending_order));
            desk.result(codec, |()| client.get_chain_identifier());
        }
    );
}
