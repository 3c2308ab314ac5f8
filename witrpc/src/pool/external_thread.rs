//! Threads that run methods of a server and are none of its pool's.

use std::sync::Arc;

use super::Pool;
use super::seats::{Seat, Seats, Tenant};
use crate::rt::primitive::Std;

/// A thread that runs methods of one client and is none of the pool's, for as long as it does. It does
/// not keep the pool.
pub struct ExternalThreadGuard {
    seats: Arc<Seats<Std>>,
    seat: Arc<Seat<Std>>,
}

impl ExternalThreadGuard {
    /// For a thread that starts with the method of that tenant, whose job is listed by itself.
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
