//! How many workers each client may have.
//!
//! A worker belongs to a client while it runs a method of it, or polls a task of it. A call whose
//! caller has given up keeps its worker, and counts, until its handler returns. While more than an
//! eighth of the workers are free, any client gets one. Of the last eighth a client gets one only
//! while it has fewer than its share, `max(1, max_workers / connected clients)`, and fewer than are
//! free. So several clients that never give a worker back still leave one for a client that has none.
//!
//! # Invariants
//!
//! 1. A thread writes its own [`Seat`] before it goes busy, and clears it before it counts as a
//!    stand-by. So the holder of the role, which has acquired the role's word and then the counts,
//!    sees a seat for each thread that is stuck. It may see one too many, of a thread that is about to
//!    come back: that thread looks at the role after it has cleared its seat.
//! 2. Requests and tasks of a client without a share left stay where they are. Each look computes the
//!    [`Limits`] anew; the last look, after the role was put down and the fence behind that, does so
//!    too. A thread that comes back clears its seat, counts, fences, and looks at the role. Of the two
//!    fences one comes first: either the last look finds the seat cleared, or the thread finds the
//!    role vacant and looks itself. So nothing that may run is left behind.
//! 3. When a client leaves, the shares grow: the number of clients is lowered first, then a thread is
//!    rung for.
//!
//! While more than an eighth of the workers are free, all of this costs a call two stores to a cache
//! line of its thread's own, and a look one comparison.

use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};

use witrpc_rt::lock;

use super::crew::Counts;
use super::primitive::{Primitives, Word};

/// What one thread runs, and for whom. On a cache line of its own.
#[repr(align(64))]
pub(super) struct Seat<P: Primitives> {
    /// The client's id; 0 for none.
    client: P::Word,
    /// The tag of the request.
    tag: P::Word,
}

/// Whose method runs on a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) struct Tenant {
    pub(in crate::server) client: u64,
    pub(in crate::server) tag: u32,
}

impl Tenant {
    /// The same of a task that has waited, which is listed by itself.
    pub(super) fn unnamed(self) -> Self {
        Self { tag: u32::MAX, ..self }
    }
}

impl<P: Primitives> Seat<P> {
    fn new() -> Self {
        Self { client: P::Word::new(0), tag: P::Word::new(0) }
    }

    /// Its thread goes busy next. Released by the change of the role's word that follows.
    #[inline]
    pub(super) fn take(&self, tenant: Tenant) {
        self.tag.store(tenant.tag.into(), Relaxed);
        self.client.store(tenant.client, Relaxed);
    }

    /// Its thread is in no method. Released by the change of the counts, or of the role's word.
    #[inline]
    pub(super) fn leave(&self) {
        self.client.store(0, Relaxed);
    }

    fn tenant(&self) -> Option<Tenant> {
        let client = self.client.load(Relaxed);
        (client != 0).then(|| Tenant { client, tag: self.tag.load(Relaxed) as u32 })
    }
}

/// The seats of all threads, and the number of clients.
pub(super) struct Shares<P: Primitives> {
    max_workers: u32,
    seats: Mutex<Vec<Arc<Seat<P>>>>,
    clients: Arc<P::Word>,
}

impl<P: Primitives> Shares<P> {
    /// `clients` counts those that are connected.
    pub(super) fn new(max_workers: u32, clients: Arc<P::Word>) -> Self {
        Self { max_workers, seats: Mutex::default(), clients }
    }

    /// A seat for a thread that starts.
    pub(super) fn sit_down(&self) -> Arc<Seat<P>> {
        let seat = Arc::new(Seat::new());
        self.seats().push(Arc::clone(&seat));
        seat
    }

    /// A thread ends.
    pub(super) fn remove(&self, seat: &Arc<Seat<P>>) {
        self.seats().retain(|each| !Arc::ptr_eq(each, seat));
    }

    /// The methods that run now.
    pub(super) fn tenants(&self) -> Vec<Tenant> {
        // Without the lock, which the model's words would be looked at under.
        let seats = self.seats().clone();
        seats.iter().filter_map(|seat| seat.tenant()).collect()
    }

    /// What clients may get next, for the holder of the role or for a thread that has just put it
    /// down; `others_run` says how many other threads are in methods. `None`: any client may get any
    /// worker that is free.
    #[inline]
    pub(super) fn limits(&self, counts: Counts, others_run: u32) -> Option<Limits> {
        let free = self.max_workers.saturating_sub(others_run);
        // Without a stand-by and alone, a thread serves whatever comes: no other could be started.
        let is_ample = free > self.max_workers / 8 && free > 1;
        if is_ample || others_run == 0 || counts.threads <= 1 {
            return None;
        }
        self.limits_near_the_bound(free)
    }

    #[cold]
    fn limits_near_the_bound(&self, free: u32) -> Option<Limits> {
        let clients = self.clients.load(Acquire).max(1);
        let reserve =
            if clients > 1 { (self.max_workers / 8).max(1) } else { self.max_workers / 8 };
        if free > reserve {
            return None;
        }
        let share = u64::from(self.max_workers) / clients;
        let most = share.max(1).min(free.into()) as u32;
        let mut used: Vec<(u64, u32)> = Vec::new();
        for Tenant { client, .. } in self.tenants() {
            match used.iter_mut().find(|(each, _)| *each == client) {
                Some((_, count)) => *count += 1,
                None => used.push((client, 1)),
            }
        }
        used.retain(|(_, count)| *count >= most);
        let full = used.into_iter().map(|(client, _)| client).collect();
        Some(Limits { full })
    }

    fn seats(&self) -> MutexGuard<'_, Vec<Arc<Seat<P>>>> {
        lock(&self.seats)
    }
}

/// The clients that get no worker for now.
#[derive(Debug)]
pub(super) struct Limits {
    full: Vec<u64>,
}

impl Limits {
    pub(super) fn allow(&self, client: u64) -> bool {
        !self.full.contains(&client)
    }
}

#[cfg(test)]
mod tests {
    use super::super::primitive::Std;
    use super::*;

    /// Has clients take workers one after the other, as many as each gets; says how many that were.
    fn taken(max_workers: u32, connected: u64, clients: &[u64]) -> Vec<u32> {
        let shares = Shares::<Std>::new(max_workers, Arc::new(connected.into()));
        let mut used = 0;
        let mut all = Vec::new();
        for &client in clients {
            let before = used;
            let counts = Counts { threads: max_workers + 1, standbys: 1 };
            while used < max_workers
                && shares.limits(counts, used).is_none_or(|limits| limits.allow(client))
            {
                shares.sit_down().take(Tenant { client, tag: 0 });
                used += 1;
            }
            all.push(used - before);
        }
        all
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
        let shares = Shares::<Std>::new(2, Arc::new(2.into()));
        let seat = shares.sit_down();
        seat.take(Tenant { client: 7, tag: 0 });
        let counts = Counts { threads: 3, standbys: 1 };
        let allows = |used, client| shares.limits(counts, used).is_none_or(|l| l.allow(client));
        assert!(!allows(1, 7) && allows(1, 8));
        seat.leave();
        assert!(allows(0, 7));
        shares.remove(&seat);
        assert!(shares.tenants().is_empty());
    }
}
