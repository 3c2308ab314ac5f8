//! Values to send, and checks that they arrived unchanged.

use std::collections::BTreeMap;

use fastrand::Rng;
use serde::{Deserialize, Serialize};

/// A value with a field of every kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parcel {
    /// A number.
    pub id: u64,
    /// A text of any characters.
    pub label: String,
    /// Numbers that are easily changed on the way.
    pub weights: Vec<f64>,
    /// Nothing, or something.
    pub note: Option<String>,
    /// A map with keys of text.
    pub counts: BTreeMap<String, i32>,
    /// One of several forms.
    pub content: Content,
}

/// What is in a parcel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Content {
    /// Nothing.
    Empty,
    /// Bytes, encoded by the codec.
    Bytes(Vec<u8>),
    /// Two things.
    Pair(i128, char),
    /// A thing with names.
    Named {
        /// A flag.
        fragile: bool,
        /// A small number.
        size: i8,
    },
}

impl Parcel {
    /// A parcel whose content is random, and up to `most` long.
    pub fn random(rng: &mut Rng, most: usize) -> Self {
        let text = |rng: &mut Rng, most| (0..rng.usize(..=most)).map(|_| rng.char(..)).collect();
        let numbers = 0..rng.usize(..=most / 8);
        Self {
            id: rng.u64(..),
            label: text(rng, most / 4),
            weights: numbers.map(|_| (rng.f64() - 0.5) * 1e9).collect(),
            note: rng.bool().then(|| text(rng, 20)),
            counts: (0..rng.usize(..4)).map(|n| (format!("key {n}"), rng.i32(..))).collect(),
            content: match rng.u8(..4) {
                0 => Content::Empty,
                1 => Content::Bytes(bytes_of(rng.usize(..=most / 4), rng.u64(..))),
                2 => Content::Pair(rng.i128(..), rng.char(..)),
                _ => Content::Named { fragile: rng.bool(), size: rng.i8(..) },
            },
        }
    }
}

/// A plain struct, sent as its bytes in memory.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Serialize,
    Deserialize,
    bytemuck::Pod,
    bytemuck::Zeroable,
)]
#[repr(C)]
pub struct Point {
    /// The first coordinate.
    pub x: f64,
    /// The second.
    pub y: f64,
}

/// A value of any depth.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Nest {
    /// One more.
    pub inner: Option<Box<Nest>>,
}

impl Nest {
    /// Returns a value of this depth.
    pub fn of_depth(depth: u32) -> Self {
        (0..depth).fold(Self::default(), |inner, _| Self { inner: Some(Box::new(inner)) })
    }

    /// Returns how many values are nested in it.
    pub fn depth(&self) -> u32 {
        let mut depth = 0;
        let mut nest = self;
        while let Some(inner) = &nest.inner {
            depth += 1;
            nest = inner;
        }
        depth
    }
}

impl Drop for Nest {
    /// Drops itself without recursion, which would overflow the stack for a deep value.
    fn drop(&mut self) {
        let mut next = self.inner.take();
        while let Some(mut inner) = next {
            next = inner.inner.take();
        }
    }
}

/// Returns `len` bytes that follow from the seed.
pub fn bytes_of(len: usize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; len];
    Rng::with_seed(seed).fill(&mut bytes);
    bytes
}

/// Returns FNV-1a, over words where possible, which is fast enough in a debug build.
pub fn checksum(bytes: &[u8]) -> u64 {
    let step = |sum: u64, next: u64| (sum ^ next).wrapping_mul(0x100_0000_01b3);
    let (words, rest) = bytes.as_chunks::<8>();
    let start = 0xcbf2_9ce4_8422_2325 ^ bytes.len() as u64;
    let sum = words.iter().fold(start, |sum, word| step(sum, u64::from_le_bytes(*word)));
    rest.iter().fold(sum, |sum, byte| step(sum, u64::from(*byte)))
}
