//! A service whose handlers can do all that a handler may, and its client.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};

use crate::call::client::call::ClientCall;
use crate::call::server::call::{IntoService, ServerCall, Service};
use crate::codec::Wire;
use crate::connection::builder::{Blocking, ClientBuilder};
use crate::connection::handle::Client;
use crate::contract::{MethodDescriptor, ServiceDescriptor, trace};
use crate::endpoint::in_process::InProcess;
use crate::server::builder::WitServerBuilder;
use crate::server::handle::WitServer;
use crate::{CallError, Connection, Endpoint};

use super::by_hand::{Fails, Returns};
use super::gate::Gate;

pub const ECHO: u16 = 0;
pub const DIVIDE: u16 = 1;
pub const EXPLODE: u16 = 2;
const HOLD: u16 = 3;
pub const HOLD_LATER: u16 = 4;
pub const COUNT_DOWN: u16 = 5;
pub const WHO: u16 = 6;
pub const BULK: u16 = 7;
pub const ENCODE: u16 = 8;
pub const EXPLODE_LATER: u16 = 9;
pub const CROWD: u16 = 10;
pub const THREAD_LATER: u16 = 11;
pub const EXPLODE_AT_LENGTH: u16 = 12;
pub const GHOST: u16 = 13;

const fn method(name: &'static str) -> MethodDescriptor {
    MethodDescriptor {
        name,
        docs: "",
        is_async: false,
        idempotent: false,
        arguments: &[],
        streams: false,
        result: trace::<()>,
        error: None,
    }
}

pub static DESCRIPTOR: ServiceDescriptor = ServiceDescriptor {
    name: "Probe",
    docs: "",
    methods: &[
        method("echo"),
        method("divide"),
        method("explode"),
        method("hold"),
        method("hold_later"),
        method("count_down"),
        method("who"),
        method("bulk"),
        method("encode"),
        method("explode_later"),
        method("crowd"),
        method("thread_later"),
        method("explode_at_length"),
        method("ghost"),
    ],
    events: &[],
};

/// A value that is hard to encode.
#[derive(Clone, Copy, Deserialize)]
pub enum Stubborn {
    Refuses,
    Panics,
}

impl Serialize for Stubborn {
    fn serialize<S: Serializer>(&self, _serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Stubborn::Refuses => Err(S::Error::custom("not today")),
            Stubborn::Panics => panic!("while it was encoded"),
        }
    }
}

/// The state that handlers share with the test.
#[derive(Default)]
pub struct Probe {
    pub gate: Gate,
    /// A client of the probe's own server, for calls within calls.
    pub own: OnceLock<ProbeClient>,
    crowd: AtomicUsize,
    /// The most handlers of [`CROWD`] that ran at once.
    pub most: AtomicUsize,
}

impl Probe {
    fn count_down(&self, from: u32) -> u32 {
        match from {
            0 => 0,
            _ => 1 + self.own.get().unwrap().count_down(from - 1).unwrap(),
        }
    }

    fn crowd(&self) {
        let now = self.crowd.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        thread::yield_now();
        self.crowd.fetch_sub(1, Ordering::SeqCst);
    }
}

pub struct ProbeServer(pub Arc<Probe>);

impl IntoService for ProbeServer {
    fn into_service(self) -> Arc<dyn Service> {
        Arc::new(self)
    }
}

impl Service for ProbeServer {
    fn descriptor(&self) -> &'static ServiceDescriptor {
        &DESCRIPTOR
    }

    fn dispatch(&self, call: ServerCall<'_>) {
        let probe = &self.0;
        match call.method() {
            ECHO => call.answer(|arguments, _| {
                let text = arguments.str("text")?;
                arguments.finish()?;
                Ok(text.into_owned())
            }),
            DIVIDE => call.answer_result(|arguments, _| {
                let a = arguments.value::<i64>("a")?;
                let b = arguments.value::<i64>("b")?;
                arguments.finish()?;
                Ok(a.checked_div(b).ok_or_else(|| "no quotient".to_owned()))
            }),
            EXPLODE => call.answer(|arguments, _| {
                let text = arguments.str("text")?;
                let explode: fn(&str) = |text| panic!("{text}");
                explode(&text);
                Ok(())
            }),
            EXPLODE_AT_LENGTH => call.answer(|arguments, _| {
                let len: usize = arguments.value("len")?;
                let explode: fn(usize) = |len| panic!("x{}", "ü".repeat(len));
                explode(len);
                Ok(())
            }),
            HOLD => call.answer(|arguments, _| {
                let len = arguments.value("len")?;
                probe.gate.pass();
                Ok(vec![7_u8; len])
            }),
            COUNT_DOWN => call.answer(|arguments, _| {
                let from = arguments.value("from")?;
                Ok(probe.count_down(from))
            }),
            WHO => call.answer(|_, caller| {
                let cx = caller.context();
                Ok((cx.client_id(), cx.pid(), cx.uid(), cx.call_id()))
            }),
            BULK => call.answer(|arguments, _| Ok(vec![7_u8; arguments.value("len")?])),
            ENCODE => call.answer(|arguments, _| {
                let panics = arguments.value("panics")?;
                Ok(if panics { Stubborn::Panics } else { Stubborn::Refuses })
            }),
            CROWD => call.answer(|_, _| {
                probe.crowd();
                Ok(())
            }),
            HOLD_LATER | EXPLODE_LATER | THREAD_LATER => self.dispatch_later(call),
            _ => call.unknown_method(),
        }
    }
}

