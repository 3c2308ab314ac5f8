//! The items that generated code may use. Not for direct use: a version of `witrpc-macros` is pinned to
//! one version of `witrpc`. The module's name is the generation in which both fit.

pub mod v1;
