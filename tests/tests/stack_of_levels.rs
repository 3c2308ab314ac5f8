//! A value whose levels take much of the stack is an error of its call, on either side. It ends neither the
//! server nor the client, whatever the type and the codec.

use std::fmt::{Debug, Display};
use std::hint::black_box;
use std::thread;

use futures_executor::block_on;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use witrpc::{CallError, Codec, Endpoint, InProcess, Mmf, WitServer, wit_service};
use witrpc_tests::CODECS;

/// 4 KiB on the stack, and a number on the wire.
#[derive(Clone, Debug, PartialEq)]
pub struct Fat([u64; 512]);

impl Fat {
    fn new() -> Self {
        Self([1; 512])
    }
}

impl Serialize for Fat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0[0])
    }
}

impl<'de> Deserialize<'de> for Fat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer).map(|n| Self([n; 512]))
    }
}

/// Has levels of 4 KiB and more.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "this is what the tests are about")]
pub enum Tree {
    /// A struct variant.
    Named {
        /// The content.
        fat: Fat,
        /// The next level.
        next: Option<Box<Tree>>,
    },
    /// A tuple variant.
    Pair(Fat, Option<Box<Tree>>),
    /// Two of them at once.
    Twice {
        /// The content.
        first: Fat,
        /// More of it.
        second: Fat,
        /// The next level.
        next: Vec<Tree>,
    },
}

impl Tree {
    fn of(levels: usize) -> Self {
        (1..levels).fold(Self::Pair(Fat::new(), None), |next, level| match level % 3 {
            0 => Self::Named { fat: Fat::new(), next: Some(Box::new(next)) },
            1 => Self::Pair(Fat::new(), Some(Box::new(next))),
            _ => Self::Twice { first: Fat::new(), second: Fat::new(), next: vec![next] },
        })
    }
}

/// Takes much of the stack of the side that writes it, and little of the side that reads it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Heavy(Vec<Heavy>);

impl Heavy {
    fn of(levels: usize) -> Self {
        (1..levels).fold(Self(Vec::new()), |next, _| Self(vec![next]))
    }
}

impl Serialize for Heavy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let weight = black_box([0_u8; 64 << 10]);
        let written = serializer.serialize_newtype_struct("Heavy", &self.0);
        black_box(weight);
        written
    }
}

/// Nests in nothing but options, which are no levels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Chain(Option<Box<Chain>>);

impl Chain {
    fn of(links: usize) -> Self {
        (0..links).fold(Self(None), |next, _| Self(Some(Box::new(next))))
    }
}

/// Dropped one by one, since a test makes long ones.
impl Drop for Chain {
    fn drop(&mut self) {
        let mut next = self.0.take();
        while let Some(mut chain) = next {
            next = chain.0.take();
        }
    }
}

/// Takes and returns what takes much of the stack.
#[wit_service]
pub trait Forest {
    /// Takes levels that are read on a thread of the server.
    fn plant(&self, tree: Tree) -> u32;
    /// Returns levels that are read on a thread of the client.
    fn tree(&self, levels: u32) -> Tree;
    /// Takes levels that are written on a thread of the client.
    fn lift(&self, heavy: Heavy) -> u32;
    /// Returns levels that are written on a thread of the server.
    fn heavy(&self, levels: u32) -> Heavy;
}

struct Woods;

impl Forest for Woods {
    fn plant(&self, _tree: Tree) -> u32 {
        1
    }

    fn tree(&self, levels: u32) -> Tree {
        Tree::of(levels as usize)
    }

    fn lift(&self, _heavy: Heavy) -> u32 {
        2
    }

    fn heavy(&self, levels: u32) -> Heavy {
        Heavy::of(levels as usize)
    }
}

/// Takes what nests without levels.
#[wit_service]
pub trait Links {
    /// Takes a chain.
    fn hang(&self, chain: Chain) -> u32;
    /// Returns a chain.
    fn chain(&self, links: u32) -> Chain;
}

struct Hook;

impl Links for Hook {
    fn hang(&self, _chain: Chain) -> u32 {
        3
    }

    fn chain(&self, links: u32) -> Chain {
        Chain::of(links as usize)
    }
}

/// A stack on which all values of these tests can be written and read.
const AMPLE: usize = 512 << 20;

/// The usual stack of a thread.
const USUAL: usize = 2 << 20;

