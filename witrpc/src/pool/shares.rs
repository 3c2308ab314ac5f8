//! How many workers each client may have.
//!
//! A worker belongs to a client while it runs a method of it, or polls a task of it. A call whose caller has
//! given up keeps its worker, and counts, until its handler returns. While more than an eighth of the workers
//! are free, any client gets one. Of the last eighth, a client gets one only under two conditions. It has fewer
//! than its share, `max(1, max_workers / connected clients)`, and it has fewer than are free. So several
//! clients that never give a worker back still leave one for a client without any.
//!
//! With fewer than eight workers, an eighth is less than one. Then, while several clients are connected, the
//! last worker goes to a client that has none. A client that is alone gets all, since a reserve would leave a
//! large part of them unused. A client that comes later waits until a handler returns, or the first client
//! leaves.
//!
//! # Threads that are left behind
//!
//! A client that reconnects has another id, so calls from before do not count against it. Therefore a thread in
//! a method of a client that has gone is *left behind*. It is not a worker any more, and the server replaces
//! it. It does so for up to `max_left_behind` threads, so there are at most as many more, and the one that
//! looks. That limit is `max_workers`, but at least 8: with one worker, a client that was killed in a slow
//! method can come back at once.
//!
//! When that many are left behind, no client is let in, and no task of a client that has gone is polled. Then a
//! connected client keeps what it had. Until the last is let in, fewer than `max_left_behind` are left behind,
//! all of them replaced. So the connected clients share `max_workers` by the rule above, and `n > 0` of these
//! are free for a client without any. The others, when they leave, leave at most `max_workers - n` more behind.
//! That is less than `max_left_behind + max_workers - n` in all. So of the `max_left_behind + max_workers`
//! threads, more than `n` remain.
//!
//! Threads left behind are not counted as they come and go. Instead, a look near the bound counts the seats of
//! clients that are not connected ([`Census`]). So a call that its client leaves at any moment, or a task that
//! is polled long after, counts exactly as long as it runs.
//!
//! # Threads outside of the pool
//!
//! A method that takes an upload has a [thread of its own](super::external_thread), which is not a worker and
//! is never replaced. Such a thread has a seat among the [external](Shares::external_seats) ones. The holder of the role
//! never looks at these, so they change no share, replacement or polling of tasks.
//!
//! A client has at most eight such threads at once. But a client that leaves them stuck, and reconnects, would
//! have eight more each time. So threads of clients that have gone count as left behind here too. No client is
//! let in while `max_left_behind` threads or more are left behind, in the pool and outside of it together. The
//! argument above still holds: until the last client is let in, fewer than that are left behind in the pool
//! alone. The same holds outside of it, where each connected client can add eight.
//!
//! # Invariants
//!
//! 1. Those of the [seats](super::seats): a holder sees each thread that is stuck, and counts no stand-by as
//!    left behind. So it never overestimates the free workers.
//! 2. Requests and tasks of a client without a share left stay where they are. Each look computes the
//!    [`FullClients`] anew, as does the last look, which follows the fence after the role was put down. A
//!    thread that comes back clears its seat, counts, fences, and looks at the role. One of the two fences
//!    comes first. Either the last look finds the seat cleared, or the thread finds the role vacant and looks
//!    itself. So nothing that may run is left behind.
//! 3. When a client leaves, the shares grow, and its threads can be replaced. It is taken off the list of
//!    clients first, then a thread is rung for.
//! 4. Only the holder of the role starts threads. So two looks never replace the same thread.
//! 5. How many threads the pool may have follows from the pool's seats alone. Only the look that decides
//!    whether a client is let in ([`Shares::too_many_left_behind`]) reads the external ones.
//!
//! While more than an eighth of the workers are free and few are left behind, the cost is small. A call makes
//! two stores to a cache line of its thread's own, and a look one comparison. Otherwise a look walks over the
//! seats, in memory that the thread keeps for that, and takes the lock of the list of clients once.

