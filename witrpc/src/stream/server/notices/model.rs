//! loom models: a client that asks for notices, against threads that add notices and threads that close
//! uploads. A lost notice leaves the client asleep, which loom reports as a deadlock.
//!
//! The broken twin breaks the rule that a request checks, and registers itself, under one hold of the
//! lock.

use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;

use crate::stream::protocol::Notice;

use super::{Due, NoticesState};

/// A request, by the number of the client's call.
type PendingReply = usize;

/// The answer to a request.
#[derive(Debug, PartialEq)]
enum Answer {
    PendingNotices(Vec<(u64, Notice)>),
    End,
}

struct World {
    state: Mutex<NoticesState<PendingReply>>,
    /// The answer to the last request of the client.
    answer: Mutex<Option<(PendingReply, Answer)>>,
    came: Condvar,
    /// Breaks the rule.
    looks_first: bool,
}

impl World {
    fn new(looks_first: bool) -> Arc<Self> {
        let state = NoticesState { uploads: [1, 2].into(), ..NoticesState::default() };
        let (state, answer, came) = (Mutex::new(state), Mutex::new(None), Condvar::new());
        Arc::new(Self { state, answer, came, looks_first })
    }

    /// Answers without the lock on the state, as the server does.
    fn give(&self, due: Option<Due<PendingReply>>) {
        let (asked, answer) = match due {
            None => return,
            Some(Due::PendingNotices(asked, message)) => (
                asked,
                Answer::PendingNotices(Notice::read_all(&message).expect("it is the server's")),
            ),
            Some(Due::End(asked)) => (asked, Answer::End),
            Some(Due::Refusal(_)) => panic!("the client asks once at a time"),
        };
        let former = self.answer.lock().unwrap().replace((asked, answer));
        assert!(former.is_none(), "an answer that was not read: {former:?}");
        self.came.notify_one();
    }

    fn tell(&self, number: u64, notice: Notice) {
        let due = self.state.lock().unwrap().tell(number, notice);
        self.give(due);
    }

    fn close(&self, number: u64) {
        let due = self.state.lock().unwrap().close(number);
        self.give(due);
    }

    fn pull(&self, asked: PendingReply) {
        if self.looks_first && self.state.lock().unwrap().pending.is_empty() {
            self.state.lock().unwrap().waiting = Some(asked);
            return;
        }
        let due = self.state.lock().unwrap().pull(asked);
        self.give(due);
    }

    /// Asks as the client does, and sleeps until the answer is there.
    fn ask(&self, asked: PendingReply) -> Answer {
        self.pull(asked);
        let mut answer = self.answer.lock().unwrap();
        loop {
            match answer.take() {
                Some((request, answer)) => {
                    assert_eq!(request, asked);
                    return answer;
                }
                None => answer = self.came.wait(answer).unwrap(),
            }
        }
    }

    /// Asks until the client has `count` notices, which it returns, or no upload is open.
    fn hear(&self, count: usize) -> Vec<(u64, Notice)> {
        let mut heard = Vec::new();
        for asked in 0.. {
            match self.ask(asked) {
                Answer::PendingNotices(notices) => heard.extend(notices),
                Answer::End => break,
            }
            if heard.len() >= count {
                break;
            }
        }
        heard
    }
}

fn model(looks_first: bool, run: impl Fn(&Arc<World>) + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(move || run(&World::new(looks_first)));
}

fn spawn(world: &Arc<World>, run: impl FnOnce(&World) + 'static) -> thread::JoinHandle<()> {
    let world = Arc::clone(world);
    thread::spawn(move || run(&world))
}

/// Two methods send notices of their uploads; the second sends two of its upload.
fn two_tell(world: &Arc<World>) {
    let first = spawn(world, |world| world.tell(1, Notice::Answered));
    let second = spawn(world, |world| {
        world.tell(2, Notice::Room);
        world.tell(2, Notice::Answered);
    });
    let heard = world.hear(3);
    assert_eq!(heard.len(), 3, "each is told once: {heard:?}");
    for notice in [(1, Notice::Answered), (2, Notice::Room), (2, Notice::Answered)] {
        assert!(heard.contains(&notice), "{notice:?} is lost: {heard:?}");
    }
    first.join().unwrap();
    second.join().unwrap();
}

#[test]
fn a_notice_that_comes_while_an_answer_is_written_goes_with_the_next() {
    model(false, two_tell);
}

/// A method sends a notice while the client asks. The client does not sleep here: loom cannot report a
/// deadlock of a model that is expected to fail.
fn one_tells(world: &Arc<World>) {
    let tells = spawn(world, |world| world.tell(1, Notice::Answered));
    world.pull(0);
    tells.join().unwrap();
    let state = world.state.lock().unwrap();
    let sleeps = state.waiting.is_some() && !state.pending.is_empty();
    assert!(!sleeps, "a request waits, and a notice does too");
}

#[test]
fn a_request_does_not_wait_beside_a_notice() {
    model(false, one_tells);
}

#[test]
#[should_panic(expected = "a notice does too")]
fn a_request_that_looks_before_it_leaves_itself_is_caught() {
    model(true, one_tells);
}

#[test]
fn a_client_whose_uploads_are_closed_hears_the_end() {
    model(false, |world| {
        let tells = spawn(world, |world| world.tell(1, Notice::Room));
        let closes = spawn(world, |world| {
            world.close(2);
            world.close(1);
        });
        let heard = world.hear(2);
        assert!(heard.is_empty() || heard == [(1, Notice::Room)], "{heard:?}");
        tells.join().unwrap();
        closes.join().unwrap();
        assert!(
            world.state.lock().unwrap().pending.is_empty(),
            "of what is closed nothing is kept"
        );
    });
}

#[test]
fn of_an_upload_that_is_closed_nothing_is_told_and_the_others_are() {
    model(false, |world| {
        let closes = spawn(world, |world| world.close(1));
        let tells = spawn(world, |world| {
            world.tell(1, Notice::Answered);
            world.tell(2, Notice::Answered);
        });
        let mut asked = 0;
        let mut heard = Vec::new();
        while !heard.contains(&(2, Notice::Answered)) {
            let Answer::PendingNotices(notices) = world.ask(asked) else { panic!("one is open") };
            heard.extend(notices);
            asked += 1;
        }
        closes.join().unwrap();
        tells.join().unwrap();
    });
}
