//! Connecting.

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use super::connection::{Client, Connection, Inner};
use crate::__private::v1::Service;
use crate::codec::Codec;
use crate::contract::ServiceDescriptor;
use crate::error::ConnectError;
use crate::handshake::{Hello, Refusal, VERSION, Welcome};
use crate::tag::RequestTag;
use crate::transport::{ConnectConfig, Endpoint, in_process::InProcess};
use crate::wait::WaitPolicy;

/// How long a call may take when nobody says otherwise.
const DEFAULT_CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Marks a [`ClientBuilder`] whose `connect` blocks.
#[derive(Clone, Copy, Debug)]
pub enum Blocking {}

/// Marks a [`ClientBuilder`] whose `connect` is `async`.
#[derive(Clone, Copy, Debug)]
pub enum Async {}

/// Decides how a client connects and calls. Made by the `builder` function of a client.
#[must_use = "a builder does nothing until connect"]
pub struct ClientBuilder<C, Mode> {
    dial: Dial,
    kind: PhantomData<fn() -> (C, Mode)>,
}

impl<C, Mode> fmt::Debug for ClientBuilder<C, Mode> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClientBuilder").field(&self.dial).finish()
    }
}

/// All that connecting needs, free of the client's type.
#[derive(Debug)]
struct Dial {
    endpoint: Endpoint,
    codec: Codec,
    call_timeout: Option<Duration>,
    wait_for_server: Duration,
    wait: WaitPolicy,
}

impl<C: Client, Mode> ClientBuilder<C, Mode> {
    /// Starts with the defaults. For generated code.
    #[doc(hidden)]
    pub fn new(endpoint: impl Into<Endpoint>) -> Self {
        let dial = Dial {
            endpoint: endpoint.into(),
            codec: Codec::default(),
            call_timeout: Some(DEFAULT_CALL_TIMEOUT),
            wait_for_server: Duration::ZERO,
            wait: WaitPolicy::default(),
        };
        Self { dial, kind: PhantomData }
    }

    /// How values become bytes; [`Codec::Postcard`] unless given.
    pub fn codec(mut self, codec: Codec) -> Self {
        self.dial.codec = codec;
        self
    }

    /// How long a call may take, from the call to its answer; 30 s unless given, `None` for as
    /// long as the server lives.
    pub fn call_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.dial.call_timeout = timeout.into();
        self
    }

    /// How long to wait for a server that does not serve yet; not at all unless given.
    pub fn wait_for_server(mut self, time: Duration) -> Self {
        self.dial.wait_for_server = time;
        self
    }

    /// How callers wait for answers.
    pub fn wait(mut self, policy: WaitPolicy) -> Self {
        self.dial.wait = policy;
        self
    }
}

impl<C: Client> ClientBuilder<C, Blocking> {
    /// Connects, and blocks the thread meanwhile.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says whether nobody serves, the server refused, or the machine did.
    pub fn connect(self) -> Result<C, ConnectError> {
        self.dial.connect(C::DESCRIPTOR).map(C::from_connection)
    }
}

impl<C: Client> ClientBuilder<C, Async> {
    /// Connects on a short-lived thread of its own; the future can be polled by any executor.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says whether nobody serves, the server refused, or the machine did.
    pub async fn connect(self) -> Result<C, ConnectError> {
        let dial = self.dial;
        on_a_thread(move || dial.connect(C::DESCRIPTOR)).await.map(C::from_connection)
    }
}

/// `XClient::connect`.
pub fn connect_blocking<C: Client>(endpoint: Endpoint) -> Result<C, ConnectError> {
    ClientBuilder::<C, Blocking>::new(endpoint).connect()
}

/// `XAsyncClient::connect`.
pub async fn connect_async<C: Client>(endpoint: Endpoint) -> Result<C, ConnectError> {
    ClientBuilder::<C, Async>::new(endpoint).connect().await
}

/// `XClient::in_process`: a small server of its own, as long as the client's connection lives.
pub fn in_process<C: Client>(_service: impl Service) -> C {
    match connect_blocking(InProcess::new().into()) {
        Ok(client) => client,
        Err(error) => panic!("{error}"),
    }
}

