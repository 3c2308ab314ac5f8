//! Both ends of the kit, driven by hand as a transport does it, with peers that break the rules.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use witrpc_transport::{
    Admission, Admitted, Answer, Body, ChannelError, ClientChannel, ClientInfo, DisconnectReason,
    Limit, MAX_HELLO_LEN, Outgoing, Payload, Peer, Request, SMALL_LEN, Sending, ServerPort,
    Session, Shutdown, TAG_BITS, Ticket, pad, serve_by,
};

use crate::error::ConnectError;
use crate::transport::BindConfig;

use super::{
    AnswerHandle, AnswerSink, ClientQueue, ConnectionHandle, End, Limits, MeetingPoint,
    RequestSink, ServerQueue,
};

/// What has come to a sink or a meeting point, in words.
#[derive(Clone, Default)]
struct Record(Arc<Mutex<Vec<String>>>);

impl Record {
    fn add(&self, word: String) {
        self.0.lock().unwrap().push(word);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl RequestSink for Record {
    fn send(&self, request: Request) {
        self.add(format!("request {}", request.ticket.seq));
    }

    fn cancel(&self, ticket: Ticket) {
        self.add(format!("cancel {}", ticket.seq));
    }

    fn close(&self) {
        self.add("close".to_owned());
    }
}

impl AnswerSink for Record {
    fn send(&self, ticket: Ticket, answer: Answer) {
        self.add(format!("answer {} of tag {}", ticket.seq, answer.tag));
    }

    fn drain(&self) {
        self.add("drain".to_owned());
    }

    fn close(&self, end: End) {
        self.add(format!("{end:?}"));
    }
}

impl MeetingPoint for Record {
    fn close(&self) {
        self.add("closed".to_owned());
    }
}

impl Admission for Record {
    fn admit(&self, hello: &[u8], _: &ClientInfo) -> Admitted {
        match hello {
            b"friend" => Admitted::Welcome {
                welcome: b"come in".to_vec(),
                session: Session::new(Arc::new(())),
            },
            _ => Admitted::Refusal(b"stay out".to_vec()),
        }
    }

    fn left(&self, _: &ClientInfo, _: &Session) {
        self.add("left".to_owned());
    }
}

const LIMITS: Limits = Limits { lanes: 2, max_clients: 1, max_message_size: 100 };

fn serve(record: &Record) -> Arc<ServerQueue> {
    let config = BindConfig::new(Arc::new(record.clone()));
    ServerQueue::new(Arc::new(record.clone()), config, LIMITS).expect("the limits are in range")
}

fn connect(server: &Arc<ServerQueue>, record: &Record) -> ConnectionHandle {
    let (welcome, handle) =
        server.connect(b"friend", ClientInfo::new(1, 2), record.clone()).expect("there is room");
    assert_eq!(welcome, b"come in");
    handle
}

fn ticket(seq: u64) -> Ticket {
    Ticket::new(0, seq)
}

fn request(seq: u64) -> Request {
    Request::new(ticket(seq), 0, Payload::default(), None)
}

fn small(tag: u32) -> Outgoing<'static> {
    const BODY: [u8; SMALL_LEN] = pad(b"body");
    Outgoing::new(tag, Body::Small { padded: &BODY, len: 4 })
}

/// Takes the next request.
fn take(server: &ServerQueue) -> Option<(Arc<dyn Peer>, Ticket)> {
    let mut taken = None;
    server.scanner().turn(
        None,
        &mut serve_by(|peer, request| {
            taken = Some((Arc::clone(peer), request.ticket));
            ControlFlow::Break(())
        }),
    );
    taken
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn a_server_takes_nothing_that_no_honest_client_sends() {
    let record = Record::default();
    let server = serve(&record);
    let handle = connect(&server, &record);
    let wrong = [
        Request::new(Ticket::new(1, 1), 0, Payload::default(), None),
        request(1 << 48),
        Request::new(ticket(1), 1 << TAG_BITS, Payload::default(), None),
        Request::new(ticket(1), 0, Payload::Whole(vec![0; 101]), None),
    ];
    let is_refused = |result| matches!(result, Err(ChannelError::Misbehaved(_)));
    for wrong in wrong {
        assert!(is_refused(handle.request(wrong)));
    }
    assert!(take(&server).is_none());
    assert_eq!(handle.request(request(1)), Ok(()));
    assert!(is_refused(handle.request(request(1))), "it is unanswered");
    assert_eq!(handle.request(request(2)), Ok(()));
    assert!(is_refused(handle.request(request(3))), "there are two lanes");

    let (peer, first) = take(&server).expect("it has arrived");
    assert_eq!(peer.answer(first, small(7)), Ok(()));
    assert!(peer.answer(first, small(7)).is_err(), "it has been answered");
    assert_eq!(handle.request(request(3)), Ok(()), "a lane is free");
    assert_eq!(record.take(), ["answer 1 of tag 7"]);
}

#[test]
fn a_watcher_of_a_call_is_woken_when_it_is_given_up_or_its_client_goes() {
    let record = Record::default();
    let server = serve(&record);
    let handle = connect(&server, &record);
    let woken = [(); 2].map(|()| Arc::<Count>::default());
    for (seq, count) in (1..).zip(&woken) {
        handle.request(request(seq)).unwrap();
        let (peer, ticket) = take(&server).expect("it has arrived");
        peer.watch(ticket, &Waker::from(Arc::clone(count)));
    }
    let wakes = || [0, 1].map(|place: usize| woken[place].0.load(SeqCst));
    handle.cancel(ticket(9));
    assert_eq!(wakes(), [0, 0]);
    handle.cancel(ticket(1));
    assert_eq!(wakes(), [1, 0]);
    drop(handle);
    assert_eq!(wakes(), [1, 1]);
    assert_eq!(record.take(), ["left"], "the sink is told nothing: the client has gone");
    assert_eq!(server.clients(), []);
}

#[test]
fn each_end_of_a_server_is_told_once_and_is_its_last_word() {
    let record = Record::default();
    let server = serve(&record);
    let refused = server.connect(b"foe", ClientInfo::new(1, 2), record.clone());
    assert!(matches!(refused, Err(ConnectError::Refused(why)) if why == b"stay out"));
    let long = vec![0; MAX_HELLO_LEN + 1];
    let refused = server.connect(&long, ClientInfo::new(1, 2), record.clone());
    assert!(matches!(refused, Err(ConnectError::Protocol { .. })));
    let handle = connect(&server, &record);
    let second = server.connect(b"friend", ClientInfo::new(1, 2), record.clone());
    assert!(matches!(second, Err(ConnectError::TooManyClients)));
    assert!(server.disconnect(handle.client().id));
    assert_eq!(record.take(), ["Dismissed", "left"]);
    assert!(handle.request(request(1)).is_err());
    drop(handle);

    let handle = connect(&server, &record);
    handle.request(request(1)).unwrap();
    let (peer, taken) = take(&server).expect("it has arrived");
    server.drain();
    server.close(Shutdown::Drained);
    server.close(Shutdown::Now);
    assert!(peer.answer(taken, small(0)).is_err(), "the last word has been said");
    drop((handle, server));
    assert_eq!(record.take(), ["drain", "Drained", "left", "closed", "closed", "closed"]);
}

fn client(record: &Record) -> (Arc<ClientQueue>, AnswerHandle) {
    ClientQueue::new(b"come in".to_vec(), LIMITS, record.clone())
}

#[test]
fn a_client_takes_nothing_that_no_honest_server_sends() {
    let record = Record::default();
    let (client, handle) = client(&record);
    let sent = client.try_send(small(0)).unwrap().expect("a lane is free");
    let is_refused = |result| matches!(result, Err(ChannelError::Misbehaved(_)));
    let long = Answer::new(0, Payload::Whole(vec![0; 101]));
    assert!(is_refused(handle.answer(sent, long)));
    let tagged = Answer::new(1 << TAG_BITS, Payload::default());
    assert!(is_refused(handle.answer(sent, tagged)));
    assert!(is_refused(handle.answer(ticket(9), Answer::default())));
    assert_eq!(handle.answer(sent, Answer::default()), Ok(()));
    assert!(is_refused(handle.answer(sent, Answer::default())), "once is enough");
    assert_eq!(client.wait_answer(sent, &mut Limit::Never, &mut Answer::default()), Ok(()));
}

#[test]
fn a_request_that_did_not_reach_the_server_ends_its_call_alone() {
    let record = Record::default();
    let (client, handle) = client(&record);
    let [lost, other] = [(); 2].map(|()| client.try_send(small(0)).unwrap().expect("a lane"));
    assert_eq!(handle.undelivered(lost), Ok(()));
    assert!(handle.undelivered(lost).is_err(), "once is enough");
    let wait = |ticket| client.wait_answer(ticket, &mut Limit::Never, &mut Answer::default());
    assert_eq!(wait(lost), Err(ChannelError::NotDelivered));
    assert_eq!(client.lost(), None);
    assert!(client.try_send(small(0)).unwrap().is_some(), "its lane is free");
    handle.answer(other, Answer::default()).unwrap();
    assert_eq!(wait(other), Ok(()));
}

#[test]
fn the_server_is_told_of_calls_that_are_given_up_once_they_are_sent() {
    let record = Record::default();
    let (client, handle) = client(&record);
    let [first, second] = [(); 2].map(|()| client.try_send(small(0)).unwrap().expect("a lane"));
    let mut cx = Context::from_waker(Waker::noop());
    let [mut waits, mut given_up] = <[Sending; 2]>::default();
    for sending in [&mut given_up, &mut waits] {
        assert!(client.poll_send(&mut cx, sending, small(0), &mut Limit::Never).is_pending());
    }
    client.abandon(given_up.ticket.unwrap());
    client.abandon(first);
    assert_eq!(record.take(), ["request 1", "request 2", "cancel 1"]);
    handle.answer(first, Answer::default()).unwrap();
    assert_eq!(record.take(), ["request 4"], "what was given up in the queue never goes");
    handle.answer(second, Answer::default()).unwrap();
    client.abandon(second);
    assert_eq!(record.take(), Vec::<String>::new(), "it was answered");
}

/// A sink with such a quick server that the caller gives up while the request is on its way.
struct GivesUp {
    record: Record,
    client: Mutex<Option<(Arc<ClientQueue>, Ticket)>>,
}

impl RequestSink for Arc<GivesUp> {
    fn send(&self, request: Request) {
        let given_up = self.client.lock().unwrap().take();
        if let Some((client, ticket)) = given_up {
            assert_eq!(ticket, request.ticket);
            client.abandon(ticket);
        }
        RequestSink::send(&self.record, request);
    }

    fn cancel(&self, ticket: Ticket) {
        self.record.cancel(ticket);
    }

    fn close(&self) {}
}

#[test]
fn a_call_that_is_given_up_as_it_gets_its_lane_is_cancelled_behind_its_request() {
    let sink = Arc::new(GivesUp { record: Record::default(), client: Mutex::default() });
    let (client, handle) = ClientQueue::new(Vec::new(), LIMITS, Arc::clone(&sink));
    let first = client.try_send(small(0)).unwrap().expect("a lane is free");
    client.try_send(small(0)).unwrap().expect("a lane is free");
    let (mut cx, mut queued) = (Context::from_waker(Waker::noop()), Sending::default());
    let sent = client.poll_send(&mut cx, &mut queued, small(0), &mut Limit::Never);
    assert_eq!(sent, Poll::Pending);
    let ticket = queued.ticket.expect("a call that waits has one");
    *sink.client.lock().unwrap() = Some((Arc::clone(&client), ticket));
    sink.record.take();
    handle.answer(first, Answer::default()).unwrap();
    assert_eq!(sink.record.take(), ["cancel 3", "request 3", "cancel 3"]);
}

#[test]
fn every_end_has_its_reason_and_its_code() {
    use ChannelError::Disconnected;
    for (end, pending, later) in [
        (
            End::Dismissed,
            Disconnected(DisconnectReason::Dismissed),
            Disconnected(DisconnectReason::Dismissed),
        ),
        (
            End::ShutDown,
            Disconnected(DisconnectReason::ServerShutDown),
            Disconnected(DisconnectReason::ServerShutDown),
        ),
        (End::Drained, ChannelError::ShuttingDown, ChannelError::ShuttingDown),
        (End::Died, ChannelError::PeerDied, Disconnected(DisconnectReason::PeerDied)),
        (
            End::Unreachable,
            Disconnected(DisconnectReason::Unreachable),
            Disconnected(DisconnectReason::Unreachable),
        ),
    ] {
        let record = Record::default();
        let (client, handle) = client(&record);
        let sent = client.try_send(small(0)).unwrap().expect("a lane is free");
        handle.end(End::from_code(end.code()));
        drop(handle);
        let waited = client.wait_answer(sent, &mut Limit::Never, &mut Answer::default());
        assert_eq!(waited, Err(pending));
        assert_eq!(client.try_send(small(0)), Err(later));
    }
    assert_eq!(End::from_code(200), End::Misbehaved);
    let (client, handle) = client(&Record::default());
    drop(handle);
    assert_eq!(client.lost(), Some(Disconnected(DisconnectReason::PeerDied)));
}
