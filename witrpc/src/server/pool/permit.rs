//! What a thread that holds the role may run.

use super::crew::Crew;
use super::primitive::Primitives;
use super::shares::{Limits, Shares, Tenant};
use crate::tag;

/// What may run on this thread.
#[derive(Debug)]
pub(super) enum Permit {
    /// Whatever there is.
    All,
    /// What runs no method, and the methods of clients that have a share left.
    Within(Limits),
    /// What runs no method: this is the last thread that can be woken.
    Upkeep,
}

impl Permit {
    /// What the holder of the role may run.
    pub(super) fn of_holder<P: Primitives>(crew: &Crew<P>, shares: &Shares<P>) -> Self {
        let counts = crew.counts();
        if !counts.may_serve() {
            return Permit::Upkeep;
        }
        let limits = shares.limits(counts, counts.others_in_handlers());
        limits.map_or(Permit::All, Permit::Within)
    }

    /// What a thread that has just put the role down may run if it takes that again. `served` says
    /// whether it could run methods before.
    pub(super) fn of_stand_by<P: Primitives>(
        crew: &Crew<P>,
        shares: &Shares<P>,
        served: bool,
    ) -> Self {
        let counts = crew.counts();
        if !served && !counts.others_stand_by() {
            return Permit::Upkeep;
        }
        let limits = shares.limits(counts, counts.in_handlers());
        limits.map_or(Permit::All, Permit::Within)
    }

    /// Whether methods may run.
    pub(super) fn serves(&self) -> bool {
        !matches!(self, Permit::Upkeep)
    }

    pub(super) fn is_all(&self) -> bool {
        matches!(self, Permit::All)
    }

    pub(super) fn allows(&self, Tenant { client, tag }: Tenant) -> bool {
        match self {
            Permit::All => true,
            Permit::Within(limits) => limits.allow(client) || tag::runs_nothing(tag),
            Permit::Upkeep => tag::runs_nothing(tag),
        }
    }
}
