//! The arguments of a call, decoded one after the other.

use crate::codec::{DecodeError, Decoder, OwnedBody};
use crate::method::{ArgumentList, Message, TakenBy};

/// The arguments of a call, for generated code: each is read once, in order.
pub struct Arguments<'a> {
    pub decoder: Decoder<'a>,
}

/// The arguments of a call that outlives its dispatch.
pub struct OwnedArguments {
    body: OwnedBody,
    /// Whether the number of a stream precedes them.
    behind_number: bool,
}

/// The error for arguments that could not be decoded, as a sentence for the caller.
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
    pub(crate) fn new(body: OwnedBody) -> Self {
        Self { body, behind_number: false }
    }

    /// Opens the arguments of a method with a stream, and reads the stream's number.
    pub(crate) fn behind_number(body: OwnedBody) -> Result<(Self, u64), BadArguments> {
        let number = body.decoder().number("stream")?;
        Ok((Self { body, behind_number: true }, number))
    }

    /// Reads the arguments of a method.
    ///
    /// # Errors
    ///
    /// The bytes do not decode as the arguments.
    pub fn read<M: Message>(&self) -> Result<TakenBy<'_, M>, BadArguments> {
        self.open().read::<M>()
    }

    /// Opens the arguments at the first one.
    pub(crate) fn open(&self) -> Arguments<'_> {
        let mut decoder = self.body.decoder();
        if self.behind_number {
            // The constructor has read the number once, so this cannot fail.
            let _ = decoder.number("stream");
        }
        Arguments::new(decoder)
    }
}

impl<'a> Arguments<'a> {
    #[inline]
    pub fn new(decoder: Decoder<'a>) -> Self {
        Self { decoder }
    }

    /// Reads all the arguments of a method, up to the end of the body.
    ///
    /// # Errors
    ///
    /// The bytes do not decode as the arguments.
    #[inline]
    pub fn read<M: Message>(&mut self) -> Result<TakenBy<'a, M>, BadArguments> {
        Ok(M::ARGS.take(&mut self.decoder)?)
    }
}
