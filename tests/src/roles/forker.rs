//! The roles of processes that fork without exec.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use fork::Fork;
use serde::{Deserialize, Serialize};

use crate::process::Parent;
use crate::site::{Address, Plan};
use crate::workshop::{Bench, WorkshopClient};

/// What a forked child found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What came of a call on the connection that its parent had made.
    pub inherited: String,
    /// What came of a call on a connection of its own.
    pub own: String,
}

/// See [`Role::ForkClient`](super::Role::ForkClient). Reports what the child found, then the answer
/// to a call of the parent.
pub(super) fn client(parent: &Parent, address: &Address) {
    let client = WorkshopClient::connect(address.endpoint()).expect("the client connects");
    client.add(1, 2).expect("the server answers");
    let (mut here, mut there) = UnixStream::pair().expect("sockets can be had");
    match fork::fork().expect("this process may fork") {
        Fork::Child => {
            drop(here);
            let inherited = format!("{:?}", client.add(1, 2));
            drop(client);
            let own = WorkshopClient::connect(address.endpoint());
            let own = own.map_err(|error| error.to_string());
            let own = format!("{:?}", own.map(|client| client.add(3, 4)));
            let finding = serde_json::to_vec(&Finding { inherited, own }).expect("it is data");
            there.write_all(&finding).expect("the parent listens");
            drop(there);
            // The end of this process is no end of the parent's connection.
            std::process::exit(0);
        }
        Fork::Parent(child) => {
            drop(there);
            let mut finding = Vec::new();
            here.read_to_end(&mut finding).expect("the child writes");
            fork::waitpid(child).expect("the child ends");
            let finding: Finding = serde_json::from_slice(&finding).expect("the child reports");
            parent.report(&finding);
            parent.report(&client.add(1, 2).map_err(|error| error.to_string()));
        }
    }
    parent.outlive();
}

/// See [`Role::ForkServer`](super::Role::ForkServer). The child lives until its standard input
/// ends.
pub(super) fn server(parent: &Parent, address: &Address) {
    let server = Plan::default().start(address, &Arc::<Bench>::default());
    let server = server.expect("the server starts");
    parent.report(&());
    // Forks once somebody is connected.
    let () = parent.hear();
    match fork::fork().expect("this process may fork") {
        Fork::Child => {
            drop(server);
            println!("\"forked\"");
            // The pipe ends with the test. A copy of it: the lock of the standard input is held by a
            // thread of the parent that is not here.
            let input = std::io::stdin().as_fd().try_clone_to_owned().expect("it is open");
            let _ = File::from(input).read_to_end(&mut Vec::new());
            std::process::exit(0);
        }
        Fork::Parent(_) => parent.outlive(),
    }
}