/// More levels than fit a thread's usual stack, and fewer than any codec refuses.
const DEEP: usize = 90;

fn places() -> [Endpoint; 2] {
    [Mmf::unguessable().into(), InProcess::new().into()]
}

/// Runs `body` on a thread with a stack of `size` bytes.
fn on_stack<T: Send>(size: usize, body: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let builder = thread::Builder::new().stack_size(size);
        builder.spawn_scoped(scope, body).unwrap().join().unwrap()
    })
}

/// Asserts that a call failed for the stack, and that its error says how much there is.
fn assert_no_stack<T: Debug>(outcome: Result<T, CallError>, kib: usize, what: impl Display) {
    let error = outcome.expect_err(&what.to_string()).to_string();
    let limit = format!("takes more than the {kib} KiB of stack that its thread has");
    assert!(error.contains(&limit) && error.contains("Vec or Box"), "{what}: {error}");
}

/// Runs `body` with a client for each place and codec. It connects on a usual stack, where the contract is
/// made too.
fn for_each_client(body: impl Fn(&ForestClient, &Endpoint, Codec) + Send + Sync) {
    for place in places() {
        let server = WitServer::builder().listen(place.clone()).service(ForestServer::new(Woods));
        let _server = on_stack(USUAL, || server.start().unwrap());
        for codec in CODECS {
            let connect = || ForestClient::builder(place.clone()).codec(codec).connect().unwrap();
            let client = on_stack(USUAL, connect);
            body(&client, &place, codec);
        }
    }
}

#[test]
fn a_request_that_takes_too_much_stack_to_read_is_an_error_of_its_call() {
    for_each_client(|client, _, codec| {
        on_stack(AMPLE, || {
            assert_eq!(client.plant(Tree::of(3)), Ok(1), "{codec}");
            assert_no_stack(client.plant(Tree::of(DEEP)), USUAL >> 10, codec);
            assert_eq!(client.plant(Tree::of(3)), Ok(1), "{codec}");
        });
    });
}

#[test]
fn an_answer_that_takes_too_much_stack_to_read_is_an_error_of_its_call() {
    for_each_client(|client, place, codec| {
        let tree = || client.tree(DEEP as u32);
        assert_no_stack(on_stack(USUAL, tree), USUAL >> 10, codec);
        on_stack(AMPLE, || assert_eq!(tree(), Ok(Tree::of(DEEP)), "{codec}"));

        let connect = ForestAsyncClient::builder(place.clone()).codec(codec).connect();
        let client = on_stack(USUAL, || block_on(connect).unwrap());
        let tree = || block_on(client.tree(DEEP as u32));
        assert_no_stack(on_stack(USUAL, tree), USUAL >> 10, codec);
        on_stack(AMPLE, || assert_eq!(tree(), Ok(Tree::of(DEEP)), "{codec}"));
    });
}

#[test]
fn a_value_that_takes_too_much_stack_to_write_is_an_error_of_its_call() {
    for_each_client(|client, _, codec| {
        let lift = || client.lift(Heavy::of(DEEP / 2));
        assert_no_stack(on_stack(USUAL, lift), USUAL >> 10, codec);
        assert_eq!(on_stack(AMPLE, lift), Ok(2), "{codec}");
        assert_eq!(client.heavy(3), Ok(Heavy::of(3)), "{codec}");
        assert_no_stack(client.heavy(DEEP as u32 / 2), USUAL >> 10, codec);
        assert_eq!(client.heavy(3), Ok(Heavy::of(3)), "{codec}");
    });
}

#[test]
fn options_that_nest_without_levels_are_an_error_before_the_stack_ends() {
    const LONG: usize = 200_000;
    for place in places() {
        let builder = WitServer::builder().listen(place.clone()).codecs([Codec::Postcard]);
        let _server = builder.service(LinksServer::new(Hook)).start().unwrap();
        let client = LinksClient::connect(place).unwrap();
        assert_eq!(client.hang(Chain::of(3)), Ok(3));
        let hang = || client.hang(Chain::of(LONG));
        assert_no_stack(on_stack(USUAL, hang), USUAL >> 10, "written by the client");
        assert_no_stack(on_stack(AMPLE, hang), USUAL >> 10, "read by the server");
        assert_no_stack(client.chain(LONG as u32), USUAL >> 10, "written by the server");
        assert_eq!(client.chain(3), Ok(Chain::of(3)));
    }
}
