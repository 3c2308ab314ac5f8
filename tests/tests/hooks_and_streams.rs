//! What hooks get of calls with streams, of events, of leases, and of calls that are given up.

use std::sync::mpsc::{self, Receiver, Sender};

use futures_executor::block_on;
use futures_util::{FutureExt, stream};
use witrpc::{CallEnd, CallError, CallOptions, ClientHook, MadeCall, Rejection};
use witrpc_tests::cancellation::{CancellationClient, Line, begun_in_time};
use witrpc_tests::event_service::EventServiceClient;
use witrpc_tests::fixture::{Fixture, FixtureConfig, Transport};
use witrpc_tests::over_both_transports;
use witrpc_tests::shared_memory::SharedMemoryClient;
use witrpc_tests::streams::{StreamsAsyncClient, StreamsClient};
use witrpc_tests::watchdog::eventually;

fn fixture(transport: Transport) -> Fixture {
    Fixture::with(
        transport,
        FixtureConfig {
            bookkeeping: true,
            streams: true,
            event_service: true,
            ..FixtureConfig::default()
        },
    )
}

/// The notes of the server's hook.
struct Book(CancellationClient);

impl Book {
    fn of(fixture: &Fixture) -> Self {
        Self(CancellationClient::connect(fixture.endpoint()).unwrap())
    }

    /// Returns the notes of the methods of a service.
    fn lines(&self, service: &str) -> Vec<Line> {
        let mut lines = self.0.book().unwrap();
        lines.retain(|line| line.method.0 == service);
        lines
    }

    /// Returns how the calls of the stream service have ended, once there are `count` of them,
    /// sorted, since each is noted after its answer. Anything noted without being a call would be
    /// among them.
    fn ends(&self, count: usize) -> Vec<(String, String)> {
        eventually("the hook is told", || self.lines("Streams").len() >= count);
        let lines = self.lines("Streams");
        assert_eq!(lines.len(), count, "{lines:?}");
        let mut ends: Vec<_> = lines.into_iter().map(|line| (line.method.1, line.end)).collect();
        ends.sort_unstable();
        ends
    }
}

