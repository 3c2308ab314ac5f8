//! Models: every interleaving and every reordering that the memory model allows, up to a number
//! of preemptions.
//!
//! The protocol is the code that runs ([`PollerProtocol`], [`ThreadCount`], [`Shares`], [`Schedule`]). The port
//! and the handlers are the smallest ones that can lose a wake-up. A thread that would sleep ends instead. At
//! the end of a model, a thread that is left plays the sleepers, one for each ring that was not heard. If the
//! work is not done then, nothing would ever wake the server for it.
//!
//! `LOOM_MAX_PREEMPTIONS=3 cargo test -p witrpc --lib model` checks more of them, in some seconds.
//!
//! Each protocol has a twin that breaks one rule and must be caught: the proof that the model sees
//! what the rule is for.

use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use loom::sync::{Arc, Mutex};
use loom::thread;

use super::poller_lock::{PollerGuard, ThreadNumber};
use super::poller_protocol::PollerProtocol;
use super::task::Schedule;
use super::thread_count::ThreadCount;
use crate::rt::primitive::{Loom, Primitives};

mod ending;
pub mod shares;

type LoomWord = <Loom as Primitives>::Word;

fn check(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(2);
    builder.check(model);
}

/// The least that a port does: a place for one request, and rings.
struct Port {
    /// 1 from the publication of the request until it is claimed.
    request: LoomWord,
    /// Whether the client must ring.
    wake_requested: LoomWord,
    rings: Mutex<usize>,
}

impl Port {
    fn new() -> Self {
        Self { request: LoomWord::new(0), wake_requested: LoomWord::new(1), rings: Mutex::new(0) }
    }

    fn ring(&self) {
        *self.rings.lock().unwrap() += 1;
    }

    /// Returns whether a ring has come; if not, the thread would sleep.
    fn hears_a_ring(&self) -> bool {
        let mut rings = self.rings.lock().unwrap();
        let heard = *rings > 0;
        *rings -= usize::from(heard);
        heard
    }

    /// Plays the client.
    fn publish(&self) {
        self.request.store(1, Release);
        Loom::fence();
        if self.wake_requested.load(Relaxed) != 0 {
            self.ring();
        }
    }

    fn turn(&self) -> bool {
        self.wake_requested.store(0, Relaxed);
        self.request.load(Acquire) != 0 && self.request.swap(0, AcqRel) != 0
    }

    fn request_wakeup(&self) -> bool {
        self.wake_requested.store(1, Relaxed);
        Loom::fence();
        self.request.load(Acquire) != 0
    }
}

/// The shared state of a server, and whether its one request or task has run.
struct Server {
    port: Port,
    protocol: PollerProtocol<Loom>,
    thread_count: ThreadCount<Loom>,
    done: LoomWord,
}

impl Server {
    fn new(max_workers: u32) -> Arc<Self> {
        Arc::new(Self {
            port: Port::new(),
            protocol: PollerProtocol::new(),
            thread_count: ThreadCount::new(max_workers),
            done: LoomWord::new(0),
        })
    }

    fn finish(&self) {
        self.done.store(1, Release);
    }

    fn is_done(&self) -> bool {
        self.done.load(Acquire) != 0
    }
}

fn spawn(server: &Arc<Server>, run: impl FnOnce(&Server) + 'static) -> thread::JoinHandle<()> {
    let server = Arc::clone(server);
    thread::spawn(move || run(&server))
}

/// Whether the holder lets go before its last look, as it must.
#[derive(Clone, Copy, PartialEq)]
enum PutDown {
    BeforeLastLook,
    AfterLastLook,
}

/// Plays a thread that is awake: it serves the request if it can, and ends when it would sleep.
fn look_for_requests(server: &Server, me: u64, order: PutDown) {
    let (port, protocol) = (&server.port, &server.protocol);
    let me = ThreadNumber::from_count(me);
    loop {
        let mut held = protocol.woken(me);
        while let Some(mut guard) = held.take() {
            if port.turn() {
                assert!(!protocol.begin(&mut guard), "there are no tasks to ring for");
                server.finish();
                let _ = protocol.end(&mut guard);
                return;
            }
            held = release(server, guard, me, order);
        }
        if !port.hears_a_ring() {
            return;
        }
    }
}

