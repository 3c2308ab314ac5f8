//! A server with several endpoints: its threads serve all of them at once.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use witrpc::{Endpoint, InProcess, Mmf, Socket, WitServer, wit_service};

const PATIENCE: Duration = Duration::from_secs(120);

#[wit_service]
trait Meeting {
    /// Waits until this many calls are there.
    fn meet(&self, count: u64) -> u64;
    fn emit(&self);
    #[wit(event)]
    fn emitted(&self);
}

struct Hall {
    met: AtomicU64,
    events: MeetingEvents,
}

impl Meeting for Hall {
    fn meet(&self, count: u64) -> u64 {
        self.met.fetch_add(1, SeqCst);
        while self.met.load(SeqCst) < count {
            thread::yield_now();
        }
        count
    }

    fn emit(&self) {
        self.events.emitted().expect("it can be encoded");
    }
}

fn endpoints() -> [Endpoint; 3] {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let number = LAST.fetch_add(1, SeqCst);
    let path = std::env::temp_dir().join(format!("witrpc-several-{}-{number}", std::process::id()));
    [InProcess::new().into(), Socket::at(path).into(), Mmf::unguessable().into()]
}

/// Starts a server whose first endpoint is the one of this number.
fn serve(endpoints: &[Endpoint; 3], first: usize) -> WitServer {
    let endpoint = |number: usize| endpoints[(first + number) % 3].clone();
    let service = MeetingServer::with_events(|events| Hall { met: AtomicU64::new(0), events });
    let server = WitServer::builder().listen(endpoint(0)).also_listen(endpoint(1));
    server.also_listen(endpoint(2)).service(service).max_workers(8).start().expect("all are free")
}

#[test]
fn a_handler_of_one_endpoint_keeps_no_call_of_another_waiting() {
    let endpoints = endpoints();
    for first in 0..3 {
        let server = serve(&endpoints, first);
        let clients = endpoints.each_ref().map(|endpoint| {
            MeetingClient::builder(endpoint.clone())
                .call_timeout(PATIENCE)
                .connect()
                .expect("it is served")
        });
        assert_eq!(server.clients().len(), 3);
        for round in 1..=50_u64 {
            thread::scope(|scope| {
                let calls = clients.each_ref().map(|client| scope.spawn(|| client.meet(3 * round)));
                for call in calls {
                    assert_eq!(call.join().expect("no caller panics"), Ok(3 * round));
                }
            });
        }
        assert!(server.shutdown(PATIENCE), "all threads of all endpoints end");
    }
}

#[test]
fn events_and_ends_reach_the_clients_of_all_endpoints() {
    let endpoints = endpoints();
    let server = serve(&endpoints, 1);
    let clients = endpoints.each_ref().map(|endpoint| {
        MeetingClient::builder(endpoint.clone())
            .call_timeout(PATIENCE)
            .connect()
            .expect("it is served")
    });
    let subscribed = clients.each_ref().map(|client| client.emitted().expect("it subscribes"));
    clients[0].emit().expect("it is answered");
    for mut events in subscribed {
        assert!(events.next().is_some_and(|event| event.is_ok()));
    }
    for client in server.clients() {
        assert!(server.disconnect(client.id));
    }
    for client in &clients {
        while client.connection().is_connected() {
            thread::yield_now();
        }
    }
    assert!(server.clients().is_empty());
    assert!(server.shutdown(PATIENCE));
    assert!(MeetingClient::connect(endpoints[0].clone()).is_err());
}

#[test]
fn an_endpoint_that_is_taken_frees_the_others() {
    let [first, second, _] = endpoints();
    let taken = WitServer::builder().listen(second.clone());
    let hall = |events| Hall { met: AtomicU64::new(0), events };
    let taken = taken.service(MeetingServer::with_events(hall)).start().expect("it is free");
    let both = || {
        let server = WitServer::builder().listen(first.clone()).also_listen(second.clone());
        server.service(MeetingServer::with_events(hall)).start()
    };
    assert!(both().is_err());
    drop(taken);
    assert!(both().is_ok());
}
