//! Calls that are given up, as the server sees them, over each kind of channel.

#![allow(clippy::disallowed_methods, reason = "tests may start threads")]

#[macro_use]
mod ways;

use std::ops::ControlFlow;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use witrpc_mmf::{
    Client, ClientOptions, Connection, INLINE_LEN, Name, Place, SendState, Server, ServerOptions,
};
use witrpc_transport::{
    Admission, Admitted, Body, ClientInfo, Fill, Limit, Outgoing, Request, Session, Ticket,
    WaitPolicy,
};

use ways::Way;

each_way! {
    a_call_that_is_given_up_is_cancelled_and_the_next_on_its_lane_is_not
    a_waker_is_woken_when_its_call_is_given_up
    an_unwatched_waker_is_not_woken
    the_end_of_a_client_cancels_what_it_has_pending
    a_deadline_arrives_with_every_kind_of_message
}

struct AdmitAll;

impl Admission for AdmitAll {
    fn admit(&self, _: &[u8], _: &ClientInfo) -> Admitted {
        Admitted::Welcome { welcome: Vec::new(), session: Session::new(Arc::new(())) }
    }

    fn left(&self, _: &ClientInfo, _: &Session) {}
}

/// A server with one client, which has one lane.
struct Site {
    server: Arc<Server>,
    client: Arc<Client>,
}

impl Site {
    fn new(way: Way) -> Self {
        let options = ServerOptions {
            backend: way.backend,
            size: 1 << 18,
            lanes: 1,
            max_clients: 1,
            max_message_len: 1 << 20,
            handshake_timeout: PATIENCE,
            trusted: None,
        };
        let name = Name::unguessable().unwrap();
        let server = Server::bind(
            name.clone(),
            &Place::default(),
            &options,
            Arc::new(AdmitAll),
            Arc::new(way.keys),
        );
        let options = ClientOptions {
            backend: way.backend,
            wait_for_server: Duration::ZERO,
            hello: Vec::new(),
            wait: WaitPolicy::Park,
            max_region_len: 1 << 20,
            max_answer_len: usize::MAX,
            handshake_timeout: PATIENCE,
            trusted: None,
        };
        let server = server.expect("the name is new");
        let client =
            Client::connect(&name, &Place::default(), &options, &way.keys).expect("it is served");
        Self { server, client }
    }

    fn send(&self) -> Ticket {
        self.client.try_send(EMPTY).expect("it is connected").expect("the lane is free")
    }

    /// Takes the next request, with its connection.
    fn take(&self) -> (Arc<Connection>, Request) {
        let mut taken = None;
        let mut scanner = self.server.scanner();
        while taken.is_none() {
            scanner.turn(None, |connection, request| {
                taken = Some((Arc::clone(connection), request));
                ControlFlow::Break(())
            });
            if taken.is_none() && !scanner.request_wakeup(None) {
                self.server.park(Some(Duration::from_millis(1)));
            }
        }
        taken.expect("the loop ends with one")
    }

