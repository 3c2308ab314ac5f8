//! loom models: uploads that wait, the request that waits for all of them, and a server that sends
//! notices. The table, and the code that makes the request proceed, are those of the library. A lost
//! wake-up leaves an upload asleep, which loom reports as a deadlock.
//!
//! The broken twin lists an upload when it is open, instead of before.

use std::sync::Arc as Waking;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;
use witrpc_transport::ChannelError;

use crate::stream::client::unattended;
use crate::stream::client::unattended::{Errand, Unattended};
use crate::stream::protocol::Notice;

use super::uploads::{Brought, NoticeError, Uploads};

/// The condition on which a thread sleeps.
struct Bell {
    rung: Mutex<bool>,
    wakes: Condvar,
}

impl Wake for Bell {
    fn wake(self: Waking<Self>) {
        *self.rung.lock().unwrap() = true;
        self.wakes.notify_one();
    }
}

/// Polls until it is ready, and sleeps in between.
fn block_on<T>(mut poll: impl FnMut(&Context<'_>) -> Poll<T>) -> T {
    let bell = Waking::new(Bell { rung: Mutex::new(false), wakes: Condvar::new() });
    let waker = Waker::from(Waking::clone(&bell));
    loop {
        if let Poll::Ready(value) = poll(&Context::from_waker(&waker)) {
            return value;
        }
        let mut rung = bell.rung.lock().unwrap();
        while !std::mem::take(&mut *rung) {
            rung = bell.wakes.wait(rung).unwrap();
        }
    }
}

/// The notices that no request has brought yet, and the request that waits for more.
#[derive(Default)]
struct Server {
    pending: Vec<(u64, Notice)>,
    is_lost: bool,
    waiting: Option<Waker>,
}

/// A request, with the number of uploads that had been open.
struct Pull(u64);

struct World {
    client: Mutex<Unattended<Uploads, Pull>>,
    server: Mutex<Server>,
    /// Breaks the rule that an upload is listed before the server knows it.
    lists_late: bool,
}

/// A waker that makes the request proceed.
struct GoOn(Arc<World>);

impl Wake for GoOn {
    fn wake(self: Waking<Self>) {
        unattended::go_on(&self.0);
    }
}

/// The reason why no notice comes after the connection is lost.
const LOST: ChannelError = ChannelError::PeerDied;

impl Errand for Arc<World> {
    type State = Uploads;
    type Request = Pull;
    type Outcome = Brought;

    fn with<T>(&self, look: impl FnOnce(&mut Unattended<Uploads, Pull>) -> T) -> T {
        look(&mut self.client.lock().unwrap())
    }

    fn next(&self, uploads: &mut Uploads) -> Option<Pull> {
        uploads.until().map(|_| Pull(uploads.known()))
    }

    fn poll(&self, _: &mut Pull) -> Poll<Brought> {
        let waker = Waker::from(Waking::new(GoOn(Arc::clone(self))));
        let mut server = self.server.lock().unwrap();
        if server.is_lost {
            return Poll::Ready(Brought::Failed(NoticeError::Channel(LOST)));
        }
        if server.pending.is_empty() {
            let former = server.waiting.replace(waker);
            drop(server);
            drop(former);
            return Poll::Pending;
        }
        Poll::Ready(Brought::Notices(std::mem::take(&mut server.pending)))
    }

    fn settle(&self, pull: Pull, came: Brought) {
        let woken = self.client.lock().unwrap().state.take(pull.0, came);
        woken.into_iter().for_each(Waker::wake);
    }
}

impl World {
    fn tell(&self, number: u64, notice: Notice) {
        self.change(|server| server.pending.push((number, notice)));
    }

    fn lose(&self) {
        self.change(|server| server.is_lost = true);
    }

    fn change(&self, change: impl FnOnce(&mut Server)) {
        let mut server = self.server.lock().unwrap();
        change(&mut server);
        let waiting = server.waiting.take();
        drop(server);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Lists an upload, before the request that opens it.
    fn list(&self, number: u64) {
        if !self.lists_late {
            self.client.lock().unwrap().state.list(number);
        }
    }

    /// Notes that an upload is open, after that request's answer.
    fn note_open(&self, number: u64) {
        let mut client = self.client.lock().unwrap();
        if self.lists_late {
            client.state.list(number);
        }
        client.state.note_open(number, Duration::from_secs(3600));
    }

    fn open(&self, number: u64) {
        self.list(number);
        self.note_open(number);
    }

    fn close(&self, number: u64) {
        drop(self.client.lock().unwrap().state.remove(number));
    }
}

/// Waits until the method has ended. Returns whether it has.
fn until_answered(world: &Arc<World>, number: u64) -> bool {
    block_on(|cx| poll_answered(world, number, cx))
}

fn poll_answered(world: &Arc<World>, number: u64, cx: &Context<'_>) -> Poll<bool> {
    let mut waker = Some(cx.waker().clone());
    let mut client = world.client.lock().unwrap();
    let news = client.state.look(number, &mut waker, super::Upload::see_answered);
    let must_pull = client.under_way().is_none();
    drop(client);
    drop(waker);
    match news {
        Some(news) => return Poll::Ready(news.is_ok()),
        None if must_pull => unattended::go_on(world),
        None => {}
    }
    Poll::Pending
}

fn model(lists_late: bool, run: impl Fn(&Arc<World>) + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(move || {
        let world = Arc::new(World {
            client: Mutex::new(Unattended::new(Uploads::default())),
            server: Mutex::default(),
            lists_late,
        });
        run(&world);
        // The request that waits holds all of them.
        let waiting = world.server.lock().unwrap().waiting.take();
        drop(waiting);
    });
}

fn spawn<T: 'static>(
    world: &Arc<World>,
    run: impl FnOnce(&Arc<World>) -> T + 'static,
) -> thread::JoinHandle<T> {
    let world = Arc::clone(world);
    thread::spawn(move || run(&world))
}

#[test]
fn two_uploads_hear_what_is_told_of_each() {
    model(false, |world| {
        (1..=2).for_each(|number| world.open(number));
        let tells = spawn(world, |world| {
            world.tell(1, Notice::Answered);
            world.tell(2, Notice::Answered);
        });
        let second = spawn(world, |world| until_answered(world, 2));
        assert!(until_answered(world, 1));
        assert!(second.join().unwrap());
        tells.join().unwrap();
    });
}

#[test]
fn an_upload_that_goes_while_it_waits_takes_no_wake_up_along() {
    model(false, |world| {
        (1..=2).for_each(|number| world.open(number));
        let tells = spawn(world, |world| {
            world.tell(1, Notice::Answered);
            world.tell(2, Notice::Answered);
        });
        let goes = spawn(world, |world| {
            let _ = poll_answered(world, 1, &Context::from_waker(Waker::noop()));
            world.close(1);
        });
        assert!(until_answered(world, 2));
        goes.join().unwrap();
        tells.join().unwrap();
    });
}

#[test]
fn a_lost_connection_wakes_all_uploads() {
    model(false, |world| {
        (1..=2).for_each(|number| world.open(number));
        let loses = spawn(world, |world| world.lose());
        let second = spawn(world, |world| until_answered(world, 2));
        assert!(!until_answered(world, 1) && !second.join().unwrap());
        loses.join().unwrap();
    });
}

/// An upload's method ends before its owner knows that the upload is open, while another upload waits.
/// No thread sleeps here: loom cannot report a deadlock of a model that is expected to fail.
fn ends_at_once(world: &Arc<World>) {
    let cx = Context::from_waker(Waker::noop());
    world.open(1);
    assert!(poll_answered(world, 1, &cx).is_pending());
    world.list(2);
    let server = spawn(world, |world| world.tell(2, Notice::Answered));
    world.note_open(2);
    let first_look = poll_answered(world, 2, &cx);
    server.join().unwrap();
    let has_learnt = first_look.is_ready() || poll_answered(world, 2, &cx).is_ready();
    assert!(has_learnt, "an upload waits though its method has ended");
}

#[test]
fn an_upload_that_ends_at_once_learns_so() {
    model(false, ends_at_once);
}

#[test]
#[should_panic(expected = "though its method has ended")]
fn an_upload_that_is_listed_when_it_is_open_is_caught() {
    model(true, ends_at_once);
}
