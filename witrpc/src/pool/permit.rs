//! The work that a thread with the role may run.

use crate::tag;

use super::census::Census;
use super::seats::Tenant;
use super::shares::{FullClients, Shares};
use super::thread_count::{PoolCounts, ThreadCount};
use crate::rt::primitive::Primitives;

/// The work that may run on this thread.
pub enum Permit<'a> {
    /// All work.
    All,
    /// Work that runs no method, and the methods of clients that have a share left.
    Within(FullClients<'a>),
    /// Work that runs no method: this is the last thread that can be woken, or all workers are taken.
    Upkeep,
}

impl<'a> Permit<'a> {
    /// Returns what the holder of the role may run.
    pub fn of_holder<P: Primitives>(
        thread_count: &ThreadCount<P>,
        shares: &'a Shares<P>,
        census: &'a mut Census,
    ) -> Self {
        let counts = thread_count.counts();
        // A short cut for the usual case, with the same result as what follows.
        if counts.others_only_stand_by() {
            return Permit::All;
        }
        if !counts.may_serve() {
            return Permit::Upkeep;
        }
        Self::within(shares, counts, counts.others_in_handlers(), census)
    }

    /// Returns what a thread that has just put the role down may run if it takes the role again. `served` says
    /// whether it could run methods before.
    pub fn of_stand_by<P: Primitives>(
        thread_count: &ThreadCount<P>,
        shares: &'a Shares<P>,
        served: bool,
        census: &'a mut Census,
    ) -> Self {
        let counts = thread_count.counts();
        if !served && !counts.others_stand_by() {
            return Permit::Upkeep;
        }
        Self::within(shares, counts, counts.in_handlers(), census)
    }

    #[inline]
    fn within<P: Primitives>(
        shares: &'a Shares<P>,
        counts: PoolCounts,
        others_run: u32,
        census: &'a mut Census,
    ) -> Self {
        match shares.limits(counts, others_run, census) {
            None => Permit::All,
            Some(limits) if limits.allow_none() => Permit::Upkeep,
            Some(limits) => Permit::Within(limits),
        }
    }

    /// Returns whether methods may run.
    pub fn serves(&self) -> bool {
        !matches!(self, Permit::Upkeep)
    }

    pub fn is_all(&self) -> bool {
        matches!(self, Permit::All)
    }

    pub fn allows(&self, Tenant { client, tag }: Tenant) -> bool {
        match self {
            Permit::All => true,
            Permit::Within(limits) => limits.allow(client) || tag::runs_nothing(tag),
            Permit::Upkeep => tag::runs_nothing(tag),
        }
    }
}
