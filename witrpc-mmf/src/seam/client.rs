//! The client's half of the transport.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use witrpc_transport::{
    Answer, ChannelError, ClientChannel, Exchange, Lessor, Limit, Outgoing, Sending, Short,
    ShortAnswer, Ticket,
};

use crate::client::{Client, KeptLane, SendState};

/// The owner of a client's connection. Dropping it ends the connection.
pub struct Channel(pub Arc<Client>);

impl Channel {
    pub fn new(client: Arc<Client>) -> Self {
        Self(client)
    }
}

impl ClientChannel for Channel {
    fn welcome(&self) -> &[u8] {
        self.0.welcome()
    }

    fn try_send(&self, message: Outgoing<'_>) -> Result<Option<Ticket>, ChannelError> {
        self.0.try_send(message)
    }

    fn exchange_short(&self, tag: u32, body: &Short) -> Exchange {
        self.0.exchange_short(tag, body)
    }

    fn send_short(&self, tag: u32, body: &Short) -> Option<Ticket> {
        self.0.send_short(tag, body)
    }

    fn poll_short(&self, cx: &mut Context<'_>, ticket: Ticket) -> Poll<Option<ShortAnswer>> {
        self.0.poll_short(cx, ticket)
    }

    fn exchange(&self, message: Outgoing<'_>) -> Exchange {
        self.0.exchange(&message)
    }

    fn poll_send(
        &self,
        cx: &mut Context<'_>,
        sending: &mut Sending,
        message: Outgoing<'_>,
        limit: &mut Limit,
    ) -> Poll<Result<Ticket, ChannelError>> {
        let state = sending.state.get_or_insert_with(|| Box::<SendState>::default());
        let state: &mut SendState = state.downcast_mut().expect("a send goes on where it began");
        state.set_continues(sending.continues);
        self.0.poll_send(cx, state, message, limit)
    }

    fn wait_answer(
        &self,
        ticket: Ticket,
        limit: &mut Limit,
        answer: &mut Answer,
    ) -> Result<(), ChannelError> {
        self.0.wait_answer(ticket, limit, |arrived| *answer = arrived)
    }

    fn poll_answer(
        &self,
        cx: &mut Context<'_>,
        ticket: &mut Ticket,
        limit: &mut Limit,
        answer: &mut Answer,
    ) -> Poll<Result<(), ChannelError>> {
        self.0.poll_answer(cx, ticket, limit, |arrived| *answer = arrived)
    }

    fn lane_to_keep(&self) -> Option<Box<dyn witrpc_transport::KeptLane>> {
        Some(Box::new(self.0.lane_to_keep()))
    }

    fn lanes(&self) -> u32 {
        self.0.lanes()
    }

    fn abandoned(&self) -> u32 {
        self.0.abandoned()
    }

    fn set_aside(&self, ticket: Ticket) {
        self.0.set_aside(ticket);
    }

    fn expect_late(&self, ticket: Ticket) {
        self.0.expect_late(ticket);
    }

    fn abandon(&self, ticket: Ticket) {
        self.0.abandon(ticket);
    }

    fn lost(&self) -> Option<ChannelError> {
        self.0.lost().map(|why| self.0.end(why))
    }

    fn when_lost(&self, waker: Waker) {
        self.0.when_lost(waker);
    }

    fn lessor(&self) -> Option<&dyn Lessor> {
        Some(self)
    }

    fn disconnect(&self) {
        self.0.disconnect();
    }
}

impl witrpc_transport::KeptLane for KeptLane {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        message: Outgoing<'_>,
    ) -> Poll<Result<(), ChannelError>> {
        self.poll_send(cx, message)
    }

    fn wait_answer(&mut self, answer: &mut Answer) -> Result<(), ChannelError> {
        self.wait_answer(|arrived| *answer = arrived)
    }
}

/// Disconnects. Leases and kept lanes may keep the [`Client`] alive, but not the connection.
impl Drop for Channel {
    fn drop(&mut self) {
        self.0.disconnect();
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