fn release(
    server: &Server,
    guard: PollerGuard,
    me: ThreadNumber,
    order: PutDown,
) -> Option<PollerGuard> {
    let (port, protocol) = (&server.port, &server.protocol);
    match order {
        PutDown::BeforeLastLook => {
            protocol.release(guard);
            if port.request_wakeup() { protocol.reacquire(me) } else { None }
        }
        PutDown::AfterLastLook => {
            if port.request_wakeup() {
                return Some(guard);
            }
            protocol.release(guard);
            None
        }
    }
}

fn a_client_and_two_threads(order: PutDown) {
    check(move || {
        let server = Server::new(4);
        let threads =
            [0, 1].map(|me| spawn(&server, move |server| look_for_requests(server, me, order)));
        server.port.publish();
        for thread in threads {
            thread.join().unwrap();
        }
        while server.port.hears_a_ring() {
            look_for_requests(&server, 2, order);
        }
        assert!(server.is_done(), "all sleep, the request waits");
    });
}

#[test]
fn no_request_is_lost_while_the_role_changes_hands() {
    a_client_and_two_threads(PutDown::BeforeLastLook);
}

#[test]
#[should_panic(expected = "all sleep, the request waits")]
fn to_put_the_role_down_after_the_last_look_loses_a_request() {
    a_client_and_two_threads(PutDown::AfterLastLook);
}

/// The rule that is broken in a model of tasks.
#[derive(Clone, Copy, PartialEq)]
enum Broken {
    Nothing,
    /// A holder that goes busy leaves queued tasks without a ring.
    NoRingForTheRest,
}

/// Plays a thread in a handler that does not end, while another sleeps and a waker queues the task.
fn a_stuck_holder_and_a_task(in_use: bool, broken: Broken) {
    check(move || {
        let server = Server::new(4);
        if in_use {
            server.protocol.bell.put_to_use();
        }
        let stuck = spawn(&server, move |server| get_stuck(server, broken));
        let stand_by = spawn(&server, |server| look_for_tasks(server, 1));
        let bell = &server.protocol.bell;
        bell.put_to_use();
        bell.add();
        if server.protocol.queued() {
            server.port.ring();
        }
        stuck.join().unwrap();
        stand_by.join().unwrap();
        while server.port.hears_a_ring() {
            look_for_tasks(&server, 2);
        }
        assert!(server.is_done(), "all sleep or are stuck, the task waits");
    });
}

/// Goes into a handler for good, if the role is free.
fn get_stuck(server: &Server, broken: Broken) {
    let protocol = &server.protocol;
    let Some(mut guard) = protocol.woken(ThreadNumber::from_count(0)) else { return };
    protocol.notice_tasks(&mut guard);
    if protocol.begin(&mut guard) && broken != Broken::NoRingForTheRest {
        server.port.ring();
    }
}

/// Plays a thread that is awake: it runs the task if it can, and ends when it would sleep.
fn look_for_tasks(server: &Server, me: u64) {
    let protocol = &server.protocol;
    let me = ThreadNumber::from_count(me);
    loop {
        let mut held = protocol.woken(me);
        while let Some(mut guard) = held.take() {
            protocol.notice_tasks(&mut guard);
            if guard.watches_tasks() && protocol.bell.any_ready() {
                protocol.bell.remove();
                let _ = protocol.begin(&mut guard);
                server.finish();
                let _ = protocol.end(&mut guard);
                return;
            }
            protocol.release(guard);
            if protocol.bell.any_ready() {
                held = protocol.reacquire(me);
            }
        }
        if !server.port.hears_a_ring() {
            return;
        }
    }
}

#[test]
fn no_task_is_left_behind_by_a_holder_that_gets_stuck() {
    a_stuck_holder_and_a_task(true, Broken::Nothing);
}

#[test]
fn the_first_task_of_all_is_not_left_behind_either() {
    a_stuck_holder_and_a_task(false, Broken::Nothing);
}

#[test]
#[should_panic(expected = "the task waits")]
fn a_holder_that_does_not_ring_for_the_rest_leaves_a_task_behind() {
    a_stuck_holder_and_a_task(true, Broken::NoRingForTheRest);
}

