//! What went wrong inside a wrapped serializer or deserializer.

use std::cell::RefCell;
use std::fmt;

use serde::{de, ser};

/// How deep a value may be nested: structs, tuples, sequences, maps, enums with data. The limit
/// keeps a short message of brackets within brackets from overflowing the stack of its reader.
pub const MAX_DEPTH: u32 = 128;

/// An error of the codec itself, or what a type's own code or our rules said. Codecs may drop
/// the words that they are given; this keeps them.
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
        Self::said(format!("it is nested deeper than {MAX_DEPTH} levels"))
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

/// Keeps the words of a fault while the codec's own error carries the failure outwards.
#[derive(Debug, Default)]
pub struct Words(RefCell<Option<String>>);

impl Words {
    /// The codec's error for a fault on its way out, made with `custom` if it has none yet.
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

    /// What is to be told of a fault that has come all the way out.
    #[cold]
    pub fn tell<E>(self, fault: Fault<E>, tell: impl FnOnce(E) -> String) -> String {
        match fault {
            Fault::Said(words) => words.into(),
            Fault::Codec(error) => self.0.into_inner().unwrap_or_else(|| tell(error)),
        }
    }
}
