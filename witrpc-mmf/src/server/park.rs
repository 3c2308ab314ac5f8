//! How idle threads of the server sleep, and what a ring of a client leads to.

use std::sync::Arc;
use std::sync::atomic::Ordering::AcqRel;
use std::time::Duration;

use crate::link::state;
use crate::sys::doorbell::Drained;

use super::parking::OnWake;
use super::{Connection, Server};

/// The rule that a client breaks by passing descriptors with a ring.
const NO_RING: &str = "more than a ring by the doorbell";

impl Server {
    /// Sleeps until a doorbell rings or the time is over. With the portable backend, a look that
    /// finds something ends the sleep instead of a ring.
    pub fn park(&self, timeout: Option<Duration>) {
        if !self.origin.is_forked() {
            self.parking.sleep(timeout, self);
        }
    }

    /// Reports that a connection has rung, or would have.
    fn draw_attention(&self, connection: &Arc<Connection>) {
        // A report that has not been read yet serves this ring too. AcqRel, here and in
        // `read_signal`: the reader sees what this ring was for.
        if !connection.attention.swap(true, AcqRel) {
            self.report(connection.id());
        }
    }
}

impl OnWake for Server {
    fn on_ring(&self, id: u64) {
        let connection = self.connections().get(&id).cloned();
        let Some(connection) = connection else { return };
        match connection.half.doorbell.drain() {
            Drained::Quiet => {
                connection.wake_cancelled();
                self.draw_attention(&connection);
            }
            // The client is dying, which its link will show too. Or it closed the doorbell alone,
            // and cannot go on: it could not ring for its calls.
            Drained::HungUp => drop(self.end(&connection, state::ACCUSED)),
            Drained::ReceivedFd => self.accuse(&connection, NO_RING),
        }
    }

    /// Looks at all connections as if each had rung, and reports those that need a thread.
    fn look_out(&self, slow: bool) -> bool {
        let mut found = false;
        for connection in self.clients() {
            // The client may have released blocks, or given calls up.
            connection.flush_queue();
            connection.wake_cancelled();
            let waiting = connection.anything_to_take(None).then(|| connection.taken_in_all());
            let is_asked_to_ring = || connection.is_asked_to_ring();
            if connection.last_look.needs_thread(waiting, slow, is_asked_to_ring) {
                self.draw_attention(&connection);
                found = true;
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use witrpc_transport::{
        Admission, Admitted, ClientInfo, DisconnectReason, Plain, Session, WaitPolicy,
    };

    use crate::client::{Client, ClientOptions};
    use crate::memory::copy::PeerMemory;
    use crate::memory::layout::STATE;
    use crate::memory::region;
    use crate::memory::words::ReadWord;
    use crate::name::Name;
    use crate::portable::Backend;
    use crate::rendezvous::tests::bombs::Bomb;
    use crate::rendezvous::tests::in_own_process;
    use crate::rendezvous::{ConnectOptions, Place, connect};
    use crate::server::ServerOptions;
    use crate::sys::fd_closer::ReceivedFd;
    use crate::sys::fork::Descriptor;

    use super::*;

    struct AdmitAll;

    impl Admission for AdmitAll {
        fn admit(&self, _: &[u8], _: &ClientInfo) -> Admitted {
            Admitted::Welcome { welcome: Vec::new(), session: Session::new(Arc::new(())) }
        }
    }

    const PATIENCE: Duration = Duration::from_secs(60);

    fn bind() -> Arc<Server> {
        let options = ServerOptions {
            backend: Backend::Native,
            size: 1 << 17,
            lanes: 1,
            max_clients: 1,
            max_message_len: 64,
            handshake_timeout: PATIENCE,
            trusted: None,
        };
        let name = Name::unguessable().unwrap();
        Server::bind(name, &Place::default(), &options, Arc::new(AdmitAll), Arc::<Plain>::default())
            .expect("it is free")
    }

    fn state_in(region: &PeerMemory) -> u64 {
        region.head_word(STATE).load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Returns the names of the threads of the library.
    fn threads() -> Vec<String> {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap().map_while(Result::ok);
        let names = tasks.filter_map(|it| std::fs::read_to_string(it.path().join("comm")).ok());
        names.filter(|name| name.starts_with("witrpc-")).collect()
    }

    #[test]
    fn a_server_that_ends_waits_for_threads_that_close_what_peers_passed() {
        let test = "server::park::tests::\
                    a_server_that_ends_waits_for_threads_that_close_what_peers_passed";
        in_own_process(test, || {
            let server = bind();
            let Bomb { socket, fuse } = Bomb::hidden();
            drop(ReceivedFd::new(Descriptor::open(|| Ok::<_, ()>(socket)).unwrap()));
            server.close();
            let soon = Instant::now() + Duration::from_millis(100);
            assert!(!server.join(Some(soon)), "of {:?}", threads());
            drop(fuse);
            assert!(server.join(None));
            assert_eq!(threads(), Vec::<String>::new());
        });
    }

    #[test]
    fn a_client_that_closes_its_bell_alone_is_disconnected() {
        let server = bind();
        let options = ConnectOptions {
            backend: Backend::Native,
            hello: b"",
            wait_for_server: Duration::ZERO,
            max_region_len: 1 << 20,
            handshake_timeout: PATIENCE,
            initiator: &Plain::default(),
        };
        let connected = connect(&server.name, &Place::default(), &options);
        let mut client = connected.expect("it is served");
        let layout = server.layout;
        let region = region::peer(client.established.peer, &layout);
        assert_eq!(state_in(&region), state::SERVING);
        drop(client.established.doorbell.take());
        while !server.clients().is_empty() {
            server.park(Some(Duration::from_millis(1)));
        }
        assert_eq!(state_in(&region), state::ACCUSED);
        // The client may have died, so this does not count as a broken rule.
        assert_eq!(server.broken(), (0, None));
        server.close();
    }

    #[test]
    fn a_client_leaves_a_server_that_closes_its_bell_alone() {
        let server = bind();
        let options = ClientOptions {
            backend: Backend::Native,
            wait_for_server: Duration::ZERO,
            hello: Vec::new(),
            wait: WaitPolicy::Park,
            max_region_len: 1 << 20,
            max_answer_len: usize::MAX,
            handshake_timeout: PATIENCE,
            trusted: None,
        };
        let client = Client::connect(&server.name, &Place::default(), &options, &Plain::default());
        let client = client.expect("it is served");
        let connection = server.clients().remove(0);
        let doorbell = connection.half.doorbell.end();
        let doorbell = doorbell.as_ref().expect("the backend has one");
        rustix::net::shutdown(doorbell, rustix::net::Shutdown::Both).expect("it is a socket");
        while client.lost().is_none() {
            std::thread::yield_now();
        }
        // A death may show at the doorbell first, so the client takes this for one.
        assert_eq!(client.lost(), Some(DisconnectReason::PeerDied));
        server.close();
    }
}