impl Dial {
    fn connect(self, descriptor: &'static ServiceDescriptor) -> Result<Connection, ConnectError> {
        let hello = Hello {
            version: VERSION,
            service: descriptor.name.to_owned(),
            codec: self.codec.number(),
        };
        let config = ConnectConfig {
            hello: postcard::to_allocvec(&hello).map_err(|error| ConnectError::Protocol {
                problem: format!("the hello cannot be encoded: {error}"),
            })?,
            wait_for_server: self.wait_for_server,
            wait: self.wait,
        };
        let channel = self.endpoint.transport().connect(config).map_err(read_refusal)?;
        let tags = match_methods(channel.welcome(), descriptor)?;
        Ok(Connection::new(Inner {
            channel,
            descriptor,
            codec: self.codec,
            call_timeout: self.call_timeout,
            tags,
        }))
    }
}

/// Puts a refusal of the server into the words of connecting.
fn read_refusal(error: ConnectError) -> ConnectError {
    let ConnectError::Refused(bytes) = error else { return error };
    match postcard::from_bytes(&bytes) {
        Ok(Refusal::VersionMismatch { theirs }) => {
            ConnectError::VersionMismatch { ours: VERSION, theirs }
        }
        Ok(Refusal::UnknownService { asked, serves }) => {
            ConnectError::UnknownService { asked, serves }
        }
        Ok(Refusal::CodecNotAllowed { asked, allowed }) => match Codec::from_number(asked) {
            Some(asked) => ConnectError::CodecNotAllowed {
                asked,
                allowed: allowed.into_iter().filter_map(Codec::from_number).collect(),
            },
            None => ConnectError::Refused(bytes),
        },
        Ok(Refusal::ShuttingDown) => ConnectError::ShuttingDown,
        Ok(Refusal::BadHello(problem)) => ConnectError::Protocol { problem },
        Err(_) => ConnectError::Refused(bytes),
    }
}

/// Finds the server's number of each of the client's methods, by name.
fn match_methods(
    welcome: &[u8],
    descriptor: &ServiceDescriptor,
) -> Result<Box<[Option<u32>]>, ConnectError> {
    let welcome: Welcome = postcard::from_bytes(welcome).map_err(|error| {
        ConnectError::Protocol { problem: format!("its welcome cannot be decoded: {error}") }
    })?;
    let Some(catalog) = welcome.services.get(usize::from(welcome.service)) else {
        return Err(ConnectError::Protocol {
            problem: "its welcome names a service that is not in its list".to_owned(),
        });
    };
    let tag_of = |name: &str| {
        let method = catalog.methods.iter().position(|method| method == name)?;
        let tag = RequestTag {
            method: u16::try_from(method).ok()?,
            service: welcome.service,
            raw: false,
        };
        Some(tag.bits())
    };
    Ok(descriptor.methods.iter().map(|method| tag_of(method.name)).collect())
}

/// Runs `work` on a thread of its own and completes when it is done.
async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ConnectError> + Send + 'static,
) -> Result<T, ConnectError> {
    struct Meeting<T> {
        result: Option<Result<T, ConnectError>>,
        waker: Option<Waker>,
    }
    let ours = Arc::new(Mutex::new(Meeting { result: None, waker: None }));
    let theirs = Arc::clone(&ours);
    thread::Builder::new()
        .name("witrpc-connect".to_owned())
        .spawn(move || {
            let result = work();
            let mut meeting = theirs.lock().unwrap_or_else(PoisonError::into_inner);
            meeting.result = Some(result);
            let waker = meeting.waker.take();
            drop(meeting);
            if let Some(waker) = waker {
                waker.wake();
            }
        })
        .map_err(|source| ConnectError::Io {
            doing: "start a thread that connects".to_owned(),
            source,
        })?;
    std::future::poll_fn(|cx| {
        let mut meeting = ours.lock().unwrap_or_else(PoisonError::into_inner);
        match meeting.result.take() {
            Some(result) => Poll::Ready(result),
            None => {
                meeting.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    })
    .await
}
