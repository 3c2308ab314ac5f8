//! Models of how threads are shared among clients, some of which leave.

use std::sync::Arc as StdArc;
use std::sync::atomic::Ordering::{Acquire, Release};

use loom::sync::Arc;

use crate::pool::census::{Census, Clients, Served};
use crate::pool::permit::Permit;
use crate::pool::poller_lock::{PollerGuard, ThreadNumber};
use crate::pool::seats::Tenant;
use crate::pool::shares::Shares;
use crate::rt::primitive::Loom;

use super::{LoomWord, Server, check, spawn};

/// As many workers as there are if one client gets its share of them back.
const WORKERS: u32 = 16;

/// The rule that is broken in a model of shares.
#[derive(Clone, Copy, PartialEq)]
enum BrokenShares {
    Nothing,
    /// The last look uses what was found before the role was put down.
    OldLimits,
    /// A thread that comes back leaves its seat after it has looked at the role.
    SeatLeftLate,
    /// A thread is rung for before the client is off the list.
    RungEarly,
}

/// A client that is connected.
const CLIENT: Tenant = Tenant { client: 7, tag: 0 };

/// Another client, which has no thread.
const OTHER: Tenant = Tenant { client: 8, tag: 0 };

/// The client that leaves, or has left.
const LEAVER: Tenant = Tenant { client: 9, tag: 0 };

/// A list of that many clients, of which [`LEAVER`] may have gone.
struct Roster {
    connected: u64,
    leaver_has_gone: LoomWord,
}

impl Roster {
    fn new(connected: u64) -> StdArc<Self> {
        StdArc::new(Self { connected, leaver_has_gone: LoomWord::new(0) })
    }

    fn leave(&self) {
        self.leaver_has_gone.store(1, Release);
    }
}

impl Clients for Roster {
    fn look_up(&self, served: &mut [Served]) -> u64 {
        served.iter_mut().for_each(|each| each.has_gone = !self.is_connected(each.client));
        self.connected
    }

    fn is_connected(&self, client: u64) -> bool {
        client != LEAVER.client || self.leaver_has_gone.load(Acquire) == 0
    }
}

/// Plays a holder with one stand-by that stays asleep. Another thread comes back from a method of a client
/// whose next request waits for that. All others are stuck, and nothing rings.
fn a_client_gets_its_share_back(broken: BrokenShares) {
    check(move || {
        // Enough workers that a client is at its share whether one more is free or not.
        let server = Server::new(WORKERS);
        let shares = Arc::new(Shares::<Loom>::new(WORKERS, Roster::new(WORKERS.into())));
        for _ in 0..=WORKERS {
            server.thread_count.hire();
        }
        for _ in 0..WORKERS {
            server.thread_count.promote();
        }
        let seat = shares.seats.sit_down();
        seat.take(CLIENT);
        server.port.request.store(1, Release);
        let guard = server.protocol.woken(ThreadNumber::from_count(0)).expect("the role is vacant");
        let theirs = Arc::clone(&shares);
        let holder = spawn(&server, move |server| {
            serve_within_shares(server, &theirs, guard, CLIENT, broken);
        });
        if broken != BrokenShares::SeatLeftLate {
            seat.leave();
        }
        server.thread_count.stand_by();
        if let Some(guard) = server.protocol.woken(ThreadNumber::from_count(1)) {
            seat.leave();
            server.thread_count.promote();
            serve_within_shares(&server, &shares, guard, CLIENT, broken);
        }
        seat.leave();
        holder.join().unwrap();
        assert!(server.is_done(), "all sleep, the request waits");
    });
}

/// Looks with the role, looks once more after it has put it down, and ends when it would sleep. The request is
/// that of `tenant`.
fn serve_within_shares(
    server: &Server,
    shares: &Shares<Loom>,
    guard: PollerGuard,
    tenant: Tenant,
    broken: BrokenShares,
) {
    let mut census = Census::default();
    let mut held = Some(guard);
    while let Some(guard) = held.take() {
        let mut permit = Permit::of_holder(&server.thread_count, shares, &mut census);
        if !permit.serves() {
            if shares.replaces_one(server.thread_count.counts(), &mut census) {
                server.thread_count.hire();
            }
            permit = Permit::of_holder(&server.thread_count, shares, &mut census);
        }
        if permit.allows(tenant) && server.port.turn() {
            return server.finish();
        }
        server.thread_count.stand_by();
        server.protocol.release(guard);
        let last = match broken {
            BrokenShares::OldLimits => permit,
            _ => {
                let served = permit.serves();
                Permit::of_stand_by(&server.thread_count, shares, served, &mut census)
            }
        };
        if server.port.request_wakeup() && last.allows(tenant) {
            // Any number will do: it only tells threads apart that hold the role at once.
            held = server.protocol.reacquire(ThreadNumber::from_count(2));
            if held.is_some() {
                server.thread_count.promote();
            }
        }
    }
}

