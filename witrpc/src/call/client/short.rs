//! The fast path of a blocking call: one request and one short answer.
//!
//! A call is *plain* if it has no hook, no span and no options of its own. Most are. It is encoded as any
//! other, and the transport [exchanges](witrpc_transport::ClientChannel::exchange_short) its words for
//! those of the answer.
//!
//! Everything else continues as a [`ClientCall`]. It sends a request that was not sent, waits for one
//! that was, and reads any answer but a value that decodes.

use witrpc_transport::{Answer, ClientChannel, Exchange, Outgoing, ShortAnswer, Ticket};

use crate::codec::{Decoder, EncodeError, Encoder};
use crate::connection::handle::Connection;
use crate::connection::link_slot::LinkRef;
use crate::error::CallError;
use crate::method::{ArgumentList, LentTo, Method};
use crate::observe::spans;
use crate::tag;
use crate::tag::{AnswerTag, Status};

use super::call::ClientCall;

/// The tag of an answer that is the handler's value, without raw sections.
pub(super) const VALUE: u32 = AnswerTag { status: Status::Ok, raw: false }.bits();

/// The progress of a call that continues as a [`ClientCall`].
pub enum Unfinished<'a> {
    /// The request was sent.
    Sent(LinkRef<'a>, Ticket),
    /// It was answered.
    Answered(LinkRef<'a>, Answer),
}

/// The progress of a call that continues as a [`ClientCall`]; `None` if it was not sent. Boxed, because few
/// calls need it.
pub type HowFar<'a> = Option<Box<Unfinished<'a>>>;

/// Calls a method with these arguments, and blocks the thread until the answer arrives.
///
/// # Errors
///
/// The method's own error, or why there is no answer.
#[inline]
pub fn call_blocking<'a, M: Method>(
    connection: &'a Connection,
    arguments: LentTo<'a, M>,
) -> Result<M::Ok, CallError<M::Err>> {
    let codec = connection.inner().codec;
    let mut encoder = Encoder::new(codec);
    let encoded = M::ARGS.put(arguments, &mut encoder);
    let mut unfinished = None;
    if encoded.is_ok() && connection.is_plain() {
        match exchange(connection, M::NUMBER, &mut encoder)
            .and_then(|answer| decode::<M>(connection, &answer))
        {
            Ok(value) => return Ok(value),
            Err(how_far) => unfinished = how_far,
        }
    }
    finish::<M>(connection, encoder, encoded, unfinished)
}

/// Decodes the value of an answer. The general path reports what is wrong with an answer
/// that does not decode.
#[inline]
pub(super) fn decode<'a, M: Method>(
    connection: &'a Connection,
    answer: &ShortAnswer,
) -> Result<M::Ok, HowFar<'a>> {
    let inner = connection.inner();
    let mut decoder = Decoder::new(inner.codec, answer.body.bytes(), None);
    decoder
        .whole(|from| M::OK.take(from))
        .map_err(|_| Some(Box::new(Unfinished::Answered(inner.link(), answer.arrived()))))
}

/// Continues on the general path.
#[cold]
fn finish<'a, M: Method>(
    connection: &'a Connection,
    arguments: Encoder<'a>,
    encoded: Result<(), EncodeError>,
    unfinished: HowFar<'a>,
) -> Result<M::Ok, CallError<M::Err>> {
    let mut call = ClientCall::with(connection, M::NUMBER, arguments, encoded);
    call.block_from(unfinished.map(|unfinished| *unfinished)).outcome::<M>()
}

/// Exchanges a request for the answer, if that is a short value. Otherwise returns the call's
/// progress, if it was sent.
#[inline]
fn exchange<'a>(
    connection: &'a Connection,
    method: u16,
    encoder: &mut Encoder<'_>,
) -> Result<ShortAnswer, HowFar<'a>> {
    let link = connection.inner().link();
    let tag = link.tags[usize::from(method)].ok_or(None)?;
    let exchanged = match encoder.short() {
        Some(body) => link.channel.exchange_short(tag, &body),
        None => exchange_longer(&*link.channel, tag, encoder),
    };
    let unfinished = match exchanged {
        Exchange::Answered(answer) if answer.tag == VALUE => return Ok(answer),
        Exchange::Answered(answer) => Unfinished::Answered(link, answer.arrived()),
        Exchange::Sent(ticket) => Unfinished::Sent(link, ticket),
        Exchange::NotSent => return Err(None),
    };
    Err(Some(Box::new(unfinished)))
}

/// Exchanges a request that is not short, or that takes leases along. The general path reports what is too
/// long to be copied.
#[inline(never)]
fn exchange_longer(channel: &dyn ClientChannel, tag: u32, encoder: &mut Encoder<'_>) -> Exchange {
    if encoder.decide_leases(|| channel.lessor()).is_err() {
        return Exchange::NotSent;
    }
    encoder.with_body(|raw, body| {
        let tag = if raw { tag | tag::RAW } else { tag };
        channel.exchange(Outgoing::new(tag, body))
    })
}

impl Connection {
    /// Returns whether the calls of this view have no hook, no span and no options.
    #[inline]
    pub(super) fn is_plain(&self) -> bool {
        self.options().is_none() && self.inner().hook.is_none() && !spans::are_wanted()
    }
}
