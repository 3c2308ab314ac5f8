//! A blockchain node: untagged arguments, sets of enums, hashes of one length alone, errors with any value.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use arbitrary::{Arbitrary, Unstructured};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use witrpc::{Codec, wit_service};

use super::{Desk, over_each_codec, some_value, text};

/// `0x` and digits for people, bytes for programs; of one length alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Arbitrary)]
pub struct Hex<const N: usize>(pub [u8; N]);

impl<const N: usize> Serialize for Hex<N> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if !to.is_human_readable() {
            return to.serialize_bytes(&self.0);
        }
        let digits: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        to.serialize_str(&format!("0x{digits}"))
    }
}
impl<'de, const N: usize> Deserialize<'de> for Hex<N> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let bytes = if from.is_human_readable() {
            let text = String::deserialize(from)?;
            let digits = text.strip_prefix("0x").unwrap_or(&text);
            if !digits.is_ascii() || digits.len() != 2 * N {
                return Err(D::Error::custom("it has not as many digits as it should"));
            }
            (0..N)
                .map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16))
                .collect::<Result<Vec<_>, _>>()
                .map_err(D::Error::custom)?
        } else {
            serde_bytes::ByteBuf::deserialize(from)?.into_vec()
        };
        bytes.try_into().map(Hex).map_err(|_| D::Error::custom("it has not the right length"))
    }
}

pub type Word = Hex<32>;
pub type Account = Hex<20>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Arbitrary)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    Trace,
    VmTrace,
    StateDiff,
}

#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize, Arbitrary)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    pub from: Option<Account>,
    pub to: Option<Account>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gas: Option<u64>,
    #[serde(flatten)]
    pub input: Input,
    #[serde(rename = "type", default)]
    pub kind: Option<u8>,
}
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize, Arbitrary)]
pub struct Input {
    pub input: Option<Vec<u8>>,
    pub data: Option<Vec<u8>>,
}

/// A number or a word.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
#[serde(untagged)]
pub enum BlockAt {
    Number(u64),
    Tag(Tag),
    Hash { block_hash: Word, require_canonical: Option<bool> },
}
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, Arbitrary)]
#[serde(rename_all = "lowercase")]
pub enum Tag {
    Latest,
    Pending,
    Earliest,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
#[serde(tag = "type", content = "action", rename_all = "camelCase")]
pub enum Step {
    Call { from: Account, value: u128, gas: u64 },
    Create { init: Vec<u8> },
    Selfdestruct,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
#[serde(rename_all = "camelCase")]
pub struct Traces {
    pub output: Vec<u8>,
    pub trace: Vec<Step>,
    pub state_diff: Option<BTreeMap<Account, Delta>>,
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub enum Delta {
    #[serde(rename = "=")]
    Same,
    #[serde(rename = "+")]
    Added(u128),
    #[serde(rename = "-")]
    Removed(u128),
    #[serde(rename = "*")]
    Changed { from: u128, to: u128 },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct RpcError {
    code: i32,
    #[arbitrary(with = text)]
    message: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arbitrary(with = |u: &mut Unstructured<'_>| Ok(some_value(u)?.map(Box::new)))]
    data: Option<Box<Value>>,
}
pub type RpcResult<T> = Result<T, RpcError>;

/// Traces of calls and blocks.
#[cfg_attr(not(any()), wit_service)]
#[cfg_attr(any(), wit_service(name = "trace_client"))]
pub trait TraceApi {
    /// Runs the call and returns traces of it.
    #[wit(rename = "call", result)]
    async fn trace_call(
        &self,
        call: Order,
        kinds: HashSet<Kind>,
        block: Option<BlockAt>,
    ) -> RpcResult<Traces>;
    /// Runs several, each upon the one before.
    #[wit(result)]
    async fn call_many(
        &self,
        calls: Vec<(Order, HashSet<Kind>)>,
        block: Option<BlockAt>,
    ) -> RpcResult<Vec<Traces>>;
    #[wit(result)]
    async fn block(&self, at: BlockAt) -> RpcResult<Option<Vec<Step>>>;
    #[wit(result)]
    async fn get(&self, hash: Word, indices: Vec<usize>) -> RpcResult<Option<Step>>;
    #[wit(result)]
    async fn raw(
        &self,
        data: Vec<u8>,
        kinds: HashSet<Kind>,
        block: Option<BlockAt>,
    ) -> RpcResult<Traces>;
}

impl TraceApi for Desk {
    async fn trace_call(
        &self,
        call: Order,
        kinds: HashSet<Kind>,
        block: Option<BlockAt>,
    ) -> RpcResult<Traces> {
        self.serve((call, kinds, block))
    }

    async fn call_many(
        &self,
        calls: Vec<(Order, HashSet<Kind>)>,
        block: Option<BlockAt>,
    ) -> RpcResult<Vec<Traces>> {
        self.serve((calls, block))
    }

    async fn block(&self, at: BlockAt) -> RpcResult<Option<Vec<Step>>> {
        self.serve(at)
    }

    async fn get(&self, hash: Word, indices: Vec<usize>) -> RpcResult<Option<Step>> {
        self.serve((hash, indices))
    }

    async fn raw(
        &self,
        data: Vec<u8>,
        kinds: HashSet<Kind>,
        block: Option<BlockAt>,
    ) -> RpcResult<Traces> {
        self.serve((data, kinds, block))
    }
}

#[test]
fn a_blockchain_node() {
    let desk = Desk::default();
    over_each_codec!(
        TraceApiClient,
        TraceApiServer::new(desk.clone()),
        quickest Codec::MessagePack,
        unfit & [(Codec::Postcard, "untagged")],
        |codec, client: &TraceApiClient| {
            desk.result(codec, |(call, kinds, block)| client.trace_call(call, kinds, block));
            desk.result(codec, |(calls, block)| client.call_many(calls, block));
            desk.result(codec, |at| client.block(at));
            desk.result(codec, |(hash, indices)| client.get(hash, indices));
            desk.result(codec, |(data, kinds, block)| client.raw(data, kinds, block));
        }
    );
}