impl ProbeServer {
    fn dispatch_later(&self, call: ServerCall<'_>) {
        let probe = Arc::clone(&self.0);
        match call.method() {
            HOLD_LATER => call.answer_async_result(move |arguments, _| async move {
                let mut arguments = arguments.open();
                let answer = arguments.value::<Result<u64, u64>>("answer")?;
                arguments.finish()?;
                probe.gate.pass_later().await;
                Ok(answer)
            }),
            EXPLODE_LATER => call.answer_async(move |_, _| async move {
                probe.gate.pass_later().await;
                let explode: fn() = || panic!("later");
                explode();
                Ok(())
            }),
            _ => call.answer_async(|_, _| async {
                Ok(thread::current().name().unwrap_or_default().to_owned())
            }),
        }
    }
}

#[derive(Clone, Debug)]
pub struct ProbeClient {
    pub connection: Connection,
}

impl Client for ProbeClient {
    const DESCRIPTOR: &'static ServiceDescriptor = &DESCRIPTOR;

    fn from_connection(connection: Connection) -> Self {
        Self { connection }
    }
}

impl ProbeClient {
    pub fn builder(endpoint: impl Into<Endpoint>) -> ClientBuilder<Self, Blocking> {
        ClientBuilder::new(endpoint)
    }

    pub fn start(&self, method: u16) -> ClientCall<'_> {
        ClientCall::new(&self.connection, method)
    }

    /// Calls a method without arguments.
    pub fn call<T: Wire>(&self, method: u16) -> Result<T, CallError> {
        self.start(method).block().outcome::<Returns<_>>()
    }

    /// Calls a method with one argument.
    pub fn call_with<A: Wire, T: Wire>(&self, method: u16, argument: A) -> Result<T, CallError> {
        let mut call = self.start(method);
        call.value("argument", &argument);
        call.block().outcome::<Returns<_>>()
    }

    pub fn echo(&self, text: &str) -> Result<String, CallError> {
        let mut call = self.start(ECHO);
        call.str("text", text);
        call.block().outcome::<Returns<_>>()
    }

    pub fn divide(&self, a: i64, b: i64) -> Result<i64, CallError<String>> {
        let mut call = self.start(DIVIDE);
        call.value("a", &a);
        call.value("b", &b);
        call.block().outcome::<Fails<_, _>>()
    }

    pub fn count_down(&self, from: u32) -> Result<u32, CallError> {
        self.call_with(COUNT_DOWN, from)
    }

    /// Calls [`HOLD`] for an answer of that many bytes.
    pub fn hold(&self, len: usize) -> Result<Vec<u8>, CallError> {
        self.call_with(HOLD, len)
    }

    pub fn hold_later(&self, answer: Result<u64, u64>) -> Result<u64, CallError<u64>> {
        let mut call = self.start(HOLD_LATER);
        call.value("answer", &answer);
        call.block().outcome::<Fails<_, _>>()
    }
}

/// A server of a probe at an endpoint of its own.
pub struct Fixture {
    pub probe: Arc<Probe>,
    pub place: Endpoint,
    pub server: WitServer,
}

impl Fixture {
    pub fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub fn with(adjust: impl FnOnce(WitServerBuilder) -> WitServerBuilder) -> Self {
        Self::at(InProcess::new().into(), adjust)
    }

    pub fn at(place: Endpoint, adjust: impl FnOnce(WitServerBuilder) -> WitServerBuilder) -> Self {
        let probe = Arc::new(Probe::default());
        let service = ProbeServer(Arc::clone(&probe));
        let builder = WitServer::builder().listen(place.clone()).service(service);
        let server = adjust(builder).start().unwrap();
        Self { probe, place, server }
    }

    pub fn client(&self) -> ProbeClient {
        ProbeClient::builder(self.place.clone()).connect().unwrap()
    }
}
