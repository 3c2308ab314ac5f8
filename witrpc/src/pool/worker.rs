//! The loop of a server thread.
//!
//! # Invariants
//!
//! 1. A thread sleeps only after it has looked at the role
//!    ([`PollerProtocol::woken`](super::poller_protocol::PollerProtocol)). A thread that held the role also
//!    sleeps only after a last look that found nothing it may do.
//! 2. A woken thread does the same for every ring: it takes the role if that is free or its holder stuck, and
//!    looks at everything. So rings carry no meaning, and two may become one.
//! 3. A displaced thread touches neither the queue of tasks nor its scanner until it holds the role again.
//!    It learns that it was displaced once the answer of its handler is sent, which any thread may do.
//! 4. The only timed sleeps are those of a surplus thread and of the last free one at the bound.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use witrpc_transport::{
    Only, Peer, Request, Scanner, Serve, ServerPort, ShortAnswer, ShortRequest,
};

use crate::observe::counters::CounterHandle;

use super::Pool;
use super::census::Census;
use super::permit::Permit;
use super::poller_lock::{PollerGuard, ThreadNumber};
use super::seats::{Seat, Tenant};
use super::spin::PollerSpin;
use crate::rt::primitive::Std;

/// A surplus stand-by without work for this long retires.
const RETIRE_AFTER: Duration = Duration::from_secs(10);

/// The first sleep of the last free thread while all others are stuck. Each further one takes twice as long, up
/// to [`LONGEST_REST_AT_BOUND`]. The thread must not run the requests that wait, so they are no reason to stay
/// awake.
///
/// It need not look again for what it may run. Its last look has asked all clients to ring, and acts on what
/// the permit allows. A thread that comes back takes the role itself, and a ring follows each client that
/// leaves. Two models show that without a time limit on sleeps:
/// `a_request_that_waited_at_the_bound_runs_when_a_handler_ends` and
/// `a_request_that_waited_at_the_bound_runs_when_a_client_leaves_its_threads`. But nothing rings when a machine
/// that has refused a thread could start one again. A longer rest delays only that.
const FIRST_REST_AT_BOUND: Duration = Duration::from_millis(1);

const LONGEST_REST_AT_BOUND: Duration = Duration::from_millis(64);

/// Returns the permit as a filter by client and tag.
fn allows(permit: &Permit<'_>) -> impl Fn(u64, u32) -> bool {
    |client, tag| permit.allows(Tenant { client, tag })
}

