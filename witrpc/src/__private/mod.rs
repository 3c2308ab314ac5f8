//! All that generated code may call. Not for people: a version of `witrpc-macros` is pinned to
//! one version of `witrpc`, and the module's name says which generation of both fits.

pub mod v1;
