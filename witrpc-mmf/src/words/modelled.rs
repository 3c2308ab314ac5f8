//! loom's words, for the models: the same word is one side's own and the other side's peer's.

use core::sync::atomic::Ordering;

use loom::sync::atomic::{self, AtomicU32, AtomicU64};

use super::Words;

/// The words of a loom model.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Modelled {}

impl Words for Modelled {
    type U32 = AtomicU32;
    type U64 = AtomicU64;
    type PeerU32 = AtomicU32;
    type PeerU64 = AtomicU64;

    fn fence(order: Ordering) {
        atomic::fence(order);
    }
}

own_word!(AtomicU32, u32);
own_word!(AtomicU64, u64);
