//! loom models: subscribers that come and go, a server that keeps the newest set, and the thread that
//! pulls while the server knows of a subscriber.

use std::collections::BTreeSet;

use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;

use super::Pulling;

/// The state under the lock of the subscriptions.
#[derive(Default)]
struct Client {
    pulling: Pulling,
    version: u64,
    wanted: BTreeSet<u8>,
    known: BTreeSet<u8>,
}

/// A model of how a server treats sets and pulls.
#[derive(Default)]
struct Server {
    version: u64,
    wanted: usize,
    /// The model is over: pulls that still wait end.
    is_over: bool,
}

#[derive(Default)]
struct World {
    client: Mutex<Client>,
    server: Mutex<Server>,
    changed: Condvar,
    pullers: Mutex<Vec<thread::JoinHandle<Left>>>,
    /// Breaks the rule that the thread checks for owed sets before it ends.
    forgets: bool,
}

/// The reason why a thread has ended.
#[derive(Debug, PartialEq)]
enum Left {
    /// There was no subscriber.
    NotWanted,
    /// It waited for events when the model was over.
    Waiting,
}

impl World {
    /// Sends the whole set with a new version. Other messages may overtake it.
    fn tell(&self) {
        let (version, wanted) = {
            let mut client = self.client.lock().unwrap();
            client.version += 1;
            client.pulling.settle(0);
            (client.version, client.wanted.len())
        };
        let mut server = self.server.lock().unwrap();
        if version > server.version {
            server.version = version;
            server.wanted = wanted;
            self.changed.notify_all();
        }
    }

    /// Runs the thread.
    fn pull(&self) -> Left {
        loop {
            let owed = self.client.lock().unwrap().pulling.take_owed();
            owed.into_iter().for_each(|_| self.tell());
            let mut server = self.server.lock().unwrap();
            while server.wanted > 0 {
                if server.is_over {
                    return Left::Waiting;
                }
                server = self.changed.wait(server).unwrap();
            }
            drop(server);
            let mut client = self.client.lock().unwrap();
            if self.forgets {
                client.pulling.settle(0);
            }
            let is_known = !client.known.is_empty();
            if client.pulling.leave_unless(is_known) {
                return Left::NotWanted;
            }
        }
    }

    /// Checks, once all others are done, whether the right threads pull.
    fn check(&self) {
        self.server.lock().unwrap().is_over = true;
        self.changed.notify_all();
        let pullers = std::mem::take(&mut *self.pullers.lock().unwrap());
        let left = pullers.into_iter().map(|puller| puller.join().unwrap());
        let waiting = left.filter(|left| *left == Left::Waiting).count();
        let (client, server) = (self.client.lock().unwrap(), self.server.lock().unwrap());
        let is_right = server.wanted == client.wanted.len();
        assert!(waiting <= 1, "{waiting} threads pull");
        assert_eq!(client.pulling.is_running(), waiting == 1);
        assert!(server.wanted == 0 || waiting == 1, "events come, and no thread pulls them");
        // The next event makes the thread send the server the set.
        assert!(is_right || waiting == 1, "the server sends what no subscriber wants, for ever");
    }
}

fn see_to_a_thread(world: &Arc<World>, client: &mut Client) {
    if client.pulling.begin() {
        let pulling = Arc::clone(world);
        let puller = thread::spawn(move || pulling.pull());
        world.pullers.lock().unwrap().push(puller);
    }
}

/// Announces a subscriber to the server. The subscriber may be dropped before the answer.
fn subscribe(world: &Arc<World>, number: u8, is_given_up: bool) {
    world.client.lock().unwrap().wanted.insert(number);
    world.tell();
    if !is_given_up {
        let mut client = world.client.lock().unwrap();
        client.known.insert(number);
        see_to_a_thread(world, &mut client);
    }
}

fn unsubscribe(world: &Arc<World>, number: u8, has_lane: bool) {
    {
        let mut client = world.client.lock().unwrap();
        client.wanted.remove(&number);
        client.known.remove(&number);
    }
    if has_lane {
        world.tell();
    } else {
        let mut client = world.client.lock().unwrap();
        client.pulling.owe(0);
        see_to_a_thread(world, &mut client);
    }
}

/// Runs two closures at once, after a first subscriber was added if `has_first`.
fn model(
    [has_first, forgets]: [bool; 2],
    one: impl Fn(&Arc<World>) + Send + Sync + Copy + 'static,
    other: impl Fn(&Arc<World>) + Send + Sync + Copy + 'static,
) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(move || {
        let world = Arc::new(World { forgets, ..World::default() });
        if has_first {
            subscribe(&world, 1, false);
        }
        let beside = Arc::clone(&world);
        let beside = thread::spawn(move || one(&beside));
        other(&world);
        beside.join().unwrap();
        world.check();
    });
}

#[test]
fn one_comes_while_the_last_one_goes() {
    model([true, false], |world| unsubscribe(world, 1, true), |world| subscribe(world, 2, false));
}

#[test]
fn one_comes_while_the_last_one_goes_and_finds_no_lane() {
    model([true, false], |world| unsubscribe(world, 1, false), |world| subscribe(world, 2, false));
}

#[test]
fn two_come_at_once() {
    model([false, false], |world| subscribe(world, 1, false), |world| subscribe(world, 2, false));
}

fn give_up(world: &Arc<World>) {
    subscribe(world, 2, true);
    unsubscribe(world, 2, false);
}

#[test]
fn one_that_is_given_up_finds_no_lane_while_another_goes() {
    model([true, false], give_up, |world| unsubscribe(world, 1, true));
    model([false, false], give_up, |world| unsubscribe(world, 1, false));
}

#[test]
#[should_panic(expected = "no thread pulls them")]
fn a_thread_that_forgets_what_it_owes_is_caught() {
    model([true, true], give_up, |world| unsubscribe(world, 1, true));
}