/// Plays a holder at the bound, with a request that it may not run. The other thread comes back from its
/// handler, perhaps while the holder is busy with upkeep. Nothing rings.
fn a_handler_ends_at_the_bound(looks_when_it_comes_back: bool) {
    check(move || {
        let server = Server::new(1);
        server.thread_count.hire();
        server.thread_count.hire();
        server.thread_count.promote();
        server.thread_count.promote();
        server.port.request.store(1, Release);
        let guard = server.protocol.woken(ThreadNumber::from_count(0)).expect("the role is vacant");
        let last = spawn(&server, |server| {
            if let Some(guard) = keep_up(server, guard, 0) {
                serve_within_the_bound(server, guard, 0);
            }
        });
        server.thread_count.stand_by();
        if looks_when_it_comes_back
            && let Some(guard) = server.protocol.woken(ThreadNumber::from_count(1))
        {
            server.thread_count.promote();
            serve_within_the_bound(&server, guard, 1);
        }
        last.join().unwrap();
        assert!(server.is_done(), "all sleep, the request waits");
    });
}

/// Answers something that runs no method. Returns `None` if another thread looks from then on.
fn keep_up(server: &Server, mut guard: PollerGuard, me: u64) -> Option<PollerGuard> {
    assert!(!server.protocol.begin(&mut guard), "there are no tasks to ring for");
    if server.protocol.end(&mut guard) {
        return Some(guard);
    }
    // As a displaced thread does, before it sleeps.
    server.thread_count.stand_by();
    let again = server.protocol.woken(ThreadNumber::from_count(me))?;
    server.thread_count.promote();
    Some(again)
}

fn serve_within_the_bound(server: &Server, guard: PollerGuard, me: u64) {
    let mut held = Some(guard);
    while let Some(guard) = held.take() {
        let serves = server.thread_count.counts().may_serve();
        if serves && server.port.turn() {
            return server.finish();
        }
        server.thread_count.stand_by();
        server.protocol.release(guard);
        let found = server.port.request_wakeup();
        let goes_on = if serves { found } else { server.thread_count.counts().others_stand_by() };
        if goes_on {
            held = server.protocol.reacquire(ThreadNumber::from_count(me));
            if held.is_some() {
                server.thread_count.promote();
            }
        }
    }
}

#[test]
fn a_request_that_waited_at_the_bound_runs_when_a_handler_ends() {
    a_handler_ends_at_the_bound(true);
}

#[test]
#[should_panic(expected = "all sleep, the request waits")]
fn a_thread_that_comes_back_and_sleeps_at_once_leaves_a_request_behind() {
    a_handler_ends_at_the_bound(false);
}

/// Wakes a task from two wakers at any moment: it is polled again after each, and queued once at a time.
#[test]
fn a_task_that_is_woken_is_polled_again() {
    check(|| {
        let schedule = Arc::new(Schedule::<Loom>::polled());
        let queued = Arc::new(LoomWord::new(0));
        let events = Arc::new(LoomWord::new(0));
        let wakers = [(); 2].map(|()| {
            let (schedule, queued, events) =
                (Arc::clone(&schedule), Arc::clone(&queued), Arc::clone(&events));
            thread::spawn(move || {
                events.fetch_add(1, Relaxed);
                if schedule.wake() {
                    assert_eq!(queued.swap(1, AcqRel), 0, "queued twice");
                }
            })
        });
        let mut seen = poll_while_queued(&schedule, &queued, &events);
        for waker in wakers {
            waker.join().unwrap();
        }
        if queued.swap(0, AcqRel) != 0 {
            schedule.start();
            seen = poll_while_queued(&schedule, &queued, &events);
        }
        assert_eq!(seen, 2, "a wake was lost");
    });
}

/// Polls a task, which reads `events`, until it is idle. Returns what the last poll read.
fn poll_while_queued(schedule: &Schedule<Loom>, queued: &LoomWord, events: &LoomWord) -> u64 {
    loop {
        let seen = events.load(Relaxed);
        if schedule.suspend() {
            assert_eq!(queued.swap(1, AcqRel), 0, "queued twice");
        }
        if queued.swap(0, AcqRel) == 0 {
            return seen;
        }
        schedule.start();
    }
}
