//! The place of a trace within a value.

use crate::contract::shape::TypeIndex;

/// A place where a part of a value is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum TracePlace {
    Root,
    /// A part of a type, counted from 0; for an enum, a part of one of its variants.
    Inside {
        within: TypeIndex,
        variant: usize,
        part: usize,
    },
}
