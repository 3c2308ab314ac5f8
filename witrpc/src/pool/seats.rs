//! What each thread of a server runs, and for which client.
//!
//! # Invariants
//!
//! 1. A thread writes its own [`Seat`] before it goes busy, and clears it before it counts as a stand-by. So
//!    the holder of the role, which has acquired the role's word and then the counts, sees a seat for each
//!    thread that is stuck. It may see one too many, of a thread that is about to come back. That thread looks
//!    at the role after it has cleared its seat.
//! 2. A thread that has acquired the counts, and sees by them that another thread stands by, sees the seat
//!    of the other cleared.
//! 3. Seats are added and never taken away: a thread that starts reuses the seat of one that has ended. So a
//!    look walks over them without a lock.
//! 4. A thread [outside of the pool](super::external_thread) has its seat in a separate list, from before it
//!    starts until it ends. The thread that starts it leaves its own seat only after that. For this moment, a
//!    look at both lists may count the method twice. If nothing orders the look behind the start, it may also
//!    miss the method; the next look finds it.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use witrpc_rt::lock;

use crate::rt::primitive::{Primitives, Word};

/// The client and the method that one thread runs. On a cache line of its own.
#[repr(align(64))]
pub struct Seat<P: Primitives> {
    /// The client's id; 0 for none.
    client: P::Word,
    /// The tag of the request.
    tag: P::Word,
}

/// The client and the method that a thread runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tenant {
    pub client: u64,
    pub tag: u32,
}

impl Tenant {
    /// Returns the same for a job that is listed by itself.
    pub fn unnamed(self) -> Self {
        Self { tag: u32::MAX, ..self }
    }
}

impl<P: Primitives> Seat<P> {
    fn new() -> Self {
        Self { client: P::Word::new(0), tag: P::Word::new(0) }
    }

    /// Writes the seat of a thread that goes busy next. Released by the change of the role's word that follows.
    #[inline]
    pub fn take(&self, tenant: Tenant) {
        self.tag.store(tenant.tag.into(), Relaxed);
        self.client.store(tenant.client, Relaxed);
    }

    /// Clears the seat of a thread that is in no method. Released by the change of the counts, or of the role's
    /// word.
    #[inline]
    pub fn leave(&self) {
        self.client.store(0, Relaxed);
    }

    fn client(&self) -> Option<u64> {
        Some(self.client.load(Relaxed)).filter(|&client| client != 0)
    }

    fn tenant(&self) -> Option<Tenant> {
        self.client().map(|client| Tenant { client, tag: self.tag.load(Relaxed) as u32 })
    }
}

/// The seats of a server's threads: of those in its pool, or of the others.
pub struct Seats<P: Primitives> {
    first: NextRow<P>,
    /// Seats whose threads have ended.
    free: Mutex<Vec<Arc<Seat<P>>>>,
}

/// The place of a seat, or of the next one to be added.
type NextRow<P> = OnceLock<Box<Row<P>>>;

/// A seat, and all that were added after it.
struct Row<P: Primitives> {
    seat: Arc<Seat<P>>,
    next: NextRow<P>,
}

impl<P: Primitives> Seats<P> {
    pub fn new() -> Self {
        Self { first: OnceLock::new(), free: Mutex::default() }
    }

    /// Returns a seat for a thread that starts.
    pub fn sit_down(&self) -> Arc<Seat<P>> {
        let left = self.free().pop();
        left.unwrap_or_else(|| self.add())
    }

    /// Takes back the seat of a thread that ends.
    pub fn give_back(&self, seat: &Arc<Seat<P>>) {
        self.free().push(Arc::clone(seat));
    }

    /// Returns the methods that run now.
    pub fn tenants(&self) -> impl Iterator<Item = Tenant> {
        self.iter().filter_map(Seat::tenant)
    }

    /// Returns the client of each method that runs now.
    pub fn clients(&self) -> impl Iterator<Item = u64> {
        self.iter().filter_map(Seat::client)
    }

    fn add(&self) -> Arc<Seat<P>> {
        let seat = Arc::new(Seat::new());
        let mut row = Box::new(Row { seat: Arc::clone(&seat), next: OnceLock::new() });
        let mut place = &self.first;
        while let Err(back) = place.set(row) {
            row = back;
            place = &place.get().expect("it could not be set").next;
        }
        seat
    }

    fn iter(&self) -> impl Iterator<Item = &Seat<P>> {
        let rows = std::iter::successors(self.first.get(), |row| row.next.get());
        rows.map(|row| &*row.seat)
    }

    fn free(&self) -> MutexGuard<'_, Vec<Arc<Seat<P>>>> {
        lock(&self.free)
    }
}

impl<P: Primitives> Drop for Seats<P> {
    fn drop(&mut self) {
        // One by one: otherwise each would drop the next on the stack.
        let mut rest = self.first.take();
        while let Some(mut row) = rest {
            rest = row.next.take();
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rt::primitive::Std;

    use super::*;

    #[test]
    fn the_seat_of_a_thread_that_has_ended_is_the_next_ones() {
        let seats = Seats::<Std>::new();
        let all: Vec<_> = (0..3).map(|_| seats.sit_down()).collect();
        all.iter().zip(1..).for_each(|(seat, client)| seat.take(Tenant { client, tag: 0 }));
        assert_eq!(seats.clients().collect::<Vec<_>>(), [1, 2, 3]);
        all[1].leave();
        seats.give_back(&all[1]);
        assert_eq!(seats.clients().collect::<Vec<_>>(), [1, 3]);
        seats.sit_down().take(Tenant { client: 4, tag: 9 });
        let tenants: Vec<_> = seats.tenants().map(|tenant| (tenant.client, tenant.tag)).collect();
        assert_eq!(tenants, [(1, 0), (4, 9), (3, 0)]);
    }
}
