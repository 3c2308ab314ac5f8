//! A client's end that is slow to take requests, tampers with answers and lends nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use witrpc::transport::{
    Answer, BindConfig, ChannelError, ClientChannel, ConnectConfig, Limit, Outgoing, Payload,
    Sending, ServerPort, Ticket, Transport,
};
use witrpc::{
    BindError, CallContext, CallError, ConnectError, Endpoint, InProcess, Reconnect, Shared,
    WitServer, wit_service,
};

#[wit_service]
trait Echo {
    fn echo(&self, text: String) -> String;
    fn checked(&self, text: String) -> Result<u8, u8>;
    /// Where the frame lies, and what it holds.
    fn look(&self, frame: Shared<[u8]>) -> (u64, Vec<u8>);
    /// Returns a frame of `len` sevens.
    fn sevens(&self, #[wit(ctx)] cx: &CallContext, len: u64) -> Shared<[u8]>;
}

struct Wall;

impl Echo for Wall {
    fn echo(&self, text: String) -> String {
        text
    }

    fn checked(&self, text: String) -> Result<u8, u8> {
        text.parse().map_err(|_| 0)
    }

    fn look(&self, frame: Shared<[u8]>) -> (u64, Vec<u8>) {
        (address(&frame), frame.to_vec())
    }

    fn sevens(&self, cx: &CallContext, len: u64) -> Shared<[u8]> {
        let mut frame = cx.alloc(len as usize).expect("there is memory");
        frame.fill(7);
        frame.freeze()
    }
}

/// Where a frame lies that is this process's own.
pub(crate) fn address(frame: &Shared<[u8]>) -> u64 {
    frame.as_slice().expect("no other holder can write to it").as_ptr().addr() as u64
}

pub(crate) type Tamper = fn(Answer) -> Answer;

#[derive(Debug)]
pub(crate) struct Wrapped<T> {
    pub(crate) place: T,
    pub(crate) tamper: Tamper,
}

impl<T: Transport> Transport for Wrapped<T> {
    fn bind(&self, config: BindConfig) -> Result<Arc<dyn ServerPort>, BindError> {
        self.place.bind(config)
    }

    fn connect(&self, config: ConnectConfig) -> Result<Arc<dyn ClientChannel>, ConnectError> {
        let inner = self.place.connect(config)?;
        Ok(Arc::new(WrappedChannel { inner, tamper: self.tamper }))
    }
}

#[derive(Debug)]
struct WrappedChannel {
    inner: Arc<dyn ClientChannel>,
    tamper: Tamper,
}

impl ClientChannel for WrappedChannel {
    fn welcome(&self) -> &[u8] {
        self.inner.welcome()
    }

    /// Never at once.
    fn try_send(&self, _: Outgoing<'_>) -> Result<Option<Ticket>, ChannelError> {
        Ok(None)
    }