    /// Parks, and so handles rings, until the waker has been woken.
    fn park_until_woken(&self, woken: &Receiver<()>) {
        let start = Instant::now();
        while woken.try_recv().is_err() {
            assert!(start.elapsed() < PATIENCE, "the waker was not woken");
            self.server.park(Some(Duration::from_millis(10)));
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.server.close();
    }
}

const PATIENCE: Duration = Duration::from_secs(60);

const EMPTY: Outgoing<'_> = Outgoing::new(1, Body::Small { padded: &[0; INLINE_LEN], len: 0 });

fn telling() -> (Waker, Receiver<()>) {
    struct Tells(Mutex<mpsc::Sender<()>>);
    impl Wake for Tells {
        fn wake(self: Arc<Self>) {
            let _ = self.0.lock().expect("no thread panics with it").send(());
        }
    }
    let (tell, told) = mpsc::channel();
    (Waker::from(Arc::new(Tells(Mutex::new(tell)))), told)
}

fn a_call_that_is_given_up_is_cancelled_and_the_next_on_its_lane_is_not(way: Way) {
    let site = Site::new(way);
    for _ in 0..3 {
        let ticket = site.send();
        let (connection, request) = site.take();
        assert!(!connection.is_cancelled(request.ticket));
        site.client.abandon(ticket);
        assert!(connection.is_cancelled(request.ticket));
        connection.answer(request.ticket, EMPTY).expect("the client is there");

        let ticket = site.client.try_send(EMPTY).expect("it is connected");
        let ticket = ticket.unwrap_or_else(|| send_when_free(&site.client, EMPTY));
        let (connection, request) = site.take();
        assert!(!connection.is_cancelled(request.ticket), "a call that was not given up");
        connection.answer(request.ticket, EMPTY).expect("the client is there");
        let answered = site.client.wait_answer(ticket, &mut Limit::Never, |answer| answer.tag);
        assert_eq!(answered, Ok(1));
    }
}

fn a_waker_is_woken_when_its_call_is_given_up(way: Way) {
    let site = Site::new(way);
    let ticket = site.send();
    let (connection, request) = site.take();
    let (first, first_woken) = telling();
    let (second, second_woken) = telling();
    connection.watch(request.ticket, &first);
    connection.watch(request.ticket, &second);
    assert!(first_woken.try_recv().is_err());
    site.client.abandon(ticket);
    site.park_until_woken(&first_woken);
    site.park_until_woken(&second_woken);
    // From now on a new waker is woken at once.
    let (late, late_woken) = telling();
    connection.watch(request.ticket, &late);
    assert_eq!(late_woken.try_recv(), Ok(()));
}

fn an_unwatched_waker_is_not_woken(way: Way) {
    let site = Site::new(way);
    let ticket = site.send();
    let (connection, request) = site.take();
    let (gone, gone_woken) = telling();
    let key = connection.watch(request.ticket, &gone);
    connection.unwatch(key);
    drop(gone);
    assert_eq!(gone_woken.try_recv(), Err(mpsc::TryRecvError::Disconnected), "the waker is kept");
    // The epoch that the first waker has left does not keep the second from being woken.
    let (stays, stays_woken) = telling();
    connection.watch(request.ticket, &stays);
    site.client.abandon(ticket);
    site.park_until_woken(&stays_woken);
}

fn the_end_of_a_client_cancels_what_it_has_pending(way: Way) {
    let site = Site::new(way);
    site.send();
    let (connection, request) = site.take();
    let (waker, woken) = telling();
    connection.watch(request.ticket, &waker);
    assert!(!connection.is_cancelled(request.ticket));
    site.client.disconnect();
    woken.recv_timeout(PATIENCE).expect("it is woken");
    assert!(connection.is_cancelled(request.ticket));
}

fn a_deadline_arrives_with_every_kind_of_message(way: Way) {
    let site = Site::new(way);
    let now = Instant::now();
    for len in [0, 1_000, 1 << 20] {
        for deadline in [Some(now + Duration::from_secs(1_000)), None] {
            std::thread::scope(|scope| {
                scope.spawn(|| send_and_wait(&site.client, len, deadline));
                let (connection, request) = site.take();
                connection.answer(request.ticket, EMPTY).expect("the client is there");
                let told = request.deadline.map(|at| at.saturating_duration_since(now).as_secs());
                // Two clocks are read one after the other, so the result is not exact.
                assert!(matches!(told, None | Some(900..=1_100)), "{told:?}");
                assert_eq!(told.is_some(), deadline.is_some(), "{len} bytes");
            });
        }
    }
}

struct Zeros(usize);

impl Fill for Zeros {
    fn len(&self) -> usize {
        self.0
    }

    fn write_at(&self, _: usize, out: &mut [u8]) {
        out.fill(0);
    }
}

/// Sends as soon as there are a lane and space for it.
fn send_when_free(client: &Arc<Client>, message: Outgoing<'_>) -> Ticket {
    struct Unpark(std::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let mut sending = SendState::default();
    let mut limit = Limit::Within(PATIENCE);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut cx = Context::from_waker(&waker);
    loop {
        match client.poll_send(&mut cx, &mut sending, message, &mut limit) {
            Poll::Ready(sent) => return sent.expect("there is a lane in time"),
            Poll::Pending => std::thread::park(),
        }
    }
}

fn send_and_wait(client: &Arc<Client>, len: usize, deadline: Option<Instant>) {
    let fill = Zeros(len);
    let body = if len == 0 { EMPTY.body } else { Body::Large(&fill) };
    let ticket = send_when_free(client, Outgoing::new(1, body).with_deadline(deadline));
    client.wait_answer(ticket, &mut Limit::Within(PATIENCE), |_| ()).expect("it is answered");
}