/// Returns that filter for a scanner, or `None` if all may run.
fn only<'a>(permit: &Permit<'_>, allows: &'a impl Fn(u64, u32) -> bool) -> Option<Only<'a>> {
    (!permit.is_all()).then_some(allows as Only<'a>)
}

/// One thread.
pub struct PoolWorker {
    pool: Arc<Pool>,
    me: ThreadNumber,
    spin: PollerSpin,
    counted: CounterHandle,
    seat: Arc<Seat<Std>>,
    /// Since when this thread has been surplus and idle.
    surplus_since: Option<Instant>,
    /// How long this thread is to sleep, if all others were stuck when it last put the role down.
    rest_at_bound: Option<Duration>,
}

/// The outcome of one look.
enum Look {
    Nothing,
    Something,
    /// Another thread has the role.
    Displaced,
}

/// The reason why a thread does not hold the role any more.
enum Left {
    /// It put the role down: there is nothing to do.
    PutDown,
    /// It was displaced while it was in a handler.
    Displaced,
}

impl PoolWorker {
    pub fn new(pool: Arc<Pool>, me: ThreadNumber) -> Self {
        let (spin, counted) = (PollerSpin::new(pool.wait), pool.counter_registry.enroll());
        let seat = pool.shares.seats.sit_down();
        Self { pool, me, spin, counted, seat, surplus_since: None, rest_at_bound: None }
    }

    pub fn run(mut self) {
        let port = Arc::clone(&self.pool.port);
        let (mut scanner, mut census) = (port.scanner(), Census::default());
        while !self.pool.life.is_stopped() {
            // A displaced thread looks at the role before it sleeps, as if it had been rung. A holder that saw
            // no stand-by may have just put the role down with requests left.
            if let Some(guard) = self.pool.protocol.woken(self.me) {
                if guard.displaced_another() {
                    self.counted.counters.promotion();
                }
                self.take_on();
                if let Left::Displaced = self.hold(guard, &mut *scanner, &mut census) {
                    self.pool.thread_count.stand_by();
                    continue;
                }
            }
            if self.retires(&mut census) {
                return;
            }
            self.sleep(&*port);
        }
        // Passes the ring on: each thread that ends wakes the next.
        port.ring();
    }

    /// Makes sure that a thread stands by, after this one took the role.
    fn take_on(&mut self) {
        let is_wanted = self.pool.thread_count.promote();
        self.pool.life.stage.enter();
        if is_wanted {
            self.pool.hire();
        }
    }

    /// Holds the role until there is nothing to do or another thread takes it away.
    fn hold(
        &mut self,
        mut guard: PollerGuard,
        scanner: &mut dyn Scanner,
        census: &mut Census,
    ) -> Left {
        loop {
            let mut permit = Permit::of_holder(&self.pool.thread_count, &self.pool.shares, census);
            if !permit.serves() {
                self.pool.replace_left_behind(census);
                permit = Permit::of_holder(&self.pool.thread_count, &self.pool.shares, census);
            }
            let serves = permit.serves();
            self.pool.protocol.notice_tasks(&mut guard);
            let look = self.look(&permit, &mut guard, scanner);
            match look {
                Look::Displaced => {
                    self.has_worked();
                    return Left::Displaced;
                }
                Look::Something => {
                    self.has_worked();
                    self.spin.found();
                    if !self.pool.life.is_stopped() {
                        continue;
                    }
                }
                Look::Nothing if serves && !self.pool.life.is_stopped() && self.looks_again() => {
                    continue;
                }
                Look::Nothing => {}
            }
            match self.release(serves, guard, scanner, census) {
                Some(again) => guard = again,
                None => return Left::PutDown,
            }
        }
    }

    /// Notes that a look found something: this thread is not surplus, and need not rest for long.
    fn has_worked(&mut self) {
        (self.surplus_since, self.rest_at_bound) = (None, None);
    }

    /// Returns whether to look again after a look in vain.
    fn looks_again(&mut self) -> bool {
        self.spin.again()
    }

    /// Looks once at everything that may run here: requests, then one task.
    fn look(
        &self,
        permit: &Permit<'_>,
        guard: &mut PollerGuard,
        scanner: &mut dyn Scanner,
    ) -> Look {
        let pool = &self.pool;
        let mut turn = Turn { worker: self, guard, held: true };
        let found = scanner.turn(only(permit, &allows(permit)), &mut turn);
        if !turn.held {
            return Look::Displaced;
        }
        // The stage is read last. At the end of the server its clients leave, and a permit that has seen them
        // gone does not hold their tasks back.
        let looks_at_tasks = permit.serves() && guard.watches_tasks() && !pool.life.is_stopped();
        let task = looks_at_tasks.then(|| pool.tasks.next(&pool.protocol.bell, permit)).flatten();
        match task {
            Some(task) => {
                scanner.set_aside();
                self.begin(guard, task.tenant.unnamed());
                task.run_queued(pool);
                if self.end(guard) { Look::Something } else { Look::Displaced }
            }
            None if found => Look::Something,
            None => Look::Nothing,
        }
    }

    /// Goes busy for a client.
    #[inline]
    fn begin(&self, guard: &mut PollerGuard, tenant: Tenant) {
        self.seat.take(tenant);
        if self.pool.protocol.begin(guard) {
            self.pool.port.ring();
        }
    }

    /// Comes back from what it did for a client. Returns `false` if another thread has the role now.
    #[inline]
    fn end(&self, guard: &mut PollerGuard) -> bool {
        self.seat.leave();
        self.pool.protocol.end(guard)
    }

    /// Lets go of the role and looks once more. Returns the role if there is something to do.
    fn release(
        &mut self,
        serves: bool,
        guard: PollerGuard,
        scanner: &mut dyn Scanner,
        census: &mut Census,
    ) -> Option<PollerGuard> {
        let pool = &self.pool;
        pool.thread_count.stand_by();
        pool.protocol.release(guard);
        // Read before the last look, which then counts as the one after draining began.
        let draining = pool.life.is_draining();
        // Work that may not run must wait for a thread to come back. A thread that came back meanwhile either
        // took the role, or is counted here and has left its seat.
        let permit = Permit::of_stand_by(&pool.thread_count, &pool.shares, serves, census);
        let found = scanner.request_wakeup(only(&permit, &allows(&permit)))
            | pool.tasks.any(&pool.protocol.bell, &permit);
        let goes_on = found || !serves && permit.serves();
        self.rest_at_bound = (!serves && !goes_on).then(|| self.next_rest());
        if goes_on && !pool.life.is_stopped() {
            let again = pool.protocol.reacquire(self.me)?;
            self.take_on();
            return Some(again);
        }
        // Work that the permit did not allow has arrived too. The thread that it waits for takes the role as it
        // comes back.
        let nothing_is_left = permit.is_all() && !found;
        // Checked before that too: a thread that has just taken a call would refuse it.
        let is_over = || pool.is_quiet() && pool.life.stage.settle(|| pool.is_quiet());
        if draining && nothing_is_left && is_over() {
            pool.life.quiet();
        }
        None
    }

    /// Returns the next rest at the bound: twice as long as the one before, unless a look has found something
    /// since.
    fn next_rest(&self) -> Duration {
        let twice = |rest: Duration| (rest * 2).min(LONGEST_REST_AT_BOUND);
        self.rest_at_bound.map_or(FIRST_REST_AT_BOUND, twice)
    }

    fn sleep(&mut self, port: &dyn ServerPort) {
        let surplus = |since: Instant| RETIRE_AFTER.saturating_sub(since.elapsed());
        port.park(self.rest_at_bound.or_else(|| self.surplus_since.map(surplus)));
    }

    /// Returns whether this thread has been surplus for long enough and may go. A thread that stood in for one
    /// that was left behind, and has come back, goes at once.
    fn retires(&mut self, census: &mut Census) -> bool {
        let (thread_count, shares) = (&self.pool.thread_count, &self.pool.shares);
        let counts = thread_count.counts();
        if !counts.has_surplus() {
            self.surplus_since = None;
            return false;
        }
        let since = *self.surplus_since.get_or_insert_with(Instant::now);
        let goes = since.elapsed() >= RETIRE_AFTER || shares.has_too_many_threads(counts, census);
        goes && thread_count.try_retire()
    }
}

/// The state in which one look serves the requests that it finds.
struct Turn<'a> {
    worker: &'a PoolWorker,
    guard: &'a mut PollerGuard,
    /// The thread still has the role.
    held: bool,
}

impl Serve for Turn<'_> {
    fn serve(
        &mut self,
        peer: &Arc<dyn Peer>,
        request: &mut Request,
        answer: &mut Option<ShortAnswer>,
    ) {
        let Self { worker, guard, .. } = self;
        worker.begin(guard, Tenant { client: peer.client().id, tag: request.tag });
        let pool = &worker.pool;
        pool.handler.serve(pool, &worker.counted.counters, peer, request, answer);
    }

    fn serve_short(
        &mut self,
        peer: &Arc<dyn Peer>,
        request: &ShortRequest<'_>,
        answer: &mut Option<ShortAnswer>,
    ) {
        let Self { worker, guard, .. } = self;
        worker.begin(guard, Tenant { client: request.client, tag: request.tag });
        let pool = &worker.pool;
        pool.handler.serve_short(pool, &worker.counted.counters, peer, request, answer);
    }

    fn settled(&mut self) -> ControlFlow<()> {
        self.held = self.worker.end(self.guard);
        if self.held && !self.worker.pool.life.is_stopped() {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    }
}

impl Drop for PoolWorker {
    fn drop(&mut self) {
        self.pool.shares.seats.give_back(&self.seat);
    }
}
