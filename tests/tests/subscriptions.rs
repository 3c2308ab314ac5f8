//! Subscriptions: how they begin and end, and what they hold.

use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use futures_executor::{block_on, block_on_stream};
use futures_util::FutureExt;
use futures_util::future::join_all;
use witrpc::{
    CallError, CallOptions, CancelToken, Codec, DisconnectReason, EventError, EventGuard,
    InProcess, Mmf, WitServer, wit_service,
};
use witrpc_tests::event_service::{
    BulletinClient, EventServiceAsyncClient, EventServiceBeaten, EventServiceClient,
    EventServiceTicked, connect, connect_later, fixture, next_but_zeros, next_tick, with,
};
use witrpc_tests::fixture::{FixtureConfig, ServerCommand, ServerReply, Transport};
use witrpc_tests::over_every_transport;
use witrpc_tests::process::Child;
use witrpc_tests::resources::eventually_no_more;
use witrpc_tests::roles::Role;
use witrpc_tests::watchdog::{PATIENCE, eventually, eventually_equal};

/// Returns the next error.
fn gap<T>(events: &mut impl Iterator<Item = Result<T, EventError>>) -> Option<EventError> {
    events.find_map(Result::err)
}

over_every_transport! {
    fn subscriptions_of_several_clients_over_one_connection_are_apart(transport) {
        let fixture = fixture(transport);
        let root = fixture.client();
        let first: EventServiceClient = root.connection().client().unwrap();
        let second: EventServiceClient = first.connection().client().unwrap();
        let later: EventServiceAsyncClient = block_on(first.connection().client_async()).unwrap();
        let board: BulletinClient = first.connection().client().unwrap();
        let mut ticks = first.ticked().unwrap();
        let mut ticks_too = second.ticked().unwrap();
        let mut posted = board.posted().unwrap();
        let mut beats = block_on_stream(block_on(later.beaten()).unwrap());
        assert_eq!(first.tick(0, 1, false), Ok(1), "they are one client to the server");
        second.beat(1).unwrap();
        assert_eq!(board.post("one"), Ok(1));
        assert_eq!((next_tick(&mut ticks), next_tick(&mut ticks_too)), (0, 0));
        assert_eq!(beats.next().unwrap().unwrap().number, 0);
        assert_eq!(posted.next().unwrap().unwrap().text, "one");
        assert!(ticks.try_next().is_none() && posted.try_next().is_none());
        // The end of one is not the end of the others.
        drop((ticks, beats));
        assert_eq!(first.tick(1, 1, false), Ok(1));
        assert_eq!(board.post("two"), Ok(1));
        assert_eq!(next_tick(&mut ticks_too), 1);
        assert_eq!(posted.next().unwrap().unwrap().text, "two");
        drop(posted);
        eventually_equal("the clients that it is sent to", &Ok(0), || board.post("three"));
        assert_eq!(first.tick(2, 1, false), Ok(1));
        assert_eq!(next_tick(&mut ticks_too), 2);
    }


    fn a_subscription_that_is_given_up_while_it_begins_leaves_nothing(transport) {
        let fixture = fixture(transport);
        let client = connect_later(&fixture, Codec::Postcard);
        for round in 0..200 {
            let mut beginning = Box::pin(client.ticked());
            // A subscription that has begun is dropped by that.
            let _ = (0..round % 5).find_map(|_| beginning.as_mut().now_or_never());
            drop(beginning);
        }
        eventually_equal("the clients that it is sent to", &Ok(0), || block_on(client.tick(0, 1, false)));
        let mut ticks = block_on_stream(block_on(client.ticked()).unwrap());
        assert_eq!(block_on(client.tick(7, 1, false)), Ok(1));
        assert_eq!(next_but_zeros(&mut ticks), 7);
    }


    fn closures_are_called_in_order_until_their_guard_is_dropped(transport) {
        let fixture = fixture(transport);
        let (client, later) = (connect(&fixture), connect_later(&fixture, Codec::Json));
        for is_async in [false, true] {
            let (tell, told) = mpsc::channel();
            let tell_too = tell.clone();
            let on_tick = move |tick: Result<EventServiceTicked, _>| {
                tell.send(tick.unwrap().checked() * 2).unwrap();
            };
            let on_beat = move |beat: Result<EventServiceBeaten, _>| {
                tell_too.send(beat.unwrap().number * 2 + 1).unwrap();
            };
            let guards = if is_async {
                (block_on(later.on_ticked(on_tick)).unwrap(), block_on(later.on_beaten(on_beat)).unwrap())
            } else {
                (client.on_ticked(on_tick).unwrap(), client.on_beaten(on_beat).unwrap())
            };
            client.alternate(500).unwrap();
            let order: Vec<u64> = (0..1_000).map(|_| told.recv_timeout(PATIENCE).unwrap()).collect();
            assert!(order.into_iter().eq(0..1_000), "of both kinds, as they were emitted");
            drop(guards);
            assert!(told.recv_timeout(PATIENCE).is_err_and(|error| {
                error == mpsc::RecvTimeoutError::Disconnected
            }), "the closures are gone");
            eventually_equal("the clients that it is sent to", &Ok(0), || client.tick(0, 1, false));
        }
    }


    fn closures_may_do_what_others_may(transport) {
        let fixture = fixture(transport);
        let client = connect(&fixture);
        let (tell, told) = mpsc::channel();
        let (give, given) = mpsc::channel();
        let inner = client.clone();
        let guard = client.on_ticked(move |tick| {
            let tick = tick.unwrap().checked();
            // The closure calls, subscribes, unsubscribes, and drops its own guard.
            let mut beats = inner.beaten().unwrap();
            inner.beat(1).unwrap();
            // The events of a connection arrive on the thread that runs this.
            assert!(beats.try_next().is_none());
            drop(beats);
            let own: EventGuard = given.recv().unwrap();
            drop(own);
            tell.send(tick).unwrap();
        }).unwrap();
        give.send(guard).unwrap();
        assert_eq!(client.tick(1, 3, false), Ok(3));
        assert_eq!(told.recv_timeout(PATIENCE), Ok(1));
        assert!(told.recv_timeout(PATIENCE).is_err(), "it was dropped within its first call");
        eventually_equal("the clients that it is sent to", &Ok(0), || client.tick(0, 1, false));
    }


    fn a_closure_that_panics_is_not_called_again_and_harms_no_other(transport) {
        let fixture = fixture(transport);
        let client = connect(&fixture);
        let (tell, told) = mpsc::channel();
        let mut calls = 0;
        let fragile = client.on_ticked(move |_| {
            calls += 1;
            tell.send(calls).unwrap();
            panic!("this closure is fragile");
        }).unwrap();
        let mut ticks = client.ticked().unwrap();
        client.tick(0, 3, false).unwrap();
        assert_eq!([(); 3].map(|()| next_tick(&mut ticks)), [0, 1, 2]);
        assert_eq!(told.try_iter().collect::<Vec<_>>(), [1]);
        drop(fragile);
    }


    fn all_subscriptions_of_a_client_take_one_lane(transport) {
        let fixture = with(transport, FixtureConfig { lanes: Some(3), ..FixtureConfig::default() });
        let (basic, observer) = (fixture.client(), fixture.client());
        let client: EventServiceClient = basic.connection().client().unwrap();
        let board: BulletinClient = basic.connection().client().unwrap();
        let mut ticks = client.ticked().unwrap();
        let others = (client.beaten().unwrap(), client.knocked().unwrap(), client.weighed().unwrap());
        let (shipped, posted) = (client.shipped().unwrap(), board.posted().unwrap());
        let guard = board.on_taken_down(|_| {}).unwrap();
        thread::scope(|scope| {
            let held = [1, 2].map(|token| {
                let basic = &basic;
                scope.spawn(move || basic.hold(1, token))
            });
            observer.arrived(1, 2).unwrap();
            // No lane is free now except that of the events.
            let observed: EventServiceClient = observer.connection().client().unwrap();
            assert_eq!(observed.tick(0, 200, false), Ok(200));
            assert!((0..200).all(|number| next_tick(&mut ticks) == number));
            // The end of a subscription does not wait for a lane either.
            drop((others, shipped, posted, guard));
            assert_eq!(observed.tick(200, 1, false), Ok(1));
            assert_eq!(next_tick(&mut ticks), 200);
            observer.open(1).unwrap();
            held.into_iter().for_each(|call| assert!(call.join().unwrap().is_ok()));
            observed.beat(1).unwrap();
        });
        let few = with(transport, FixtureConfig { lanes: Some(2), ..FixtureConfig::default() });
        assert_eq!(connect(&few).ticked().unwrap_err(), CallError::TooFewLanes { lanes: 2, needed: 3 });
    }


    fn calls_that_wait_for_a_lane_keep_no_event_from_coming(transport) {
        let fixture = with(transport, FixtureConfig { lanes: Some(3), ..FixtureConfig::default() });
        let later = block_on(fixture.async_builder().call_timeout(None).connect()).unwrap();
        let observer = fixture.client();
        let observed: EventServiceClient = observer.connection().client().unwrap();
        let client: EventServiceClient = later.connection().client().unwrap();
        let client_later: EventServiceAsyncClient =
            block_on(later.connection().client_async()).unwrap();
        let mut ticks = client.ticked().unwrap();
        let mut stream = block_on_stream(block_on(client_later.ticked()).unwrap());
        let board: BulletinClient = later.connection().client().unwrap();
        let posted = board.posted().unwrap();
        // The events that have arrived over their lane show that they have it.
        assert_eq!(observed.tick(0, 1, false), Ok(1));
        assert_eq!((next_tick(&mut ticks), next_tick(&mut stream)), (0, 0));
        // Two of them have lanes. The others wait for one, and have all been polled.
        let mut calls = join_all((0..20).map(|token| later.hold(1, token)));
        assert!((&mut calls).now_or_never().is_none());
        observer.arrived(1, 2).unwrap();
        thread::scope(|scope| {
            let calls = scope.spawn(|| block_on(calls));
            for number in 1..100 {
                assert_eq!(observed.tick(number, 1, false), Ok(1));
                assert_eq!((next_tick(&mut ticks), next_tick(&mut stream)), (number, number));
            }
            // The server learns of the end of a subscription too, before the next event.
            drop(posted);
            assert_eq!(observed.tick(100, 1, false), Ok(1));
            assert_eq!((next_tick(&mut ticks), next_tick(&mut stream)), (100, 100));
            let seen: BulletinClient = observer.connection().client().unwrap();
            assert_eq!(observed.tick(101, 1, false), Ok(1));
            assert_eq!((next_tick(&mut ticks), next_tick(&mut stream)), (101, 101));
            assert_eq!(seen.post("no subscriber"), Ok(0));
            observer.open(1).unwrap();
            assert!(calls.join().unwrap().iter().all(Result::is_ok));
        });
        // With the last subscription, its lane goes to the calls.
        drop((ticks, stream));
        let mut calls = join_all((0..3).map(|token| later.hold(2, token)));
        thread::scope(|scope| {
            let calls = scope.spawn(|| block_on(&mut calls));
            observer.arrived(2, 3).unwrap();
            observer.open(2).unwrap();
            assert!(calls.join().unwrap().iter().all(Result::is_ok));
        });
    }


    fn subscribers_keep_their_connection_and_are_its_only_hold(transport) {
        let fixture = fixture(transport);
        let observer = connect(&fixture);
        let client = connect(&fixture);
        let (mut ticks, guard) = (client.ticked().unwrap(), client.on_beaten(|_| {}).unwrap());
        drop(client);
        assert_eq!(observer.tick(3, 1, false), Ok(1));
        assert_eq!(next_tick(&mut ticks), 3);
        drop((ticks, guard));
        eventually("the connection ends", || fixture.clients().len() == 1);
    }


    fn every_end_of_a_connection_ends_its_events_with_the_reason(transport) {
        let fixture = fixture(transport);
        let ended = |reason| Some(EventError::Ended(CallError::Disconnected(reason)));
        let (here, there) = (connect(&fixture), connect(&fixture));
        let (mut mine, mut cut) = (here.ticked().unwrap(), there.ticked().unwrap());
        here.connection().disconnect();
        assert_eq!(mine.next().map(Result::unwrap_err), ended(DisconnectReason::ClosedHere));
        assert!(mine.next().is_none() && mine.try_next().is_none());
        let closed = CallError::Disconnected(DisconnectReason::ClosedHere);
        assert_eq!(here.ticked().unwrap_err(), closed);
        for (id, _) in fixture.clients() {
            fixture.disconnect(id);
        }
        assert_eq!(cut.next().map(Result::unwrap_err), ended(DisconnectReason::Dismissed));
        assert!(cut.next().is_none());
    }


    fn a_shutdown_ends_events_and_does_not_wait_for_them(transport) {
        let fixture = fixture(transport);
        let (client, later) = (connect(&fixture), connect_later(&fixture, Codec::Postcard));
        let (tell, told) = mpsc::channel();
        let guard = client.on_beaten(move |beat| tell.send(beat.map(drop)).unwrap()).unwrap();
        let mut ticks = client.ticked().unwrap();
        let mut stream = block_on_stream(block_on(later.ticked()).unwrap());
        thread::scope(|scope| {
            let call = scope.spawn(|| client.announce(vec![1, 2]));
            assert_eq!((next_tick(&mut ticks), next_tick(&mut stream)), (1, 1));
            fixture.tell(ServerCommand::BeginShutdown(PATIENCE));
            eventually("calls are refused", || client.tick(0, 0, false).is_err());
            fixture.tell(ServerCommand::Open(1));
            fixture.tell(ServerCommand::Open(2));
            assert_eq!(call.join().unwrap(), Ok(()));
        });
        let end = fixture.host().tell(ServerCommand::EndShutdown);
        assert_eq!(end, ServerReply::Was(true), "events hold nothing up");
        let shut_down = CallError::Disconnected(DisconnectReason::ServerShutDown);
        let expected = Some(EventError::Ended(shut_down));
        // Events that are emitted meanwhile may still arrive.
        assert_eq!((gap(&mut ticks), gap(&mut stream)), (expected.clone(), expected.clone()));
        assert!(ticks.next().is_none() && stream.next().is_none());
        assert_eq!(told.recv_timeout(PATIENCE).unwrap().err(), expected);
        drop(guard);
    }
}

