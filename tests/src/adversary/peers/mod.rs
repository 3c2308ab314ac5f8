//! A service with types of every kind for hostile messages, and peers that send it arbitrary bytes.
//! The fuzz targets and the tests of their seeds use it.

mod client;
mod server;

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use witrpc::{Codec, Stream, wit_service};

use crate::basic::Point;

pub use client::{hello, requests};
pub use server::{answers, welcome};

/// A deep type: it contains itself in every way that a type can.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Tree {
    /// Nothing.
    #[default]
    Leaf,
    /// One.
    Boxed(Box<Tree>),
    /// Many.
    List(Vec<Tree>),
    /// By name.
    Table(BTreeMap<String, Tree>),
    /// With names of its own.
    Named {
        /// Perhaps.
        left: Option<Box<Tree>>,
        /// Beside another.
        right: Box<(Tree, Odds)>,
    },
}

/// A wide type: it has a field of every kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Odds {
    signed: i128,
    unsigned: u128,
    letter: char,
    single: f32,
    double: f64,
    text: String,
    bytes: Vec<u8>,
    nothings: Vec<()>,
    fixed: [u8; 5],
    triple: (bool, i16, Option<u8>),
    address: IpAddr,
    time: Duration,
    positive: NonZeroU32,
    outcome: Result<u8, String>,
    table: HashMap<String, Vec<Option<u16>>>,
    #[serde(default)]
    absent: u8,
}

/// Takes and returns all of these types.
#[wit_service]
pub trait Nasty {
    /// Nothing at all.
    fn nothing(&self);
    /// A deep value.
    fn tree(&self, tree: Tree) -> Tree;
    /// A wide value.
    fn odds(&self, odds: Vec<Odds>) -> Result<Vec<Odds>, Tree>;
    /// Elements that take no bytes.
    fn nothings(&self, nothings: Vec<()>, table: BTreeMap<String, ()>) -> u64;
    /// Raw sections of all alignments beside encoded values.
    fn raw(&self, bytes: &[u8], floats: &[f64], points: &[Point], text: &str) -> Vec<f64>;
    /// A path and a lent value.
    fn lent(&self, path: &Path, tree: &Tree) -> String;
    /// Takes a tree and numbers, and is async.
    async fn later(&self, tree: Tree, numbers: Vec<u32>) -> Result<Vec<u8>, String>;
    /// Returns the tree `count` times.
    fn repeat(&self, tree: Tree, count: u16) -> impl Iterator<Item = Result<Tree, String>>;
    /// Returns numbers without end, which cross as a raw section.
    fn numbers(&self, from: u64) -> impl Iterator<Item = u64>;
    /// Returns how many trees are uploaded.
    async fn count(&self, trees: impl Stream<Item = Tree>) -> Result<u64, String>;
    /// Returns how many blocks of bytes are uploaded, on a thread.
    fn weigh(&self, blocks: impl Iterator<Item = Vec<u8>>, tree: Tree) -> u64;
    /// Emits events of both kinds.
    fn emit(&self, count: u8);
    /// Returns the total number of elements, which take no bytes, in the uploaded lists.
    fn measure(&self, lists: impl Iterator<Item = Vec<()>>) -> u64;
    /// Returns lists of `len` such elements.
    fn lists(&self, len: u8) -> impl Iterator<Item = Vec<()>>;

    /// Something has happened.
    #[wit(event)]
    fn happened(&self, tree: &Tree, bytes: &[u8]);
    /// Something has happened that is worth a wait.
    #[wit(event, overflow = "wait 1ms")]
    fn waited(&self, odd: u8);
}

/// Returns its arguments.
#[derive(Debug)]
pub struct Mirror(NastyEvents);

/// Returns the service with its events.
fn mirror() -> NastyServer {
    NastyServer::with_events(Mirror)
}

impl Nasty for Mirror {
    fn nothing(&self) {}

    fn tree(&self, tree: Tree) -> Tree {
        tree
    }

    fn odds(&self, odds: Vec<Odds>) -> Result<Vec<Odds>, Tree> {
        if odds.is_empty() { Err(Tree::Leaf) } else { Ok(odds) }
    }

    fn nothings(&self, nothings: Vec<()>, table: BTreeMap<String, ()>) -> u64 {
        (nothings.len() + table.len()) as u64
    }

    fn raw(&self, bytes: &[u8], floats: &[f64], points: &[Point], text: &str) -> Vec<f64> {
        let lens = [bytes.len(), points.len(), text.len()].map(|len| len as f64);
        [floats, &lens].concat()
    }

    fn lent(&self, path: &Path, tree: &Tree) -> String {
        format!("{}, {tree:?}", path.display())
    }

    async fn later(&self, tree: Tree, numbers: Vec<u32>) -> Result<Vec<u8>, String> {
        match tree {
            Tree::Leaf => Err(String::new()),
            _ => Ok(numbers.into_iter().map(|number| number as u8).collect()),
        }
    }

    fn repeat(&self, tree: Tree, count: u16) -> impl Iterator<Item = Result<Tree, String>> {
        (0..count).map(move |n| if n % 5 == 4 { Err(n.to_string()) } else { Ok(tree.clone()) })
    }

    fn numbers(&self, from: u64) -> impl Iterator<Item = u64> {
        (0..).map(move |n: u64| from.wrapping_add(n))
    }

    async fn count(&self, trees: impl Stream<Item = Tree>) -> Result<u64, String> {
        Ok(trees.count().await as u64)
    }

    fn weigh(&self, blocks: impl Iterator<Item = Vec<u8>>, _: Tree) -> u64 {
        blocks.map(|block| block.len() as u64).sum()
    }

    fn emit(&self, count: u8) {
        for n in 0..count {
            // A client that does not take them in time misses them.
            let _ = self.0.happened(&Tree::Leaf, &[n]);
            let _ = self.0.waited(n);
        }
    }

    fn measure(&self, lists: impl Iterator<Item = Vec<()>>) -> u64 {
        lists.map(|list| list.len() as u64).sum()
    }

    fn lists(&self, len: u8) -> impl Iterator<Item = Vec<()>> {
        std::iter::repeat_n(vec![(); len.into()], len.into())
    }
}

/// Returns the codec that a script chooses by its first byte.
fn codec_of(byte: u8) -> Codec {
    [Codec::Postcard, Codec::Json, Codec::MessagePack][usize::from(byte % 3)]
}

/// Takes as many bytes off the script as its first two bytes say.
fn take<'a>(script: &mut &'a [u8]) -> &'a [u8] {
    let Some((len, rest)) = script.split_first_chunk::<2>() else {
        return std::mem::take(script);
    };
    let len = usize::from(u16::from_le_bytes(*len)).min(rest.len());
    let (taken, rest) = rest.split_at(len);
    *script = rest;
    taken
}