use std::sync::Arc;

use super::census::{Census, Clients};
use super::seats::Seats;
use super::thread_count::PoolCounts;
use crate::rt::primitive::Primitives;

/// The least limit on threads left behind.
const MIN_LEFT_BEHIND: u32 = 8;

/// The rule of one server, with the state that it depends on.
pub struct Shares<P: Primitives> {
    max_workers: u32,
    /// The seats of the pool's threads.
    pub seats: Seats<P>,
    /// Shared with the threads, which do not keep the pool alive.
    pub external_seats: Arc<Seats<P>>,
    clients: Arc<dyn Clients>,
}

impl<P: Primitives> Shares<P> {
    pub fn new(max_workers: u32, clients: Arc<dyn Clients>) -> Self {
        Self { max_workers, seats: Seats::new(), external_seats: Arc::new(Seats::new()), clients }
    }

    /// Returns the clients that share the threads.
    pub fn clients(&self) -> &dyn Clients {
        &*self.clients
    }

    /// Returns whether threads stand in for others that are not left behind any more.
    pub fn has_too_many_threads(&self, counts: PoolCounts, census: &mut Census) -> bool {
        counts.exceed(self.max_workers) && counts.exceed(self.capacity(census))
    }

    /// Returns how many threads may be in methods now, including some that are left behind.
    fn capacity(&self, census: &mut Census) -> u32 {
        census.take(self.seats.clients(), &*self.clients);
        self.capacity_beside(census.left_behind())
    }

    /// Returns whether the holder of the role may start another thread, in place of one that is left behind.
    pub fn replaces_one(&self, counts: PoolCounts, census: &mut Census) -> bool {
        counts.needs_another(self.capacity(census))
    }

    /// Returns the limit on threads left behind, in the pool and outside of it, if it is reached.
    pub fn too_many_left_behind(&self) -> Option<u32> {
        let mut census = Census::default();
        let seated = self.seats.clients().chain(self.external_seats.clients());
        census.take(seated, &*self.clients);
        let max = self.max_left_behind();
        (census.left_behind() >= max).then_some(max)
    }

    /// Returns which clients may get no more workers, or `None` if any client may get any free worker. For the
    /// holder of the role, or a thread that has just put it down. `others_run` is the number of other threads
    /// in methods.
    #[inline]
    pub fn limits<'a>(
        &'a self,
        counts: PoolCounts,
        others_run: u32,
        census: &'a mut Census,
    ) -> Option<FullClients<'a>> {
        let free = self.max_workers.saturating_sub(others_run);
        // A thread that is alone, without a stand-by, serves all requests: no other thread could be started.
        let is_ample = free > self.max_workers / 8 && free > 1;
        if is_ample || others_run == 0 || counts.threads <= 1 {
            return None;
        }
        self.limits_near_the_bound(others_run, census)
    }

    #[cold]
    fn limits_near_the_bound<'a>(
        &'a self,
        others_run: u32,
        census: &'a mut Census,
    ) -> Option<FullClients<'a>> {
        census.take(self.seats.clients(), &*self.clients);
        let (connected, left_behind) = (census.connected.max(1), census.left_behind());
        let free = self.capacity_beside(left_behind).saturating_sub(others_run);
        let eighth = self.max_workers / 8;
        let reserve = if connected > 1 { eighth.max(1) } else { eighth };
        let is_ample = free > reserve;
        let serves_gone = left_behind < self.max_left_behind();
        if is_ample && serves_gone {
            return None;
        }
        let share = (u64::from(self.max_workers) / connected).max(1);
        let most = if is_ample { u32::MAX } else { share.min(free.into()) as u32 };
        Some(FullClients { census, clients: &*self.clients, most, serves_gone })
    }

    fn capacity_beside(&self, left_behind: u32) -> u32 {
        self.max_workers + left_behind.min(self.max_left_behind())
    }

    /// Returns how many threads may be left behind.
    fn max_left_behind(&self) -> u32 {
        self.max_workers.max(MIN_LEFT_BEHIND)
    }
}