#[test]
fn a_killed_server_ends_the_events_of_clients_that_do_not_come_back() {
    let fixture = fixture(Transport::Mmf);
    let client = connect(&fixture);
    let (tell, told) = mpsc::channel();
    let _guard = client.on_beaten(move |beat| tell.send(beat.is_ok()).unwrap()).unwrap();
    let mut ticks = client.ticked().unwrap();
    client.tick(0, 1, false).unwrap();
    client.beat(1).unwrap();
    assert_eq!(told.recv_timeout(PATIENCE), Ok(true));
    drop(fixture);
    assert_eq!(next_tick(&mut ticks), 0, "what has come is not lost");
    let died = CallError::Disconnected(DisconnectReason::PeerDied);
    assert_eq!(ticks.next().map(Result::unwrap_err), Some(EventError::Ended(died)));
    assert!(ticks.next().is_none());
}

#[test]
fn killed_followers_leave_nothing_behind() {
    let fixture = fixture(Transport::Mmf);
    let (client, basic) = (connect(&fixture), fixture.client());
    let mut ticks = client.ticked().unwrap();
    let before = basic.resources().unwrap();
    for round in 0..10_u64 {
        let follower = Child::start(&Role::Follow { address: fixture.address().clone() });
        let () = follower.hear();
        if round % 2 == 0 {
            follower.pause();
        }
        assert_eq!(client.tick(round, 1, false), Ok(2));
        assert_eq!(next_tick(&mut ticks), round);
        client.beat(3_000).unwrap();
        follower.kill();
        eventually("it is gone", || fixture.clients().len() == 2);
        client.knock(2_000).unwrap();
    }
    assert_eq!(client.tick(99, 1, false), Ok(1));
    assert_eq!(next_tick(&mut ticks), 99);
    eventually_no_more("the server's process", before, || basic.resources().unwrap());
}