/// Reports to a test how calls have ended, and rejects those of two methods.
struct Reporter(Sender<(&'static str, String)>);

impl ClientHook for Reporter {
    fn before(&self, call: &MadeCall) -> Result<(), Rejection> {
        match call.method() {
            "words" | "weigh_all" => Err(Rejection::new("not these")),
            _ => Ok(()),
        }
    }

    fn after(&self, call: &MadeCall, end: CallEnd<'_>, _answer_len: usize) {
        let end = match end {
            CallEnd::Failed(CallError::Panicked { .. }) => "Panicked".to_owned(),
            CallEnd::Failed(CallError::Rejected { .. }) => "Rejected".to_owned(),
            CallEnd::Failed(error) => format!("{error:?}"),
            end => format!("{end:?}"),
        };
        let _ = self.0.send((call.method(), end));
    }
}

type Ends = Receiver<(&'static str, String)>;

fn reported(fixture: &Fixture) -> (StreamsClient, StreamsAsyncClient, Ends) {
    let (tell, ends) = mpsc::channel();
    let client = StreamsClient::builder(fixture.endpoint()).hook(Reporter(tell.clone())).connect();
    let later = StreamsAsyncClient::builder(fixture.endpoint()).hook(Reporter(tell)).connect();
    (client.unwrap(), block_on(later).unwrap(), ends)
}

fn owned(ends: &[(&str, &str)]) -> Vec<(String, String)> {
    ends.iter().map(|(method, end)| ((*method).to_owned(), (*end).to_owned())).collect()
}

over_both_transports! {
    fn a_call_that_returns_a_stream_ends_when_that_is_open_and_pulls_are_no_calls(transport) {
        let fixture = fixture(transport);
        let (client, later, told) = reported(&fixture);
        assert_eq!(client.range(50_000).unwrap().count(), 50_000);
        let error = client.checked(101).map(drop).unwrap_err();
        assert!(matches!(error, CallError::App(_)), "{error:?}");
        assert!(client.breaks_at_once().is_err());
        let mut broken = client.breaks(3).unwrap();
        assert!(broken.by_ref().take(3).all(|item| item.is_ok()));
        assert!(matches!(broken.next(), Some(Err(CallError::Panicked { .. }))));
        drop(broken);
        let mut gated = block_on(later.gated_later(vec![1])).unwrap();
        assert!(gated.next().now_or_never().is_none(), "it is open, and nothing has come");
        drop(gated);
        let expected = [
            ("range", "Ok"),
            ("checked", "AppError"),
            ("breaks_at_once", "Panicked"),
            ("breaks", "Ok"),
            ("gated_later", "Ok"),
        ];
        let told: Vec<_> = told.try_iter().map(|(method, end)| (method.to_owned(), end)).collect();
        let mut expected = owned(&expected);
        assert_eq!(told, expected);
        expected.sort_unstable();
        assert_eq!(Book::of(&fixture).ends(5), expected);
    }

    fn a_call_that_takes_a_stream_ends_with_its_answer(transport) {
        let fixture = fixture(transport);
        let (client, later, told) = reported(&fixture);
        let book = Book::of(&fixture);
        let none_has_ended = || {
            assert!(told.try_recv().is_err());
            assert!(book.lines("Streams").is_empty());
        };
        let sum = client.sum((0..2_000).inspect(|n| if n % 500 == 0 { none_has_ended() }));
        assert_eq!(sum, Ok(1_999_000));
        assert_eq!(book.ends(1), owned(&[("sum", "Ok")]));
        assert_eq!(told.try_recv(), Ok(("sum", "Ok".to_owned())));
        let parts = stream::iter([vec![1], vec![]]);
        assert!(matches!(block_on(later.digest(parts)), Err(CallError::App(_))));
        assert_eq!(book.ends(2), owned(&[("digest", "AppError"), ("sum", "Ok")]));
        assert_eq!(told.try_recv(), Ok(("digest", "AppError".to_owned())));
    }

    fn a_call_that_takes_a_stream_and_is_given_up_has_not_been_heard(transport) {
        let fixture = fixture(transport);
        let (_client, later, told) = reported(&fixture);
        let book = Book::of(&fixture);
        let mut numbers = Box::pin(later.follow_later(stream::pending()));
        eventually("the call goes on", || {
            assert!((&mut numbers).now_or_never().is_none());
            fixture.metrics().in_flight > 0
        });
        drop(numbers);
        assert_eq!(told.try_recv(), Ok(("follow_later", "Cancelled".to_owned())));
        assert_eq!(book.ends(1), owned(&[("follow_later", "Unheard")]));
        eventually("it is not in flight any more", || fixture.metrics().in_flight == 0);
    }

    fn a_call_with_a_stream_that_is_rejected_opens_none(transport) {
        let fixture = fixture(transport);
        let (client, _later, told) = reported(&fixture);
        assert!(matches!(client.words("a b").map(drop), Err(CallError::Rejected { .. })));
        assert_eq!(told.try_recv(), Ok(("words", "Rejected".to_owned())));
        // An upload that would be rejected makes no item.
        let weights = std::iter::from_fn(|| -> Option<Vec<_>> { panic!("it is not wanted") });
        assert!(matches!(client.weigh_all(weights), Err(CallError::Rejected { .. })));
        assert_eq!(told.try_recv(), Ok(("weigh_all", "Rejected".to_owned())));
        assert_eq!(client.running(), Ok(0));
        assert_eq!(Book::of(&fixture).ends(1), owned(&[("running", "Ok")]));
    }

    fn to_subscribe_and_to_be_told_of_events_is_no_call(transport) {
        let fixture = fixture(transport);
        let (tell, told) = mpsc::channel();
        let event_service = EventServiceClient::builder(fixture.endpoint()).hook(Reporter(tell)).connect();
        let event_service = event_service.unwrap();
        let ticked = event_service.ticked().unwrap();
        assert_eq!(event_service.tick(0, 100, false), Ok(100));
        assert_eq!(ticked.take(100).count(), 100);
        let book = Book::of(&fixture);
        eventually("the hook is told", || !book.lines("EventService").is_empty());
        let lines = book.lines("EventService");
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!((lines[0].method.1.as_str(), lines[0].end.as_str()), ("tick", "Ok"));
        assert_eq!(told.try_iter().count(), 1);
    }

    fn what_is_lent_is_not_counted_in_lengths(transport) {
        let fixture = fixture(transport);
        let shared_memory = SharedMemoryClient::connect(fixture.endpoint()).unwrap();
        let frame = shared_memory.connection().alloc::<u8>(100_000).unwrap().freeze();
        shared_memory.look(frame).unwrap();
        let book = Book::of(&fixture);
        eventually("the hook is told", || !book.lines("SharedMemory").is_empty());
        assert!(book.lines("SharedMemory")[0].lens.0 < 100);
    }

    fn a_call_whose_caller_gives_up_ends_with_its_answer(transport) {
        let fixture = fixture(transport);
        let book = Book::of(&fixture);
        let within = |time| book.0.with(CallOptions::new().timeout(time));
        let (time, ended) = begun_in_time(&fixture, 7, |time| within(time).stay(7));
        assert_eq!(ended, CallError::TimedOut { after: Some(time) });
        // Calls that came too late to begin end in another way.
        let stay = || {
            let mut lines = book.lines("Cancellation").into_iter();
            lines.find(|line| line.method.1 == "stay" && line.end != "Expired")
        };
        eventually("the hook is told", || stay().is_some());
        assert_eq!(stay().unwrap().end, "Ok", "its client is there, though its caller does not wait");
    }
}
