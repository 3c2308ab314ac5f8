//! A service whose types have everything that a hostile message can try itself at, and peers that
//! send it whatever some bytes say: what the fuzz targets call, and the tests of their seeds.

mod client;
mod server;

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use witrpc::{Codec, wit_service};

use crate::workshop::Point;

pub use client::{hello, requests};
pub use server::{answers, welcome};

/// Deep: it contains itself in every way that a type can.
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

/// Wide: every kind of value that there is.
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

/// Takes and gives all of it.
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
    /// The same, later.
    async fn later(&self, tree: Tree, numbers: Vec<u32>) -> Result<Vec<u8>, String>;
}

/// Gives back what it gets.
#[derive(Debug, Default)]
pub struct Mirror;

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
}

/// The codec that a script chooses by its first byte.
fn codec_of(byte: u8) -> Codec {
    if byte & 1 == 0 { Codec::Postcard } else { Codec::Json }
}

/// Takes as many bytes off the script as the two in front of them say.
fn take<'a>(script: &mut &'a [u8]) -> &'a [u8] {
    let Some((len, rest)) = script.split_first_chunk::<2>() else {
        return std::mem::take(script);
    };
    let len = usize::from(u16::from_le_bytes(*len)).min(rest.len());
    let (taken, rest) = rest.split_at(len);
    *script = rest;
    taken
}