/// How many workers a client may have for now.
pub struct FullClients<'a> {
    census: &'a Census,
    clients: &'a dyn Clients,
    /// A client that has this many gets no more.
    most: u32,
    /// Whether tasks of clients that have gone are polled.
    serves_gone: bool,
}

impl FullClients<'_> {
    /// Returns whether all workers are taken.
    pub fn allow_none(&self) -> bool {
        self.most == 0
    }

    pub fn allow(&self, client: u64) -> bool {
        match self.census.of(client) {
            Some(served) if served.has_gone => self.serves_gone,
            Some(served) => served.threads < self.most,
            None => self.most > 0 && (self.serves_gone || self.clients.is_connected(client)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use crate::pool::census::Served;
    use crate::pool::seats::{Seat, Tenant};
    use crate::rt::primitive::Std;

    use super::*;

    /// A list of that many clients, some of which have gone.
    struct Known {
        connected: u64,
        gone: Mutex<Vec<u64>>,
    }

    impl Clients for Known {
        fn look_up(&self, served: &mut [Served]) -> u64 {
            served.iter_mut().for_each(|each| each.has_gone = !self.is_connected(each.client));
            self.connected
        }

        fn is_connected(&self, client: u64) -> bool {
            !self.gone.lock().unwrap().contains(&client)
        }
    }

    /// A server whose threads never come back.
    struct Stuck {
        shares: Shares<Std>,
        clients: Arc<Known>,
        used: u32,
    }

    impl Stuck {
        fn new(max_workers: u32, connected: u64) -> Self {
            let clients = Arc::new(Known { connected, gone: Mutex::default() });
            let shares = Shares::new(max_workers, Arc::clone(&clients) as Arc<dyn Clients>);
            Self { shares, clients, used: 0 }
        }

        fn allows(&self, client: u64) -> bool {
            let counts = PoolCounts { threads: self.used + 2, standbys: 1 };
            let mut census = Census::default();
            let limits = self.shares.limits(counts, self.used, &mut census);
            limits.is_none_or(|limits| limits.allow(client))
        }

        fn sit_down(&mut self, client: u64) -> Arc<Seat<Std>> {
            let seat = self.shares.seats.sit_down();
            seat.take(Tenant { client, tag: 0 });
            self.used += 1;
            seat
        }

        /// Takes as many workers for a client as it gets, and returns their number.
        fn take_all(&mut self, client: u64) -> u32 {
            let before = self.used;
            let threads = |stuck: &Self| stuck.shares.capacity(&mut Census::default());
            while self.used < threads(self) && self.allows(client) {
                self.sit_down(client);
            }
            self.used - before
        }

        fn leaves(&self, client: u64) {
            self.clients.gone.lock().unwrap().push(client);
        }
    }

    fn taken(max_workers: u32, connected: u64, clients: &[u64]) -> Vec<u32> {
        let mut stuck = Stuck::new(max_workers, connected);
        clients.iter().map(|&client| stuck.take_all(client)).collect()
    }

    #[test]
    fn a_client_that_comes_after_those_that_took_all_they_get_finds_a_worker() {
        assert_eq!(taken(64, 3, &[1, 2, 3]), [56, 4, 2]);
        assert_eq!(taken(64, 1, &[1]), [56]);
        assert_eq!(taken(64, 100, &[1, 2, 3, 4, 5]), [56, 1, 1, 1, 1]);
        assert_eq!(taken(8, 2, &[1, 2]), [7, 1]);
        assert_eq!(taken(2, 2, &[1, 2]), [1, 1]);
        assert_eq!(taken(1, 3, &[1]), [1]);
    }

    #[test]
    fn a_client_that_is_alone_gets_all_of_a_few_workers() {
        assert_eq!(taken(7, 1, &[1]), [7]);
        assert_eq!(taken(2, 1, &[1]), [2]);
    }

    #[test]
    fn a_client_that_gives_a_worker_back_gets_another() {
        let mut stuck = Stuck::new(2, 2);
        let seat = stuck.sit_down(7);
        assert!(!stuck.allows(7) && stuck.allows(8));
        seat.leave();
        stuck.used = 0;
        assert!(stuck.allows(7));
        assert!(stuck.shares.seats.tenants().next().is_none());
    }

    #[test]
    fn one_that_comes_back_finds_workers_until_as_many_are_left_behind_as_may_be() {
        let cases: [(u32, &[u32]); 4] = [(64, &[56, 56]), (8, &[7, 7]), (2, &[1; 8]), (1, &[1; 8])];
        for (max_workers, rounds) in cases {
            let mut stuck = Stuck::new(max_workers, 2);
            let mut taken = Vec::new();
            for client in 10.. {
                if stuck.shares.too_many_left_behind() == Some(max_workers.max(8)) {
                    break;
                }
                taken.push(stuck.take_all(client));
                stuck.leaves(client);
                assert!(stuck.allows(7), "{taken:?} of {max_workers} leave none for the other");
            }
            assert_eq!(taken, rounds, "{max_workers}");
        }
    }

    #[test]
    fn with_as_many_left_behind_those_that_have_gone_get_nothing_and_others_what_is_free() {
        let mut stuck = Stuck::new(8, 2);
        (0..7).for_each(|_| drop(stuck.sit_down(1)));
        stuck.leaves(1);
        stuck.leaves(2);
        assert!(stuck.allows(1) && stuck.allows(2), "a place is left");
        stuck.sit_down(2);
        assert!(!stuck.allows(1) && !stuck.allows(2));
        assert!(stuck.allows(7));
        assert_eq!(stuck.take_all(7), 7, "of eight, one is kept for a client that has none");
    }

    #[test]
    fn threads_outside_of_the_pool_that_are_left_behind_close_the_door_and_are_not_replaced() {
        let mut stuck = Stuck::new(8, 2);
        let external_seats = Arc::clone(&stuck.shares.external_seats);
        let outside: Vec<_> = (0..5).map(|_| external_seats.sit_down()).collect();
        outside.iter().for_each(|seat| seat.take(Tenant { client: 1, tag: 0 }));
        let seats = [1; 3].map(|client| stuck.sit_down(client));
        assert_eq!(stuck.shares.too_many_left_behind(), None, "their client is connected");
        stuck.leaves(1);
        assert_eq!(stuck.shares.too_many_left_behind(), Some(8));
        assert_eq!(stuck.shares.capacity(&mut Census::default()), 8 + 3);
        assert!(stuck.allows(1), "the pool has room for tasks of those that have gone");
        assert_eq!(stuck.take_all(7), 7, "of eight, one is kept for a client that has none");
        seats[0].leave();
        assert_eq!(stuck.shares.too_many_left_behind(), None);
        seats[0].take(Tenant { client: 1, tag: 0 });
        outside[0].leave();
        assert_eq!(stuck.shares.too_many_left_behind(), None);
    }

    #[test]
    fn threads_that_are_too_many_are_not_workers() {
        let mut stuck = Stuck::new(2, 3);
        let seats = [1, 1].map(|client| stuck.sit_down(client));
        stuck.leaves(1);
        [7, 8].into_iter().for_each(|client| drop(stuck.sit_down(client)));
        assert_eq!(stuck.shares.capacity(&mut Census::default()), 4);
        seats[0].leave();
        stuck.used = 3;
        let counts = PoolCounts { threads: 5, standbys: 1 };
        let mut census = Census::default();
        let limits = stuck.shares.limits(counts, 3, &mut census).expect("none is free");
        assert!(limits.allow_none() && !limits.allow(9));
    }
}
