//! The faults inside a wrapped serializer or deserializer.

use std::cell::RefCell;
use std::fmt;

use serde::{de, ser};
use witrpc_rt::StackLimit;

/// The deepest nesting of a value: structs, tuples, sequences, maps, enums with data. The limit
/// keeps a short message of nested brackets from overflowing the reader's stack. What a level takes of the
/// stack depends on its type, so [`Fault::no_stack`] refuses what takes too much of it before.
pub const MAX_DEPTH: u32 = 128;

/// An error of the codec itself, or the message of a type's own code or of this library's rules.
/// Codecs may drop a message; this type keeps it.
#[derive(Debug)]
pub enum Fault<E> {
    Codec(E),
    Said(Box<str>),
}

impl<E> Fault<E> {
    #[cold]
    pub fn said(words: String) -> Self {
        Self::Said(words.into())
    }

    #[cold]
    pub fn too_deep() -> Self {
        Self::said(format!(
            "it is nested deeper than {MAX_DEPTH} levels, which no codec allows: send it flat, for \
             instance as a Vec of nodes that name each other by number"
        ))
    }

    #[cold]
    pub fn no_stack(stack: StackLimit) -> Self {
        Self::said(format!(
            "its nesting takes more than the {} KiB of stack that its thread has: put large arrays \
             inside it into a Vec or Box, send it flat, or give the thread more stack (for threads of \
             a server, RUST_MIN_STACK)",
            stack.stack_size() >> 10
        ))
    }
}

impl<E: fmt::Display> fmt::Display for Fault<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Codec(error) => error.fmt(f),
            Fault::Said(words) => f.write_str(words),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for Fault<E> {}

impl<E: fmt::Debug + fmt::Display> ser::Error for Fault<E> {
    fn custom<T: fmt::Display>(words: T) -> Self {
        Self::said(words.to_string())
    }
}

impl<E: fmt::Debug + fmt::Display> de::Error for Fault<E> {
    fn custom<T: fmt::Display>(words: T) -> Self {
        Self::said(words.to_string())
    }
}

/// A store for the message of a fault while the codec's own error propagates the failure.
#[derive(Debug, Default)]
pub struct Words(RefCell<Option<String>>);

impl Words {
    /// Returns the codec's error for a propagating fault, made with `custom` if it has none yet.
    #[cold]
    pub fn keep<E>(&self, fault: Fault<E>, custom: impl FnOnce(&str) -> E) -> E {
        match fault {
            Fault::Codec(error) => error,
            Fault::Said(words) => {
                let error = custom(&words);
                *self.0.borrow_mut() = Some(words.into());
                error
            }
        }
    }

    /// Returns the message of a fault that has propagated to the outside.
    #[cold]
    pub fn tell<E>(self, fault: Fault<E>, tell: impl FnOnce(E) -> String) -> String {
        match fault {
            Fault::Said(words) => words.into(),
            Fault::Codec(error) => self.0.into_inner().unwrap_or_else(|| tell(error)),
        }
    }
}
