//! Transports that keep what crosses them, and one that answers as an old server did.

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use witrpc::transport::{
    Answer, BindConfig, ChannelError, ClientChannel, ConnectConfig, Limit, Outgoing, Payload,
    Sending, ServerPort, Ticket, Transport,
};
use witrpc::{BindError, ConnectError, InProcess};

use super::conversation::{Conversation, Exchange};

/// The bytes of messages.
pub(crate) mod body {
    use witrpc::transport::{Answer, Body, Fill, Outgoing, SMALL_LEN, pad};

    /// A long message.
    pub(crate) struct Long<'a>(&'a [u8]);

    impl Fill for Long<'_> {
        fn len(&self) -> usize {
            self.0.len()
        }

        fn write_at(&self, offset: usize, out: &mut [u8]) {
            out.copy_from_slice(&self.0[offset..offset + out.len()]);
        }
    }

    /// The form in which a message of these bytes is sent.
    pub(crate) enum Padded<'a> {
        Short([u8; SMALL_LEN]),
        Long(Long<'a>),
    }

    pub(crate) fn padded(bytes: &[u8]) -> Padded<'_> {
        if bytes.len() <= SMALL_LEN { Padded::Short(pad(bytes)) } else { Padded::Long(Long(bytes)) }
    }

    pub(crate) fn outgoing<'a>(tag: u32, bytes: &[u8], padded: &'a Padded<'a>) -> Outgoing<'a> {
        match padded {
            Padded::Short(padded) => Outgoing::new(tag, Body::Small { padded, len: bytes.len() }),
            Padded::Long(long) => Outgoing::new(tag, Body::Large(long)),
        }
    }

    pub(crate) fn request(message: &Outgoing<'_>) -> Vec<u8> {
        let mut bytes = vec![0; message.body.len()];
        message.body.write_at(0, &mut bytes);
        bytes
    }

    pub(crate) fn answer(answer: &Answer) -> (u32, Vec<u8>) {
        let mut bytes = vec![0; answer.payload.len()];
        answer.payload.copy_to(0, &mut bytes);
        (answer.tag, bytes)
    }
}

/// Keeps what one client says, call after call, and what it is answered.
#[derive(Debug)]
pub(crate) struct Recorder {
    place: InProcess,
    recorded: Arc<Mutex<Conversation>>,
}

impl Recorder {
    pub(crate) fn new(place: InProcess) -> Self {
        Self { place, recorded: Arc::default() }
    }

    pub(crate) fn recorded(&self) -> Arc<Mutex<Conversation>> {
        Arc::clone(&self.recorded)
    }
}

impl Transport for Recorder {
    fn bind(&self, config: BindConfig) -> Result<Arc<dyn ServerPort>, BindError> {
        self.place.bind(config)
    }

    fn connect(&self, config: ConnectConfig) -> Result<Arc<dyn ClientChannel>, ConnectError> {
        let hello = config.hello.clone();
        let inner = self.place.connect(config)?;
        let welcome = inner.welcome().to_vec();
        *self.recorded.lock().unwrap() = Conversation { hello, welcome, exchanges: Vec::new() };
        Ok(Arc::new(RecordedChannel { inner, recorded: Arc::clone(&self.recorded) }))
    }
}

#[derive(Debug)]
struct RecordedChannel {
    inner: Arc<dyn ClientChannel>,
    recorded: Arc<Mutex<Conversation>>,
}

impl RecordedChannel {
    fn note_request(&self, message: &Outgoing<'_>) {
        let (tag, request) = (message.tag, body::request(message));
        let exchange = Exchange { tag, request, ..Exchange::default() };
        self.recorded.lock().unwrap().exchanges.push(exchange);
    }

    fn note_answer(&self, answer: &Answer) {
        let mut recorded = self.recorded.lock().unwrap();
        recorded.exchanges.last_mut().expect("it was asked").answer = body::answer(answer);
    }
}

impl ClientChannel for RecordedChannel {
    fn welcome(&self) -> &[u8] {
        self.inner.welcome()
    }

    fn try_send(&self, message: Outgoing<'_>) -> Result<Option<Ticket>, ChannelError> {
        let sent = self.inner.try_send(message)?;
        sent.inspect(|_| self.note_request(&message));
        Ok(sent)
    }