#[test]
fn a_request_beyond_its_clients_share_runs_when_a_handler_ends() {
    a_client_gets_its_share_back(BrokenShares::Nothing);
}

#[test]
#[should_panic(expected = "all sleep, the request waits")]
fn a_last_look_by_old_limits_leaves_a_request_behind() {
    a_client_gets_its_share_back(BrokenShares::OldLimits);
}

#[test]
#[should_panic(expected = "all sleep, the request waits")]
fn a_seat_that_is_left_after_the_look_at_the_role_leaves_a_request_behind() {
    a_client_gets_its_share_back(BrokenShares::SeatLeftLate);
}

/// Plays a holder at the bound, with a request that it may not run. The other thread is stuck for good in a
/// method of a client that leaves.
fn a_client_leaves_at_the_bound(broken: BrokenShares) {
    check(move || {
        let server = Server::new(1);
        let roster = Roster::new(2);
        let shares =
            Arc::new(Shares::<Loom>::new(1, StdArc::clone(&roster) as StdArc<dyn Clients>));
        for _ in 0..2 {
            server.thread_count.hire();
            server.thread_count.promote();
        }
        shares.seats.sit_down().take(LEAVER);
        server.port.request.store(1, Release);
        let guard = server.protocol.woken(ThreadNumber::from_count(0)).expect("the role is vacant");
        let theirs = Arc::clone(&shares);
        let holder = spawn(&server, move |server| {
            serve_within_shares(server, &theirs, guard, OTHER, broken);
            // It sleeps: the only thread that a ring can wake.
            while server.port.hears_a_ring() {
                look_again(server, &theirs);
            }
        });
        if broken == BrokenShares::RungEarly {
            server.port.ring();
            roster.leave();
        } else {
            roster.leave();
            server.port.ring();
        }
        holder.join().unwrap();
        while server.port.hears_a_ring() {
            look_again(&server, &shares);
        }
        assert!(server.is_done(), "all sleep or are stuck, the request waits");
        assert_eq!(server.thread_count.counts().threads, 3);
    });
}

/// Plays a thread that is woken.
fn look_again(server: &Server, shares: &Shares<Loom>) {
    if let Some(guard) = server.protocol.woken(ThreadNumber::from_count(0)) {
        server.thread_count.promote();
        serve_within_shares(server, shares, guard, OTHER, BrokenShares::Nothing);
    }
}

#[test]
fn a_request_that_waited_at_the_bound_runs_when_a_client_leaves_its_threads() {
    a_client_leaves_at_the_bound(BrokenShares::Nothing);
}

#[test]
#[should_panic(expected = "the request waits")]
fn a_ring_before_the_client_is_off_the_list_leaves_a_request_behind() {
    a_client_leaves_at_the_bound(BrokenShares::RungEarly);
}

/// Plays three threads for one worker. One that was left behind comes back; the one in its place is stuck in a
/// method of a connected client. So the third must run no method.
fn a_thread_that_was_replaced_comes_back(broken: BrokenShares) {
    check(move || {
        let server = Server::new(1);
        let roster = Roster::new(2);
        roster.leave();
        let shares = Arc::new(Shares::<Loom>::new(1, roster));
        for _ in 0..3 {
            server.thread_count.hire();
            server.thread_count.promote();
        }
        let [left_behind, stuck] = [(); 2].map(|()| shares.seats.sit_down());
        left_behind.take(LEAVER);
        stuck.take(CLIENT);
        server.port.request.store(1, Release);
        let guard = server.protocol.woken(ThreadNumber::from_count(0)).expect("the role is vacant");
        let theirs = Arc::clone(&shares);
        let holder = spawn(&server, move |server| {
            serve_within_shares(server, &theirs, guard, OTHER, broken);
        });
        if broken != BrokenShares::SeatLeftLate {
            left_behind.leave();
        }
        server.thread_count.stand_by();
        if broken == BrokenShares::SeatLeftLate {
            left_behind.leave();
        }
        look_again(&server, &shares);
        holder.join().unwrap();
        assert!(!server.is_done(), "two methods run for one worker");
        assert_eq!(server.thread_count.counts().threads, 3);
    });
}

#[test]
fn a_thread_that_comes_back_makes_no_worker_too_many() {
    a_thread_that_was_replaced_comes_back(BrokenShares::Nothing);
}

#[test]
#[should_panic(expected = "two methods run for one worker")]
fn a_seat_that_is_left_after_its_thread_counts_makes_a_worker_too_many() {
    a_thread_that_was_replaced_comes_back(BrokenShares::SeatLeftLate);
}
