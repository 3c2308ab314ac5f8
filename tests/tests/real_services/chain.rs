//! A blockchain node: untagged arguments, hashes that are text for people, errors with any value.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use arbitrary::Arbitrary;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use witrpc::{CallError, Codec, wit_service};

use super::{all_come_back, over_each_codec, some_value};

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
        let wrong = || D::Error::custom("it has not as many digits as it should");
        let text = String::deserialize(from)?;
        let digits = text.strip_prefix("0x").unwrap_or(&text);
        if !digits.is_ascii() || digits.len() != 2 * N {
            return Err(wrong());
        }
        let byte = |at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16);
        let bytes: Vec<_> = (0..N).map(byte).collect::<Result<_, _>>().map_err(D::Error::custom)?;
        bytes.try_into().map(Hex).map_err(|_| wrong())
    }
}

/// What to trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Arbitrary)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Calls.
    Trace,
    /// Steps.
    VmTrace,
}

/// A call to trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// Its sender.
    pub from: Option<Hex<20>>,
    /// Left out if unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gas: Option<u64>,
    /// Under either name.
    #[serde(flatten)]
    pub input: Input,
    /// Of the transaction.
    #[serde(rename = "type", default)]
    pub kind: Option<u8>,
}

/// The data of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct Input {
    /// By its new name.
    pub input: Option<Vec<u8>>,
    /// By its old one.
    pub data: Option<Vec<u8>>,
}

/// A block, by any of its names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
#[serde(untagged)]
pub enum BlockAt {
    /// By number.
    Number(u64),
    /// By word.
    Tag(Tag),
    /// By hash.
    Hash {
        /// The hash.
        block_hash: Hex<32>,
        /// Whether it must be of the chain.
        require_canonical: Option<bool>,
    },
}

/// A word for a block.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
#[serde(rename_all = "lowercase")]
pub enum Tag {
    /// The last.
    Latest,
    /// The next.
    Pending,
}

/// What a step did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub enum Delta {
    /// Nothing.
    #[serde(rename = "=")]
    Same,
    /// A balance.
    #[serde(rename = "+")]
    Added(u128),
    /// Another balance.
    #[serde(rename = "*")]
    Changed {
        /// Before.
        from: u128,
        /// After.
        to: u128,
    },
}

/// An error of the node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct RpcError {
    /// Its number.
    pub code: i32,
    /// Its words.
    #[arbitrary(with = |u: &mut arbitrary::Unstructured<'_>| Ok(String::arbitrary(u)?.into()))]
    pub message: Cow<'static, str>,
    /// Left out if there is no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arbitrary(with = some_value)]
    pub data: Option<Value>,
}

/// Returns its arguments.
#[wit_service]
pub trait Node {
    /// A call to trace.
    fn order(&self, order: Order, kinds: HashSet<Kind>) -> (Order, HashSet<Kind>);
    /// A block.
    fn block(&self, at: Option<BlockAt>) -> Option<BlockAt>;
    /// What an account's state did.
    fn state(&self, state: BTreeMap<Hex<20>, Delta>) -> BTreeMap<Hex<20>, Delta>;
    /// Fails with its argument.
    #[wit(result)]
    fn fail(&self, error: RpcError) -> Result<(), RpcError>;
}

struct Chain;

impl Node for Chain {
    fn order(&self, order: Order, kinds: HashSet<Kind>) -> (Order, HashSet<Kind>) {
        (order, kinds)
    }

    fn block(&self, at: Option<BlockAt>) -> Option<BlockAt> {
        at
    }

    fn state(&self, state: BTreeMap<Hex<20>, Delta>) -> BTreeMap<Hex<20>, Delta> {
        state
    }

    fn fail(&self, error: RpcError) -> Result<(), RpcError> {
        Err(error)
    }
}

#[test]
fn a_blockchain_node() {
    over_each_codec!(
        NodeClient,
        NodeServer::new(Chain),
        quickest Codec::MessagePack,
        unfit & [(Codec::Postcard, "untagged")],
        |codec, node: &NodeClient| {
            all_come_back(codec, |(order, kinds)| node.order(order, kinds));
            all_come_back(codec, |at| node.block(at));
            all_come_back(codec, |state| node.state(state));
            all_come_back(codec, |error| match node.fail(error) {
                Err(CallError::App(error)) => Ok(error),
                other => Err(other),
            });
        }
    );
}