#[test]
fn a_subscription_waits_for_its_answer_no_longer_than_its_call_may() {
    let fixture = fixture(Transport::Mmf);
    let client = connect(&fixture);
    fixture.server_process().pause();
    let options = CallOptions::new().timeout(Duration::from_millis(1));
    let error = client.with(options).ticked().unwrap_err();
    assert!(matches!(error, CallError::TimedOut { .. } | CallError::Expired), "{error:?}");
    let token = CancelToken::new();
    token.cancel();
    let options = CallOptions::new().cancelled_by(&token);
    assert_eq!(client.with(options).ticked().unwrap_err(), CallError::Cancelled);
    fixture.server_process().resume();
    eventually_equal("the clients that it is sent to", &Ok(0), || client.tick(0, 1, false));
}

/// Reports its progress.
#[wit_service]
pub trait Walk {
    /// Makes `steps` steps.
    fn walk(&self, steps: u32);

    /// One step has been made.
    #[wit(event)]
    fn stepped(&self, step: u32);
}

/// Goes on when the test has seen its step.
struct Walker {
    events: WalkEvents,
    seen: Mutex<Receiver<()>>,
}

impl Walk for Walker {
    fn walk(&self, steps: u32) {
        let seen = self.seen.lock().expect("it walks once");
        for step in 0..steps {
            self.events.stepped(step).expect("it can be encoded");
            seen.recv_timeout(PATIENCE).expect("the step is seen");
        }
    }
}

#[test]
fn events_come_while_all_threads_are_in_handlers() {
    for place in [InProcess::new().into(), witrpc::Endpoint::from(Mmf::unguessable())] {
        let (saw, seen) = mpsc::channel();
        let walker = |events| Walker { events, seen: Mutex::new(seen) };
        let _server = WitServer::builder()
            .listen(place.clone())
            .max_workers(1)
            .service(WalkServer::with_events(walker))
            .start()
            .unwrap();
        let client = WalkClient::connect(place).unwrap();
        let mut steps = client.stepped().unwrap();
        thread::scope(|scope| {
            let walk = scope.spawn(|| client.walk(10));
            for step in 0..10 {
                assert_eq!(steps.next().unwrap().unwrap().step, step);
                saw.send(()).unwrap();
            }
            assert_eq!(walk.join().unwrap(), Ok(()));
        });
    }
}
