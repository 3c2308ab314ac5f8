//! A server of the workshop, in another process or in this one.

mod address;
mod belt;
mod host;
mod plan;

use std::sync::MutexGuard;
use std::time::Duration;

use futures_executor::block_on;
use witrpc::{AccessToken, Async, Blocking, ClientBuilder, Endpoint, Metrics, Mmf};

pub use address::Address;
pub(crate) use host::serve;
pub use host::{Host, ServerCommand, ServerReply, Started};
pub use plan::{Plan, Transport};

use crate::process::Child;
use crate::spans::Seen;
use crate::watchdog::Watchdog;
use crate::workshop::{WorkshopAsyncClient, WorkshopClient};

/// The most that one test may take.
const TEST_TIME: Duration = Duration::from_secs(900);

/// A server of the workshop, with a name that nobody else knows.
#[derive(Debug)]
pub struct Site {
    address: Address,
    plan: Plan,
    host: Host,
    _watchdog: Watchdog,
}

impl Site {
    /// A server with all defaults.
    pub fn new(transport: Transport) -> Self {
        Self::with(transport, Plan::default())
    }

    /// A server as planned.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn with(transport: Transport, plan: Plan) -> Self {
        let address = match transport {
            Transport::Mmf | Transport::Encrypted => Address::unguessable(),
            Transport::InProcess => {
                Address::InProcess { name: Mmf::unguessable().name().to_owned() }
            }
        };
        let plan = match transport {
            Transport::Encrypted => {
                let token = Some(AccessToken::random().to_hex().to_string());
                Plan { token, encryption: true, ..plan }
            }
            _ => plan,
        };
        Self::at(address, plan)
    }

    /// A server under this address.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn at(address: Address, plan: Plan) -> Self {
        let host = Host::start(&address, &plan).expect("the server starts");
        Self { address, plan, host, _watchdog: Watchdog::new(TEST_TIME) }
    }

    /// Its test may take so much longer than any other.
    #[must_use]
    pub fn for_longer_by(mut self, time: Duration) -> Self {
        self._watchdog = Watchdog::new(TEST_TIME + time);
        self
    }

    /// Where it is.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// How it is.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// A new client.
    ///
    /// # Panics
    ///
    /// When it cannot connect.
    pub fn client(&self) -> WorkshopClient {
        self.builder().connect().expect("the client connects")
    }

    /// A new client's builder.
    pub fn builder(&self) -> ClientBuilder<WorkshopClient, Blocking> {
        self.plan.client(WorkshopClient::builder(self.endpoint()))
    }

    /// A new async client.
    ///
    /// # Panics
    ///
    /// When it cannot connect.
    pub fn async_client(&self) -> WorkshopAsyncClient {
        block_on(self.async_builder().connect()).expect("the client connects")
    }

    /// A new async client's builder.
    pub fn async_builder(&self) -> ClientBuilder<WorkshopAsyncClient, Async> {
        self.plan.async_client(WorkshopAsyncClient::builder(self.endpoint()))
    }

    /// Where to connect, for clients with options.
    pub fn endpoint(&self) -> Endpoint {
        self.address.endpoint()
    }

    /// Has the server do something that answers nothing.
    ///
    /// # Panics
    ///
    /// When it answers something.
    pub fn tell(&self, command: ServerCommand) {
        assert_eq!(self.host.tell(command), ServerReply::Done);
    }

    /// Shuts the server down; whether all calls were answered.
    ///
    /// # Panics
    ///
    /// When the server's process answers something else.
    pub fn shutdown(&self, deadline: Duration) -> bool {
        self.tell(ServerCommand::BeginShutdown(deadline));
        self.host.tell(ServerCommand::EndShutdown) == ServerReply::Was(true)
    }

    /// Disconnects a client; whether there was one of that number.
    pub fn disconnect(&self, client_id: u64) -> bool {
        self.host.tell(ServerCommand::Disconnect(client_id)) == ServerReply::Was(true)
    }

    /// The clients' numbers and processes.
    ///
    /// # Panics
    ///
    /// When the server's process answers something else.
    pub fn clients(&self) -> Vec<(u64, u32)> {
        match self.host.tell(ServerCommand::Clients) {
            ServerReply::Clients(clients) => clients,
            other => panic!("that was not the question: {other:?}"),
        }
    }

    /// What the server has counted.
    ///
    /// # Panics
    ///
    /// When the server's process answers something else.
    pub fn metrics(&self) -> Metrics {
        match self.host.tell(ServerCommand::Metrics) {
            ServerReply::Metrics(metrics) => metrics,
            other => panic!("that was not the question: {other:?}"),
        }
    }

    /// The spans that the server's process has seen.
    ///
    /// # Panics
    ///
    /// When the server's process answers something else.
    pub fn spans(&self) -> Vec<Seen> {
        match self.host.tell(ServerCommand::Spans) {
            ServerReply::Spans(spans) => spans,
            other => panic!("that was not the question: {other:?}"),
        }
    }

    /// The server's process.
    ///
    /// # Panics
    ///
    /// When it is this one.
    pub fn server_process(&self) -> MutexGuard<'_, Child> {
        match &self.host {
            Host::There(child) => child.lock().expect("nobody panics with it"),
            Host::Here(_) => panic!("the server is in this process"),
        }
    }

    /// Whoever runs the server.
    pub fn host(&self) -> &Host {
        &self.host
    }
}

/// Makes two tests of each function: one over the in-process transport, one over shared memory with
/// the server in another process.
#[macro_export]
macro_rules! over_both_transports {
    ($($(#[$attribute:meta])* fn $name:ident($transport:ident) $body:block)*) => {
        $($(#[$attribute])* fn $name($transport: $crate::site::Transport) $body)*
        $crate::over_both_transports! { $($name)* }
    };
    ($($name:ident)*) => {
        mod in_process {
            $(#[test] fn $name() { super::$name($crate::site::Transport::InProcess) })*
        }
        mod mmf {
            $(#[test] fn $name() { super::$name($crate::site::Transport::Mmf) })*
        }
    };
}

/// As [`over_both_transports!`], and a third over shared memory that is encrypted.
#[macro_export]
macro_rules! over_every_transport {
    ($($(#[$attribute:meta])* fn $name:ident($transport:ident) $body:block)*) => {
        $($(#[$attribute])* fn $name($transport: $crate::site::Transport) $body)*
        $crate::over_both_transports! { $($name)* }
        mod encrypted {
            $(#[test] fn $name() { super::$name($crate::site::Transport::Encrypted) })*
        }
    };
}
