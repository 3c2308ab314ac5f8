//! The fast path of a call within a future: as in [`short`](super::short), one short request and one short
//! answer.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use witrpc_transport::{ShortAnswer, Ticket};

use crate::codec::{EncodeError, Encoder};
use crate::connection::handle::Connection;
use crate::connection::link_slot::LinkRef;
use crate::method::{ArgumentList, LentTo, Message, Method};

use super::call::ClientCall;
use super::short;
use super::short::{HowFar, Unfinished, VALUE};

/// A call within a future, whose arguments have been encoded, or could not be.
pub struct AsyncCall<'a> {
    connection: &'a Connection,
    /// The number in the client's own descriptor.
    method: u16,
    encoder: Encoder<'a>,
    encoded: Result<(), EncodeError>,
}

impl<'a> AsyncCall<'a> {
    /// Starts a call of a method with these arguments.
    #[inline]
    pub fn of<M: Message>(connection: &'a Connection, arguments: LentTo<'a, M>) -> Self {
        let mut encoder = Encoder::new(connection.inner().codec);
        let encoded = M::ARGS.put(arguments, &mut encoder);
        Self { connection, method: M::NUMBER, encoder, encoded }
    }

    /// Exchanges the request for the answer, if both are short, the call is plain, and the answer arrives
    /// soon.
    ///
    /// The future does not depend on the answer's type. Otherwise the compiler would report a type
    /// without the bounds a second time, within generated code.
    ///
    /// # Errors
    ///
    /// The progress of the call, which continues on the general path.
    #[inline]
    pub async fn short(&self) -> Result<ShortAnswer, HowFar<'a>> {
        if self.encoded.is_err() || !self.connection.is_plain() {
            return Err(None);
        }
        SentShort::send(self.connection, self.method, &self.encoder).ok_or(None)?.await
    }

    /// Decodes the value of an answer.
    #[inline]
    pub fn value<M: Method>(&self, answer: &ShortAnswer) -> Result<M::Ok, HowFar<'a>> {
        short::decode::<M>(self.connection, answer)
    }

    /// Returns the call for the general path.
    #[cold]
    pub fn into_general(self) -> ClientCall<'a> {
        ClientCall::with(self.connection, self.method, self.encoder, self.encoded)
    }
}

/// A short request that was sent. Completes with a short value that arrives soon, or else with the progress
/// of the call.
struct SentShort<'a> {
    /// Taken when it completes.
    link: Option<LinkRef<'a>>,
    ticket: Ticket,
}

impl<'a> SentShort<'a> {
    /// Sends the request; `None` when nothing was sent.
    #[inline]
    fn send(connection: &'a Connection, method: u16, encoder: &Encoder<'_>) -> Option<Self> {
        let body = encoder.short()?;
        let link = connection.inner().link();
        let tag = link.tags[usize::from(method)]?;
        let ticket = link.channel.send_short(tag, &body)?;
        Some(Self { link: Some(link), ticket })
    }
}

impl<'a> Future for SentShort<'a> {
    type Output = Result<ShortAnswer, HowFar<'a>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let ticket = self.ticket;
        let channel = &self.link.as_ref().expect("it is polled until it completes").channel;
        let answer = ready!(channel.poll_short(cx, ticket));
        let link = self.link.take().expect("it was there");
        let unfinished = match answer {
            Some(answer) if answer.tag == VALUE => return Poll::Ready(Ok(answer)),
            Some(answer) => Unfinished::Answered(link, answer.arrived()),
            None => Unfinished::Sent(link, ticket),
        };
        Poll::Ready(Err(Some(Box::new(unfinished))))
    }
}

impl Drop for SentShort<'_> {
    fn drop(&mut self) {
        if let Some(link) = &self.link {
            link.channel.abandon(self.ticket);
        }
    }
}
