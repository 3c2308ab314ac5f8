//! Shows a value of any type: what can be shown as it is, the rest as an ellipsis.
//!
//! `DebugProbe::<T>::new(&value).shown()` is the inherent function where there is one, which is for
//! what is `Debug`, and else that of the trait, which generated code has in scope.

use std::fmt;
use std::fmt::Debug;

/// Stands for a value.
pub struct DebugProbe<'a, T>(&'a T);

impl<'a, T> DebugProbe<'a, T> {
    /// Creates the probe of a value.
    pub fn new(value: &'a T) -> Self {
        Self(value)
    }
}

impl<'a, T: Debug> DebugProbe<'a, T> {
    /// Returns the value.
    pub fn shown(&self) -> &'a dyn Debug {
        self.0
    }
}

/// What cannot be shown.
pub trait NotDebug {
    /// Returns an ellipsis.
    fn shown(&self) -> &'static dyn Debug {
        &Ellipsis
    }
}

impl<T> NotDebug for DebugProbe<'_, T> {}

struct Ellipsis;

impl Debug for Ellipsis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}
