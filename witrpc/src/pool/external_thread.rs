//! Threads that run methods of a server outside of its pool.

use std::sync::Arc;

use super::Pool;
use super::seats::{Seat, Seats, Tenant};
use crate::rt::primitive::Std;

/// The registration of a thread outside of the pool that runs methods of one client. It does not keep the pool
/// alive.
pub struct ExternalThreadGuard {
    seats: Arc<Seats<Std>>,
    seat: Arc<Seat<Std>>,
}

impl ExternalThreadGuard {
    /// Registers a thread that starts with the method of that tenant, whose job is listed by itself.
    pub fn new(pool: &Pool, tenant: Tenant) -> Self {
        let seats = Arc::clone(&pool.shares.external_seats);
        let seat = seats.sit_down();
        seat.take(tenant.unnamed());
        Self { seats, seat }
    }
}

impl Drop for ExternalThreadGuard {
    fn drop(&mut self) {
        self.seat.leave();
        self.seats.give_back(&self.seat);
    }
}