    /// Not at the first poll.
    fn poll_send(
        &self,
        cx: &mut Context<'_>,
        sending: &mut Sending,
        message: Outgoing<'_>,
        limit: &mut Limit,
    ) -> Poll<Result<Ticket, ChannelError>> {
        if sending.state.is_none() {
            sending.state = Some(Box::new(()));
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.inner.poll_send(cx, sending, message, limit)
    }

    fn wait_answer(
        &self,
        ticket: Ticket,
        limit: &mut Limit,
        answer: &mut Answer,
    ) -> Result<(), ChannelError> {
        self.inner.wait_answer(ticket, limit, answer)?;
        *answer = (self.tamper)(std::mem::take(answer));
        Ok(())
    }

    fn poll_answer(
        &self,
        cx: &mut Context<'_>,
        ticket: &mut Ticket,
        limit: &mut Limit,
        answer: &mut Answer,
    ) -> Poll<Result<(), ChannelError>> {
        self.inner.poll_answer(cx, ticket, limit, answer).map_ok(|()| {
            *answer = (self.tamper)(std::mem::take(answer));
        })
    }

    fn lanes(&self) -> u32 {
        self.inner.lanes()
    }

    fn abandon(&self, ticket: Ticket) {
        self.inner.abandon(ticket);
    }

    fn lost(&self) -> Option<ChannelError> {
        self.inner.lost()
    }

    fn when_lost(&self, waker: Waker) {
        self.inner.when_lost(waker);
    }

    fn disconnect(&self) {
        self.inner.disconnect();
    }
}

fn serve(tamper: Tamper) -> (WitServer, Endpoint) {
    let endpoint = Endpoint::new(Wrapped { place: InProcess::new(), tamper });
    (serve_at(&endpoint), endpoint)
}

fn serve_at(endpoint: &Endpoint) -> WitServer {
    let server = WitServer::builder().listen(endpoint.clone()).service(EchoServer::new(Wall));
    server.start().expect("the place is free")
}

fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

#[test]
fn calls_cross_a_transport_that_never_takes_them_at_once() {
    let (_server, endpoint) = serve(|answer| answer);
    let blocking = EchoClient::connect(endpoint.clone()).unwrap();
    let later = block_on(EchoAsyncClient::connect(endpoint)).unwrap();
    for len in [0, 1, 47, 48, 49, 10_000] {
        let text = "x".repeat(len);
        assert_eq!(blocking.echo(text.clone()), Ok(text.clone()));
        assert_eq!(block_on(later.echo(text.clone())), Ok(text));
    }
    assert_eq!(blocking.checked("x".to_owned()), Err(CallError::App(0)));
}

#[test]
fn a_transport_without_leases_carries_copies() {
    let (_server, endpoint) = serve(|answer| answer);
    let over_it = EchoClient::connect(endpoint.clone()).unwrap();
    let later = block_on(EchoAsyncClient::connect(endpoint)).unwrap();
    for (client, is_lent) in [(&over_it, false), (&EchoClient::in_process(Wall), true)] {
        for len in [0, 1, 100, 10_000] {
            let mut frame = client.connection().alloc::<u8>(len).unwrap();
            frame.fill(5);
            let frame = frame.freeze();
            let (place, seen) = client.look(frame.clone()).unwrap();
            assert_eq!(seen, vec![5; len]);
            assert!(len == 0 || (place == address(&frame)) == is_lent, "{len} bytes");
            assert_eq!(client.sevens(len as u64).unwrap().to_vec(), vec![7; len]);
        }
    }
    let frame = block_on(later.connection().alloc_async::<u8>(10_000)).unwrap().freeze();
    let (place, _) = block_on(later.look(frame.clone())).unwrap();
    assert_ne!(place, address(&frame));
}

#[test]
fn an_answer_that_makes_no_sense_is_an_error_of_its_call() {
    let (_server, endpoint) = serve(|answer| Answer::new(answer.tag | 0x80, answer.payload));
    let client = EchoClient::connect(endpoint).unwrap();
    for _ in 0..2 {
        let error = client.echo("x".to_owned()).unwrap_err();
        assert!(matches!(error, CallError::Protocol { .. }), "{error}");
    }
    assert!(client.connection().is_connected());
}

#[test]
fn an_answer_of_another_length_is_not_decoded() {
    let longer: Tamper = |answer| {
        let mut bytes = vec![0; answer.payload.len() + 1];
        let len = answer.payload.len();
        answer.payload.copy_to(0, &mut bytes[..len]);
        Answer::new(answer.tag, Payload::Whole(bytes))
    };
    let shorter: Tamper = |answer| Answer::new(answer.tag, Payload::Whole(Vec::new()));
    for tamper in [longer, shorter] {
        let (_server, endpoint) = serve(tamper);
        let client = EchoClient::connect(endpoint).unwrap();
        let error = client.echo("x".to_owned()).unwrap_err();
        assert!(matches!(error, CallError::Decode { .. }), "{error}");
        let error = client.checked("7".to_owned()).unwrap_err();
        assert!(matches!(error, CallError::Decode { .. }), "{error}");
        assert!(error.maybe_executed());
    }
}

/// A call that has crossed to a server which takes none any more.
#[test]
fn a_call_that_was_turned_away_is_made_to_the_next_server_if_asked() {
    static TURNED_AWAY: AtomicUsize = AtomicUsize::new(0);
    const SHUTTING_DOWN: u32 = 7;
    let (first, endpoint) = serve(|answer| match TURNED_AWAY.fetch_add(1, SeqCst) {
        0..3 => Answer::new(SHUTTING_DOWN, Payload::default()),
        _ => answer,
    });
    let follow = Reconnect::new().after_shutdown(true);
    let client = EchoClient::builder(endpoint.clone()).reconnect(follow.clone());
    let client = client.connect().unwrap();
    let later = EchoAsyncClient::builder(endpoint.clone()).reconnect(follow);
    let later = block_on(later.connect()).unwrap();
    let stays = EchoClient::connect(endpoint.clone()).unwrap();
    assert_eq!(stays.echo("x".to_owned()), Err(CallError::ShuttingDown));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| client.echo("y".to_owned()));
        let waiting_later = scope.spawn(|| block_on(later.echo("z".to_owned())));
        while TURNED_AWAY.load(SeqCst) < 3 {
            std::thread::yield_now();
        }
        assert!(first.shutdown(Duration::from_secs(60)));
        let _second = serve_at(&endpoint);
        assert_eq!(waiting.join().unwrap(), Ok("y".to_owned()));
        assert_eq!(waiting_later.join().unwrap(), Ok("z".to_owned()));
    });
}
