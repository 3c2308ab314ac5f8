//! iceoryx2: request-response, polled, or with events as in its example of both.
//!
//! Words are written where the server reads them. The ports are those for one thread, which are the
//! faster ones.

use std::collections::VecDeque;
use std::hint::black_box;
use std::time::Duration;

use iceoryx2::node::{Node, NodeBuilder};
use iceoryx2::pending_response::PendingResponse;
use iceoryx2::port::client::Client;
use iceoryx2::port::listener::{Listener, ListenerWaitError};
use iceoryx2::port::notifier::Notifier;
use iceoryx2::prelude::*;
use iceoryx2::service::port_factory::event;
use iceoryx2::service::port_factory::request_response::PortFactory;

use crate::peer::{
    Connection, IN_FLIGHT, MAX_CLIENTS, MAX_WORDS, Peer, Session, Task, Wait, look_until,
};
use crate::support::studio::sum;

pub(crate) static PEER: Peer = Peer { label: "iceoryx2", ours: false, serve, connect };

type Ipc = ipc::Service;
/// In a request's header: the listener to be told of the answer.
type Caller = u128;
type Add = PortFactory<Ipc, Pair, Caller, u64, ()>;
type Sum = PortFactory<Ipc, [u64], Caller, u64, ()>;

#[derive(Clone, Copy, Debug, ZeroCopySend)]
#[repr(C)]
struct Pair {
    a: u64,
    b: u64,
}

fn node() -> Node<Ipc> {
    set_log_level(LogLevel::Error);
    NodeBuilder::new().create::<Ipc>().expect("a node")
}

fn name(name: &str) -> ServiceName {
    name.try_into().expect("a short name")
}

/// Removes what servers left that ended without returning.
pub(crate) fn remove_remains() {
    node().blocking_cleanup_dead_nodes(Duration::from_secs(1));
}

/// The two services differ in nothing but the type of a request.
macro_rules! open {
    ($node:expr, $session:expr, $request:ty) => {
        $node
            .service_builder(&name(&$session.name))
            .request_response::<$request, u64>()
            .request_user_header::<Caller>()
            .max_clients(MAX_CLIENTS)
            .max_nodes(MAX_CLIENTS + 1)
            .max_servers(1)
            .max_active_requests_per_client(IN_FLIGHT)
            .max_loaned_requests(1)
            .max_response_buffer_size(1)
            .open_or_create()
            .expect("a service")
    };
}

fn serve(session: &Session, ready: &dyn Fn()) {
    let node = node();
    let events = Events::new(&node, session, Side::Server);
    match session.task {
        Task::Add => {
            let service: Add = open!(node, session, Pair);
            let server = service.server_builder().create().expect("a server");
            ready();
            events.serve(|| {
                let request = server.receive().expect("a service")?;
                let Pair { a, b } = *request.payload();
                request.send_copy(a.wrapping_add(b)).expect("room for an answer");
                Some(*request.user_header())
            })
        }
        Task::Sum => {
            let service: Sum = open!(node, session, [u64]);
            let server = service.server_builder().create().expect("a server");
            ready();
            events.serve(|| {
                let request = server.receive().expect("a service")?;
                request.send_copy(sum(request.payload())).expect("room for an answer");
                Some(*request.user_header())
            })
        }
    }
}

/// How a side that sleeps is woken.
struct Events {
    wait: Wait,
    theirs: Notifier<Ipc>,
    ours: Listener<Ipc>,
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Client,
    Server,
}

impl Events {
    fn new(node: &Node<Ipc>, session: &Session, side: Side) -> Self {
        let service = |side: &str| -> event::PortFactory<Ipc> {
            let service = node.service_builder(&name(&format!("{}/{side}", session.name))).event();
            let service = service.max_listeners(MAX_CLIENTS).max_notifiers(MAX_CLIENTS);
            service.max_nodes(MAX_CLIENTS + 1).open_or_create().expect("a service")
        };
        let (theirs, ours) = match side {
            Side::Client => (service("server"), service("client")),
            Side::Server => (service("client"), service("server")),
        };
        Self {
            wait: session.wait,
            theirs: theirs.notifier_builder().create().expect("a notifier"),
            ours: ours.listener_builder().create().expect("a listener"),
        }
    }

