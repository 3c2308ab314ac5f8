//! Whoever runs a server: this process, or another that is told what to do.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use witrpc::WitServer;

use super::address::Address;
use super::plan::Plan;
use crate::process::{Child, Parent};
use crate::roles::Role;
use crate::workshop::Bench;

/// Whether a server has started.
pub type Started = Result<(), String>;

/// What a server's process is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ServerCommand {
    /// To take no new clients.
    StopAccepting,
    /// To shut down within a time.
    Shutdown(Duration),
    /// To disconnect a client.
    Disconnect(u64),
    /// To list the clients.
    Clients,
    /// To drop the server, and live on.
    Drop,
    /// To wait for the server's end.
    Wait,
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
}

/// Does to a server what was asked for.
fn obey(server: &mut Option<WitServer>, command: ServerCommand) -> ServerReply {
    if let ServerCommand::Drop = command {
        drop(server.take());
        return ServerReply::Done;
    }
    let server = server.as_ref().expect("the server has not been dropped");
    let handle = server.handle();
    match command {
        ServerCommand::StopAccepting => handle.stop_accepting(),
        ServerCommand::Wait => server.wait(),
        ServerCommand::Shutdown(deadline) => return ServerReply::Was(handle.shutdown(deadline)),
        ServerCommand::Disconnect(client) => return ServerReply::Was(handle.disconnect(client)),
        ServerCommand::Clients => {
            let clients = handle.clients();
            return ServerReply::Clients(clients.iter().map(|c| (c.id, c.pid)).collect());
        }
        ServerCommand::Drop => unreachable!("handled above"),
    }
    ServerReply::Done
}

/// Whoever runs the server of a site.
#[derive(Debug)]
pub enum Host {
    /// This process.
    Here {
        /// The server, until it is dropped.
        server: Mutex<Option<WitServer>>,
        /// Its service.
        bench: Arc<Bench>,
    },
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
            let bench = Arc::<Bench>::default();
            let server = plan.start(address, &bench).map_err(|error| error.to_string())?;
            return Ok(Self::Here { server: Mutex::new(Some(server)), bench });
        }
        let child = Child::start(&Role::Serve { address: address.clone(), plan: plan.clone() });
        let started: Started = child.hear();
        started.map(|()| Self::There(Mutex::new(child)))
    }

    /// Has the server do something.
    pub fn tell(&self, command: ServerCommand) -> ServerReply {
        match self {
            Self::Here { server, .. } => {
                obey(&mut server.lock().expect("nobody panics with it"), command)
            }
            Self::There(child) => child.lock().expect("nobody panics with it").ask(&command),
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Self::Here { bench, .. } = self {
            bench.gates().open_all();
        }
    }
}

/// The role of a server's process.
pub(crate) fn serve(parent: &Parent, address: &Address, plan: &Plan) {
    let bench = Arc::<Bench>::default();
    let started = plan.start(address, &bench);
    parent.report(&started.as_ref().map(drop).map_err(ToString::to_string));
    let mut server = started.ok();
    while server.is_some() {
        let reply = obey(&mut server, parent.hear());
        parent.report(&reply);
    }
    // Lives on without a server.
    parent.outlive();
}
