//! The channel alone, without codec, dispatch and types: the same lanes, driven by hand.

use std::collections::VecDeque;
use std::hint::black_box;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use witrpc_mmf::{Backend, Client, ClientOptions, Name, Place, Server, ServerOptions};
use witrpc_transport::{
    Admission, Admitted, Body, ClientInfo, Limit, Outgoing, Payload, Plain, Session, Ticket,
    WaitPolicy,
};

use super::race::Contender;

/// Turns without a request before the peer sleeps.
const TURNS: usize = 20_000;

struct Everybody;

impl Admission for Everybody {
    fn admit(&self, _hello: &[u8], _: &ClientInfo) -> Admitted {
        Admitted::Welcome { welcome: Vec::new(), session: Session::new(Arc::new(())) }
    }
}

/// The peer's side: a server that may be polled by one thread.
pub(crate) fn bind(name: &str) -> Arc<Server> {
    let options = ServerOptions {
        backend: Backend::Native,
        size: 1 << 20,
        lanes: 64,
        max_clients: 4,
        max_message_len: 1 << 20,
        handshake_timeout: Duration::from_secs(5),
        trusted: None,
    };
    let name = Name::new(name).expect("the name was made by this crate");
    let bound = Server::bind(
        name,
        &Place::default(),
        &options,
        Arc::new(Everybody),
        Arc::<Plain>::default(),
    );
    bound.expect("the name is free")
}

/// Answers every request with its own bytes.
pub(crate) fn respond(server: &Server) -> ! {
    loop {
        let mut scanner = server.scanner();
        let mut idle = 0;
        while idle < TURNS {
            let found = scanner.turn(None, |connection, request| {
                let Payload::Small { bytes, len } = &request.payload else {
                    unreachable!("only short messages are sent")
                };
                let body = Body::Small { padded: bytes, len: usize::from(*len) };
                // A client that has gone needs no answer.
                let _ = connection.answer(request.ticket, Outgoing::new(request.tag, body));
                ControlFlow::Continue(())
            });
            idle = if found { 0 } else { idle + 1 };
        }
        if !scanner.request_wakeup(None) {
            drop(scanner);
            server.park(None);
        }
    }
}

/// The side that measures.
#[derive(Clone)]
pub(crate) struct RawClient {
    client: Arc<Client>,
}

impl RawClient {
    pub(crate) fn connect(name: &str) -> Self {
        let options = ClientOptions {
            backend: Backend::Native,
            wait_for_server: Duration::ZERO,
            hello: Vec::new(),
            wait: WaitPolicy::Adaptive,
            max_region_len: 1 << 30,
            max_answer_len: usize::MAX,
            handshake_timeout: Duration::from_secs(5),
            trusted: None,
        };
        let name = Name::new(name).expect("the name was made by this crate");
        let connected = Client::connect(&name, &Place::default(), &options, &Plain::default());
        Self { client: connected.expect("the peer serves") }
    }

    fn send(&self) -> Ticket {
        let padded = black_box(&[3; witrpc_mmf::INLINE_LEN]);
        let message = Outgoing::new(1, Body::Small { padded, len: 16 });
        self.client.try_send(message).expect("a connection").expect("a free lane")
    }

    fn receive(&self, ticket: Ticket) {
        let answer = self.client.wait_answer(ticket, &mut Limit::Never, black_box);
        answer.expect("an answer");
    }
}

/// One call at a time.
pub(crate) struct OneByOne(pub(crate) RawClient);

impl Contender for OneByOne {
    fn run(&mut self, calls: usize) {
        (0..calls).for_each(|_| self.0.receive(self.0.send()));
    }
}

/// Keeps `calls` calls in flight.
pub(crate) struct InFlight {
    pub(crate) client: RawClient,
    pub(crate) calls: usize,
}

impl Contender for InFlight {
    fn run(&mut self, calls: usize) {
        let mut flying = VecDeque::with_capacity(self.calls);
        for _ in 0..calls {
            if flying.len() == self.calls {
                flying.pop_front().into_iter().for_each(|ticket| self.client.receive(ticket));
            }
            flying.push_back(self.client.send());
        }
        flying.into_iter().for_each(|ticket| self.client.receive(ticket));
    }
}
