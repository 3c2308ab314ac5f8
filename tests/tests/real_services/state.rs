//! The state of a chain: bytes that are text for people, `fn` and `async fn` mixed, events.

use arbitrary::Arbitrary;
use serde::{Deserialize, Serialize};
use witrpc::{Codec, wit_service};

use super::{Desk, events_come, over_each_codec};

/// Bytes that are text for people, `0x..`, and bytes for programs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Arbitrary)]
pub struct Blob(pub Vec<u8>);

impl Serialize for Blob {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() {
            let mut text = String::from("0x");
            self.0.iter().for_each(|byte| text.push_str(&format!("{byte:02x}")));
            to.serialize_str(&text)
        } else {
            to.serialize_bytes(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        if !from.is_human_readable() {
            return serde_bytes::ByteBuf::deserialize(from).map(|bytes| Blob(bytes.into_vec()));
        }
        let text = String::deserialize(from)?;
        let digits = text.strip_prefix("0x").ok_or_else(|| D::Error::custom("no 0x"))?;
        if digits.len() % 2 != 0 {
            return Err(D::Error::custom("half a byte"));
        }
        (0..digits.len() / 2)
            .map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16))
            .collect::<Result<_, _>>()
            .map(Blob)
            .map_err(D::Error::custom)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Arbitrary)]
pub struct Slot(pub BlobKey);
pub type BlobKey = String;
pub type Datum = Blob;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
#[serde(rename_all = "camelCase")]
pub struct Changes<Hash> {
    pub block: Hash,
    pub changes: Vec<(Slot, Option<Datum>)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
#[serde(rename_all = "camelCase")]
pub struct Proof<Hash> {
    pub at: Hash,
    pub proof: Vec<Blob>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
#[serde(rename_all = "camelCase")]
pub enum Traced {
    TraceError(TraceError),
    BlockTrace(BlockTrace),
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct TraceError {
    pub error: String,
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
#[serde(rename_all = "camelCase")]
pub struct BlockTrace {
    pub block_hash: String,
    pub tracing_targets: String,
    pub spans: Vec<Span>,
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct Span {
    pub id: u64,
    pub parent_id: Option<u64>,
    pub values: std::collections::HashMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub enum Failure {
    Client(String),
    InvalidRange { from: String, to: String, details: String },
    InvalidCount { value: u32, max: u32 },
}

pub type Hash = H256;

/// A hash: digits for people, and of one length alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Arbitrary)]
pub struct H256([u8; 32]);
impl Serialize for H256 {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        Blob(self.0.to_vec()).serialize(to)
    }
}
impl<'de> Deserialize<'de> for H256 {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let wrong = |_| <D::Error as serde::de::Error>::custom("there are 32 bytes");
        Blob::deserialize(from)?.0.try_into().map(H256).map_err(wrong)
    }
}

#[wit_service]
pub trait StateApi {
    /// Calls a runtime method at a block.
    fn call(&self, name: String, bytes: Blob, hash: Option<Hash>) -> Result<Blob, Failure>;
    /// The keys with a prefix, all at once.
    #[deprecated(since = "2.0.0", note = "read them page by page instead")]
    async fn keys(&self, prefix: Slot, hash: Option<Hash>) -> Result<Vec<Slot>, Failure>;
    async fn size(&self, key: Slot, hash: Option<Hash>) -> Result<Option<u64>, Failure>;
    fn query(
        &self,
        keys: Vec<Slot>,
        from: Hash,
        to: Option<Hash>,
    ) -> Result<Vec<Changes<Hash>>, Failure>;
    fn prove(&self, keys: Vec<Slot>, hash: Option<Hash>) -> Result<Proof<Hash>, Failure>;
    #[wit(event)]
    fn runtime_version(&self, version: u32);
    #[wit(event)]
    fn storage(&self, changes: Changes<Hash>);
    fn trace(
        &self,
        block: Hash,
        targets: Option<String>,
        methods: Option<String>,
    ) -> Result<Traced, Failure>;
}

impl StateApi for Desk {
    fn call(&self, name: String, bytes: Blob, hash: Option<Hash>) -> Result<Blob, Failure> {
        self.serve((name, bytes, hash))
    }

    async fn keys(&self, prefix: Slot, hash: Option<Hash>) -> Result<Vec<Slot>, Failure> {
        self.serve((prefix, hash))
    }

    async fn size(&self, key: Slot, hash: Option<Hash>) -> Result<Option<u64>, Failure> {
        self.serve((key, hash))
    }

    fn query(
        &self,
        keys: Vec<Slot>,
        from: Hash,
        to: Option<Hash>,
    ) -> Result<Vec<Changes<Hash>>, Failure> {
        self.serve((keys, from, to))
    }

    fn prove(&self, keys: Vec<Slot>, hash: Option<Hash>) -> Result<Proof<Hash>, Failure> {
        self.serve((keys, hash))
    }

    fn trace(
        &self,
        block: Hash,
        targets: Option<String>,
        methods: Option<String>,
    ) -> Result<Traced, Failure> {
        self.serve((block, targets, methods))
    }
}

#[test]
#[expect(deprecated, reason = "the trait has a method that is deprecated, which is called too")]
fn the_state_of_a_chain() {
    let desk = Desk::default();
    let mut emitter = None;
    let server = StateApiServer::with_events(|events| {
        emitter = Some(events);
        desk.clone()
    });
    let events = emitter.expect("the service was made");
    over_each_codec!(
        StateApiClient,
        server,
        quickest Codec::Postcard,
        unfit &[],
        |codec, client: &StateApiClient| {
            desk.result(codec, |(name, bytes, hash)| client.call(name, bytes, hash));
            desk.result(codec, |(prefix, hash)| client.keys(prefix, hash));
            desk.result(codec, |(key, hash)| client.size(key, hash));
            desk.result(codec, |(keys, from, to)| client.query(keys, from, to));
            desk.result(codec, |(keys, hash)| client.prove(keys, hash));
            desk.result(codec, |(block, targets, methods)| client.trace(block, targets, methods));
            let came = client.runtime_version().unwrap();
            events_come(codec, |version| events.runtime_version(version), came, |came| came.version);
            let came = client.storage().unwrap();
            events_come(codec, |changes| events.storage(changes), came, |came| came.changes);
        }
    );
}