    fn caller(&self) -> Caller {
        self.ours.id().value()
    }

    /// Serves for ever, by a function that answers one request if there is one.
    fn serve(&self, mut answer: impl FnMut() -> Option<Caller>) -> ! {
        loop {
            if self.wait == Wait::Polled {
                look_until(&mut answer);
                continue;
            }
            self.sleep();
            while let Some(caller) = answer() {
                self.notify_client(caller);
            }
        }
    }

    fn sleep(&self) {
        match self.ours.blocking_wait(|_| {}) {
            // A pause interrupts it: the next look tells.
            Ok(_) | Err(ListenerWaitError::InterruptSignal) => {}
            Err(error) => panic!("no listener: {error}"),
        }
    }

    fn notify_client(&self, caller: Caller) {
        self.theirs.for_each_listener(|listener, details| {
            if details.listener_id.value() == caller {
                listener.notify().expect("the client lives");
                CallbackProgression::Stop
            } else {
                CallbackProgression::Continue
            }
        });
    }

    /// Tells the server of a request, and waits for what there is to receive.
    fn await_answer<T>(&self, mut receive: impl FnMut() -> Option<T>) -> T {
        if self.wait == Wait::Polled {
            return look_until(receive);
        }
        self.theirs.notify().expect("the server lives");
        loop {
            if let Some(answer) = receive() {
                return answer;
            }
            self.sleep();
        }
    }
}

fn connect(session: &Session) -> Box<dyn Connection> {
    let node = node();
    let events = Events::new(&node, session, Side::Client);
    match session.task {
        Task::Add => {
            let service: Add = open!(node, session, Pair);
            let client = service.client_builder().create().expect("a client");
            Box::new(Adds { client, events })
        }
        Task::Sum => {
            let service: Sum = open!(node, session, [u64]);
            let client = service
                .client_builder()
                .initial_max_slice_len(MAX_WORDS)
                .create()
                .expect("a client");
            Box::new(Sums { client, events })
        }
    }
}

struct Adds {
    client: Client<Ipc, Pair, Caller, u64, ()>,
    events: Events,
}

impl Adds {
    fn send(&self, a: u64, b: u64) -> PendingResponse<Ipc, Pair, Caller, u64, ()> {
        let mut request = self.client.loan_uninit().expect("room for a request");
        *request.user_header_mut() = self.events.caller();
        request.write_payload(Pair { a, b }).send().expect("the server lives")
    }
}

impl Connection for Adds {
    fn add(&mut self, a: u64, b: u64) -> u64 {
        let pending = self.send(a, b);
        self.events.await_answer(|| pending.receive().expect("a service").map(|sum| *sum))
    }

    fn sum(&mut self, _: &[u64]) -> u64 {
        unreachable!("this service adds")
    }

    fn add_in_flight(&mut self, calls: usize) {
        let mut pending = VecDeque::with_capacity(IN_FLIGHT);
        for call in 0..calls + IN_FLIGHT {
            if call >= IN_FLIGHT
                && let Some(oldest) = pending.pop_front()
            {
                let oldest: PendingResponse<Ipc, Pair, Caller, u64, ()> = oldest;
                let answer = || oldest.receive().expect("a service").map(|sum| *sum);
                black_box(self.events.await_answer(answer));
            }
            if call < calls {
                pending.push_back(self.send(call as u64, 1));
            }
        }
    }
}

struct Sums {
    client: Client<Ipc, [u64], Caller, u64, ()>,
    events: Events,
}

impl Connection for Sums {
    fn add(&mut self, _: u64, _: u64) -> u64 {
        unreachable!("this service sums")
    }

    fn sum(&mut self, words: &[u64]) -> u64 {
        let mut request = self.client.loan_slice_uninit(words.len()).expect("room for a request");
        *request.user_header_mut() = self.events.caller();
        let pending = request.write_from_slice(words).send().expect("the server lives");
        self.events.await_answer(|| pending.receive().expect("a service").map(|sum| *sum))
    }

    fn add_in_flight(&mut self, _: usize) {
        unreachable!("this service sums")
    }
}
