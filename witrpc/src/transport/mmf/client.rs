//! A client's end, put on the seam.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use witrpc_mmf as channel;

use super::errors;
use super::keys::Bringing;
use super::lease::{Received, with_claims};
use crate::error::ConnectError;
use crate::transport::{
    Answer, Body, ChannelError, ClientChannel, Credentials, Fill, KeptLane, Leasing, Lessor, Limit,
    Outgoing, Payload, RemoteBytes, Sending, Ticket,
};

pub(super) fn connect(
    name: &channel::Name,
    place: &channel::Place,
    options: &channel::ClientOptions,
    credentials: Credentials,
) -> Result<Arc<dyn ClientChannel>, ConnectError> {
    match channel::Client::connect(name, place, options, &Bringing(credentials)) {
        Ok(client) => Ok(Arc::new(Client(client))),
        Err(error) => Err(errors::connect(error)),
    }
}

struct Client(Arc<channel::Client>);

impl ClientChannel for Client {
    fn welcome(&self) -> &[u8] {
        self.0.welcome()
    }

    fn try_send(&self, message: Outgoing<'_>) -> Result<Option<Ticket>, ChannelError> {
        let sent = with_outgoing(message, |message| self.0.try_send(message));
        sent.map(|sent| sent.map(from_ticket)).map_err(errors::channel)
    }

    fn poll_send(
        &self,
        cx: &mut Context<'_>,
        sending: &mut Sending,
        message: Outgoing<'_>,
        limit: &mut Limit,
    ) -> Poll<Result<Ticket, ChannelError>> {
        let state = sending.state.get_or_insert_with(|| Box::<channel::Sending>::default());
        let state = state.downcast_mut().expect("a send goes on where it began");
        let sent = with_limit(limit, |limit| {
            with_outgoing(message, |message| self.0.poll_send(cx, state, message, limit))
        });
        sent.map_ok(from_ticket).map_err(errors::channel)
    }

    fn wait_answer(
        &self,
        ticket: Ticket,
        limit: &mut Limit,
        answer: &mut Answer,
    ) -> Result<(), ChannelError> {
        let put = |arrived| *answer = from_answer(arrived);
        let waited = with_limit(limit, |limit| self.0.wait_answer(to_ticket(ticket), limit, put));
        waited.map_err(errors::channel)
    }

    fn poll_answer(
        &self,
        cx: &mut Context<'_>,
        ticket: &mut Ticket,
        limit: &mut Limit,
        answer: &mut Answer,
    ) -> Poll<Result<(), ChannelError>> {
        let mut inner = to_ticket(*ticket);
        let put = |arrived| *answer = from_answer(arrived);
        let polled = with_limit(limit, |limit| self.0.poll_answer(cx, &mut inner, limit, put));
        *ticket = from_ticket(inner);
        polled.map_err(errors::channel)
    }

    fn lane_to_keep(&self) -> Option<Box<dyn KeptLane>> {
        Some(Box::new(self.0.lane_to_keep()))
    }

    fn lanes(&self) -> u32 {
        self.0.lanes()
    }

    fn set_aside(&self, ticket: Ticket) {
        self.0.set_aside(to_ticket(ticket));
    }

    fn abandon(&self, ticket: Ticket) {
        self.0.abandon(to_ticket(ticket));
    }

    fn lost(&self) -> Option<ChannelError> {
        self.0.lost().map(|why| errors::channel(channel::ChannelError::Closed(why)))
    }

    fn when_lost(&self, waker: Waker) {
        self.0.when_lost(waker);
    }

    fn lessor(&self) -> Option<&dyn Lessor> {
        Some(&self.0)
    }

    fn disconnect(&self) {
        self.0.disconnect();
    }
}

impl KeptLane for channel::KeptLane {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        message: Outgoing<'_>,
    ) -> Poll<Result<(), ChannelError>> {
        let sent = with_outgoing(message, |message| self.poll_send(cx, message));
        sent.map_err(errors::channel)
    }

    fn wait_answer(&mut self, answer: &mut Answer) -> Result<(), ChannelError> {
        let waited = self.wait_answer(|arrived| *answer = from_answer(arrived));
        waited.map_err(errors::channel)
    }
}

