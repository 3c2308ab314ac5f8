//! What a call brings: arguments, decoded one after the other.

use std::borrow::Cow;
use std::path::Path;

use crate::__private::v1::{RawElement, Travels};
use crate::codec::{DecodeError, Decoder, OwnedBody};

/// The arguments of a call, for generated code: each is read once, in order.
pub struct Arguments<'a> {
    decoder: Decoder<'a>,
}

/// The arguments of a call that outlives its dispatch.
pub struct OwnedArguments {
    body: OwnedBody,
    /// Whether the number of a stream comes before them.
    behind_number: bool,
}

/// The arguments could not be decoded: why, in a sentence for the caller.
#[derive(Debug)]
pub struct BadArguments {
    message: String,
}

impl BadArguments {
    pub(crate) fn message(&self) -> &str {
        &self.message
    }
}

impl From<DecodeError> for BadArguments {
    fn from(error: DecodeError) -> Self {
        Self { message: error.to_string() }
    }
}

impl OwnedArguments {
    pub(super) fn new(body: OwnedBody) -> Self {
        Self { body, behind_number: false }
    }

    /// Those of a method with a stream, and the number of that.
    pub(super) fn behind_number(body: OwnedBody) -> Result<(Self, u64), BadArguments> {
        let number = body.decoder().number("stream")?;
        Ok((Self { body, behind_number: true }, number))
    }

    /// Reads them from the first one on.
    pub fn open(&self) -> Arguments<'_> {
        let mut decoder = self.body.decoder();
        if self.behind_number {
            // Read once already, so it is there.
            let _ = decoder.number("stream");
        }
        Arguments::new(decoder)
    }
}

impl<'a> Arguments<'a> {
    #[inline]
    pub(crate) fn new(decoder: Decoder<'a>) -> Self {
        Self { decoder }
    }

    /// The next argument, `T` or `&T`.
    ///
    /// # Errors
    ///
    /// The bytes are no `T`.
    #[inline]
    pub fn value<T: Travels>(&mut self, name: &'static str) -> Result<T, BadArguments> {
        Ok(T::take(name, &mut self.decoder)?)
    }

    /// The next argument, `&str`.
    ///
    /// # Errors
    ///
    /// The bytes are no UTF-8 text.
    pub fn str(&mut self, name: &'static str) -> Result<Cow<'a, str>, BadArguments> {
        Ok(self.decoder.str(name)?)
    }

    /// The next argument, `&Path`.
    ///
    /// # Errors
    ///
    /// The bytes are no UTF-8 text.
    pub fn path(&mut self, name: &'static str) -> Result<Cow<'a, Path>, BadArguments> {
        Ok(self.decoder.path(name)?)
    }

    /// The next argument, `&[T]`.
    ///
    /// # Errors
    ///
    /// There is no section left, or it holds no whole number of elements.
    pub fn raw<T: RawElement>(&mut self, name: &'static str) -> Result<Cow<'a, [T]>, BadArguments> {
        Ok(self.decoder.raw(name)?)
    }

    /// Nothing may follow the last argument.
    ///
    /// # Errors
    ///
    /// Something does.
    #[inline]
    pub fn finish(&mut self) -> Result<(), BadArguments> {
        Ok(self.decoder.finish()?)
    }
}
