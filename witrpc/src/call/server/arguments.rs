//! What a call brings: arguments, decoded one after the other.

use crate::codec::{DecodeError, Decoder, OwnedBody};
use crate::method::{ArgumentList, Message, TakenBy};

/// The arguments of a call, for generated code: each is read once, in order.
pub struct Arguments<'a> {
    pub decoder: Decoder<'a>,
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
    pub(crate) fn new(body: OwnedBody) -> Self {
        Self { body, behind_number: false }
    }

    /// Those of a method with a stream, and the number of that.
    pub(crate) fn behind_number(body: OwnedBody) -> Result<(Self, u64), BadArguments> {
        let number = body.decoder().number("stream")?;
        Ok((Self { body, behind_number: true }, number))
    }

    /// Reads the arguments of a method.
    ///
    /// # Errors
    ///
    /// The bytes are something else.
    pub fn read<M: Message>(&self) -> Result<TakenBy<'_, M>, BadArguments> {
        self.open().read::<M>()
    }

    /// Reads them from the first one on.
    pub(crate) fn open(&self) -> Arguments<'_> {
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
    pub fn new(decoder: Decoder<'a>) -> Self {
        Self { decoder }
    }

    /// Reads the arguments of a method, which are all that there is.
    ///
    /// # Errors
    ///
    /// The bytes are something else.
    #[inline]
    pub fn read<M: Message>(&mut self) -> Result<TakenBy<'a, M>, BadArguments> {
        Ok(M::ARGS.take(&mut self.decoder)?)
    }
}