/// Leases and kept lanes may keep the channel's end, but not the connection.
impl Drop for Client {
    fn drop(&mut self) {
        self.0.disconnect();
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A body of the seam as one of the channel.
struct Filled<'a>(&'a dyn Fill);

impl channel::Fill for Filled<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn write_at(&self, offset: usize, out: &mut [u8]) {
        self.0.write_at(offset, out);
    }
}

#[inline]
pub(super) fn with_outgoing<R>(
    message: Outgoing<'_>,
    send: impl FnOnce(channel::Outgoing<'_>) -> R,
) -> R {
    let Outgoing { tag, body, deadline } = message;
    match body {
        Body::Small { padded, len } => {
            let body = channel::Body::Small { padded, len };
            send(channel::Outgoing { tag, body, deadline })
        }
        Body::Large(fill) => {
            let body = channel::Body::Large(&Filled(fill));
            send(channel::Outgoing { tag, body, deadline })
        }
        Body::Leasing { body, leases } => with_claims(leases, |leases| {
            let filled;
            let body = &match *body {
                Body::Small { padded, len } => channel::Body::Small { padded, len },
                Body::Large(fill) => {
                    filled = Filled(fill);
                    channel::Body::Large(&filled)
                }
                Body::Leasing { .. } => unreachable!("a body with leases stands in no other"),
            };
            send(channel::Outgoing { tag, body: channel::Body::Leasing { body, leases }, deadline })
        }),
    }
}

/// Lends a limit to the channel, which may fix it.
#[inline]
pub(super) fn with_limit<R>(limit: &mut Limit, wait: impl FnOnce(&mut channel::Limit) -> R) -> R {
    let mut inner = match *limit {
        Limit::Never => channel::Limit::Never,
        Limit::Within(time) => channel::Limit::Within(time),
        Limit::At(at) => channel::Limit::At(at),
    };
    let result = wait(&mut inner);
    *limit = match inner {
        channel::Limit::Never => Limit::Never,
        channel::Limit::Within(time) => Limit::Within(time),
        channel::Limit::At(at) => Limit::At(at),
    };
    result
}

#[inline]
pub(super) fn from_ticket(ticket: channel::Ticket) -> Ticket {
    Ticket { lane: ticket.lane, seq: ticket.seq }
}

#[inline]
pub(super) fn to_ticket(ticket: Ticket) -> channel::Ticket {
    channel::Ticket { lane: ticket.lane, seq: ticket.seq }
}

#[inline]
fn from_answer(answer: channel::Answer) -> Answer {
    Answer { tag: answer.tag, payload: from_payload(answer.payload) }
}

/// A payload of the channel as one of the seam.
#[inline]
pub(super) fn from_payload<B>(payload: channel::Payload<B>) -> Payload
where
    B: channel::ReadBlock + 'static,
{
    match payload {
        channel::Payload::Small { bytes, len } => Payload::Small { bytes, len },
        channel::Payload::Whole(bytes) => Payload::Whole(bytes),
        channel::Payload::Block(block) => Payload::Remote(Box::new(Block(block))),
        channel::Payload::Leasing(leasing) => {
            let channel::Leasing { payload, leases } = *leasing;
            let leases = leases.into_iter().map(|lease| Arc::new(Received(lease)) as _).collect();
            Payload::Leasing(Box::new(Leasing { payload: from_payload(payload), leases }))
        }
    }
}

/// A block in the peer's arena.
struct Block<B>(B);

impl<B: channel::ReadBlock> RemoteBytes for Block<B> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn copy_to(&self, offset: usize, out: &mut [u8]) {
        self.0.copy_to(offset, out);
    }

    fn as_slice(&self) -> Option<&[u8]> {
        self.0.as_slice()
    }
}
