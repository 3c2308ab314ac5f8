//! Where in a value a trace is.

use crate::contract::shape::TypeIndex;

/// A place where a part of a value stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum TracePlace {
    Root,
    /// A part of a type, counted from 0; of one of its variants, if it is an enum.
    Inside {
        within: TypeIndex,
        variant: usize,
        part: usize,
    },
}