    fn poll_send(
        &self,
        cx: &mut Context<'_>,
        sending: &mut Sending,
        message: Outgoing<'_>,
        limit: &mut Limit,
    ) -> Poll<Result<Ticket, ChannelError>> {
        let sent = self.inner.poll_send(cx, sending, message, limit);
        if let Poll::Ready(Ok(_)) = sent {
            self.note_request(&message);
        }
        sent
    }

    fn wait_answer(
        &self,
        ticket: Ticket,
        limit: &mut Limit,
        answer: &mut Answer,
    ) -> Result<(), ChannelError> {
        self.inner.wait_answer(ticket, limit, answer)?;
        self.note_answer(answer);
        Ok(())
    }

    fn poll_answer(
        &self,
        cx: &mut Context<'_>,
        ticket: &mut Ticket,
        limit: &mut Limit,
        answer: &mut Answer,
    ) -> Poll<Result<(), ChannelError>> {
        self.inner.poll_answer(cx, ticket, limit, answer).map_ok(|()| self.note_answer(answer))
    }

    fn lanes(&self) -> u32 {
        self.inner.lanes()
    }

    fn abandon(&self, ticket: Ticket) {
        self.inner.abandon(ticket);
    }

    fn lost(&self) -> Option<ChannelError> {
        self.inner.lost()
    }

    fn disconnect(&self) {
        self.inner.disconnect();
    }
}

/// A server that knows only what it was asked then.
#[derive(Debug)]
pub(crate) struct OldServer {
    pub(crate) version: u32,
    pub(crate) said: Conversation,
}

impl Transport for OldServer {
    fn bind(&self, _: BindConfig) -> Result<Arc<dyn ServerPort>, BindError> {
        unreachable!("it only answers")
    }

    fn connect(&self, config: ConnectConfig) -> Result<Arc<dyn ClientChannel>, ConnectError> {
        let version = self.version as u8;
        if config.hello.first() != Some(&version) {
            return Err(ConnectError::Refused(vec![0, version]));
        }
        assert_eq!(config.hello, self.said.hello, "the hello has another form or digest");
        Ok(Arc::new(OldChannel(self.said.clone())))
    }
}

/// The tag of the answer of a server that does not know the method.
const UNKNOWN_METHOD: u32 = 4;

/// A connection to an old server.
#[derive(Debug)]
struct OldChannel(Conversation);

impl ClientChannel for OldChannel {
    fn welcome(&self) -> &[u8] {
        &self.0.welcome
    }

    fn try_send(&self, message: Outgoing<'_>) -> Result<Option<Ticket>, ChannelError> {
        let request = body::request(&message);
        let asked =
            |exchange: &Exchange| exchange.tag == message.tag && exchange.request == request;
        let known = self.0.exchanges.iter().position(asked);
        let is_new = self.0.exchanges.iter().all(|exchange| exchange.tag != message.tag);
        assert!(known.is_some() || is_new, "{:#x} is asked otherwise: {request:02x?}", message.tag);
        Ok(Some(Ticket::new(0, known.map_or(0, |number| number as u64 + 1))))
    }

    fn poll_send(
        &self,
        _: &mut Context<'_>,
        _: &mut Sending,
        message: Outgoing<'_>,
        _: &mut Limit,
    ) -> Poll<Result<Ticket, ChannelError>> {
        Poll::Ready(self.try_send(message).map(|ticket| ticket.expect("it is sent at once")))
    }

    fn wait_answer(
        &self,
        ticket: Ticket,
        _: &mut Limit,
        answer: &mut Answer,
    ) -> Result<(), ChannelError> {
        let said = ticket.seq.checked_sub(1).map(|number| &self.0.exchanges[number as usize]);
        let (tag, bytes) = said.map_or((UNKNOWN_METHOD, Vec::new()), |said| said.answer.clone());
        *answer = Answer::new(tag, Payload::from_private(bytes));
        Ok(())
    }

    fn poll_answer(
        &self,
        _: &mut Context<'_>,
        ticket: &mut Ticket,
        limit: &mut Limit,
        answer: &mut Answer,
    ) -> Poll<Result<(), ChannelError>> {
        Poll::Ready(self.wait_answer(*ticket, limit, answer))
    }

    fn lanes(&self) -> u32 {
        8
    }

    fn abandon(&self, _: Ticket) {}

    fn lost(&self) -> Option<ChannelError> {
        None
    }

    fn disconnect(&self) {}
}
