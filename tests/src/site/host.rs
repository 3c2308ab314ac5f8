//! Whoever runs a server: this process, or another that is told what to do.

use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use witrpc::{Metrics, StopReason, WitServer};

use super::address::Address;
use super::plan::Plan;
use crate::process::{Child, Parent};
use crate::resources::{limit_memory, refuse_threads};
use crate::restriction::Restriction;
use crate::roles::Role;
use crate::spans::{self, Seen};
use crate::workshop::Bench;

/// Whether a server has started.
pub type Started = Result<(), String>;

/// What a server's process is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ServerCommand {
    /// To take no new clients.
    StopAccepting,
    /// To begin to shut down, within a time.
    BeginShutdown(Duration),
    /// To say what came of the shutdown.
    EndShutdown,
    /// To open a gate of the workshop, which no call can do while the server shuts down.
    Open(u64),
    /// To disconnect a client.
    Disconnect(u64),
    /// To list the clients.
    Clients,
    /// To say what it has counted.
    Metrics,
    /// To list the spans that its process has seen.
    Spans,
    /// To drop the server, and live on.
    Drop,
    /// To wait for the server's end.
    Wait,
    /// To get no more memory than it has, but so many bytes.
    LimitMemory(u64),
    /// To be forbidden something from here on.
    Restrict(Restriction),
    /// To get no more threads than it has.
    RefuseThreads,
}

/// What it replies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServerReply {
    /// It is done.
    Done,
    /// Whether it could be done.
    Was(bool),
    /// The clients' numbers and processes.
    Clients(Vec<(u64, u32)>),
    /// What it has counted.
    Metrics(Metrics),
    /// What its process has seen.
    Spans(Vec<Seen>),
}

/// A server and its service.
#[derive(Debug)]
pub struct Running {
    /// Until it is dropped.
    server: Option<WitServer>,
    bench: Arc<Bench>,
    /// Whether all calls were answered, from the thread that shuts down.
    shutdown: Option<JoinHandle<bool>>,
}

impl Running {
    fn start(address: &Address, plan: &Plan) -> Result<Self, String> {
        let bench = Arc::default();
        let server = plan.start(address, &bench).map_err(|error| error.to_string())?;
        Ok(Self { server: Some(server), bench, shutdown: None })
    }

    fn obey(&mut self, command: ServerCommand) -> ServerReply {
        let server = self.server.as_ref().expect("the server has not been dropped");
        let handle = server.handle();
        match command {
            ServerCommand::StopAccepting => handle.stop_accepting(),
            ServerCommand::BeginShutdown(deadline) => {
                self.shutdown = Some(thread::spawn(move || handle.shutdown(deadline)));
            }
            ServerCommand::EndShutdown => {
                let shutdown = self.shutdown.take().expect("it has begun");
                return ServerReply::Was(shutdown.join().expect("a shutdown does not panic"));
            }
            ServerCommand::Open(gate) => self.bench.gates().open(gate),
            ServerCommand::Disconnect(client) => {
                return ServerReply::Was(handle.disconnect(client));
            }
            ServerCommand::Clients => {
                let clients = handle.clients();
                return ServerReply::Clients(clients.iter().map(|c| (c.id, c.pid)).collect());
            }
            ServerCommand::Metrics => return ServerReply::Metrics(handle.metrics()),
            ServerCommand::Spans => return ServerReply::Spans(spans::seen()),
            ServerCommand::Drop => drop(self.server.take()),
            ServerCommand::Wait => assert_eq!(server.wait(), StopReason::ShutDown),
            ServerCommand::LimitMemory(bytes) => limit_memory(bytes),
            ServerCommand::Restrict(restriction) => restriction.impose(),
            ServerCommand::RefuseThreads => refuse_threads(),
        }
        ServerReply::Done
    }
}

impl Drop for Running {
    /// No handler outlives its test.
    fn drop(&mut self) {
        self.bench.gates().open_all();
    }
}

/// Whoever runs the server of a site.
#[derive(Debug)]
pub enum Host {
    /// This process.
    Here(Mutex<Running>),
    /// Another one.
    There(Mutex<Child>),
}

impl Host {
    /// Starts a server in this process, or in another one if it is to be reached through shared
    /// memory.
    ///
    /// # Errors
    ///
    /// What the server's builder says.
    pub fn start(address: &Address, plan: &Plan) -> Result<Self, String> {
        if let Address::InProcess { .. } = address {
            return Ok(Self::Here(Mutex::new(Running::start(address, plan)?)));
        }
        let child = Child::start(&Role::Serve { address: address.clone(), plan: plan.clone() });
        let started: Started = child.hear();
        started.map(|()| Self::There(Mutex::new(child)))
    }

    /// Has the server do something.
    ///
    /// # Panics
    ///
    /// When its process has ended.
    pub fn tell(&self, command: ServerCommand) -> ServerReply {
        match self {
            Self::Here(running) => running.lock().expect("nobody panics with it").obey(command),
            Self::There(child) => child.lock().expect("nobody panics with it").ask(&command),
        }
    }
}

/// The role of a server's process.
pub(crate) fn serve(parent: &Parent, address: &Address, plan: &Plan) {
    spans::collect();
    let running = Running::start(address, plan);
    parent.report(&running.as_ref().map(drop));
    let Ok(mut running) = running else { parent.outlive() };
    while running.server.is_some() {
        let reply = running.obey(parent.hear());
        parent.report(&reply);
    }
    // Lives on without a server.
    parent.outlive();
}
