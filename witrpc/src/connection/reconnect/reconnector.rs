//! Replaces the link of a connection whenever it is lost.
//!
//! One thread a connection does so, and sleeps while there is nothing to do. All that callers and
//! this thread share is the link, which only this thread replaces, and the phase behind the lock.
//! Three rules make every change seen:
//!
//! - An end is final, and the phase leaves it by nobody's hand.
//! - The link is replaced under the lock, and only while the phase is not an end; whoever ends the
//!   connection sets the phase first and closes the link that stands by then. So no link outlives
//!   the end.
//! - Whoever changes something that the thread waits for does so before unparking it; the thread
//!   looks anew after each park. Whoever waits for the next link registers, and then looks.
//!
//! A forked child has no such thread and cannot trust the lock: there nothing here touches it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::task::{Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};
use std::{fmt, mem, thread};

use arc_swap::{ArcSwap, Guard};
use witrpc_rt::{WakerSet, lock};
use witrpc_transport::DisconnectReason;

use crate::backoff::Pauses;
use crate::connection::link::Link;
use crate::contract::ServiceDescriptor;
use crate::error::ConnectError;
use crate::rt::{Timer, spawn};

use super::Reconnect;
use super::source::LinkSource;
use super::state::{ConnectionState, Ended};

/// Keeps the link of one connection.
pub struct Reconnector {
    source: Box<dyn LinkSource>,
    descriptor: &'static ServiceDescriptor,
    policy: Reconnect,
    link: ArcSwap<Link>,
    phase: Mutex<Phase>,
    /// Those who wait for the next link, or the end.
    pub waiting: WakerSet,
    /// Wakes those who wait for the next link when their time is over.
    pub timer: Timer,
    /// The thread that replaces the link, once it runs.
    thread: OnceLock<Thread>,
}

/// How the connection stands.
pub enum Phase {
    Connected,
    Reconnecting,
    Ended(Ended),
}

impl Phase {
    fn told(&self) -> ConnectionState {
        match self {
            Phase::Connected => ConnectionState::Connected,
            Phase::Reconnecting => ConnectionState::Reconnecting,
            Phase::Ended(ended) => ConnectionState::Disconnected(ended.reason),
        }
    }
}

impl Reconnector {
    /// Keeps a link that has just been got from `source`.
    ///
    /// # Errors
    ///
    /// No thread could be started.
    pub fn start(
        source: Box<dyn LinkSource>,
        descriptor: &'static ServiceDescriptor,
        policy: Reconnect,
        link: Link,
    ) -> Result<Arc<Self>, ConnectError> {
        let reconnector = Arc::new(Self {
            source,
            descriptor,
            policy,
            link: ArcSwap::from_pointee(link),
            phase: Mutex::new(Phase::Connected),
            waiting: WakerSet::default(),
            timer: Timer::default(),
            thread: OnceLock::new(),
        });
        let ours = Arc::clone(&reconnector);
        let started = spawn("witrpc-reconnect", move || {
            // Before the first look at the phase: whoever changes that later sees whom to unpark.
            drop(ours.thread.set(thread::current()));
            ours.run();
        });
        started.map(|_| reconnector).map_err(|source| ConnectError::Io {
            doing: "start a thread that reconnects".to_owned(),
            source,
        })
    }

    /// The link that stands now, perhaps lost by now.
    #[inline]
    pub fn link(&self) -> Guard<Arc<Link>> {
        self.link.load()
    }

    /// Whether a call that lost its link for this reason can wait for another.
    pub fn follows(&self, reason: DisconnectReason) -> bool {
        self.policy.follows(reason)
    }

    /// What to do for a further service over the same connection.
    pub fn quiet_policy(&self) -> Reconnect {
        self.policy.quiet()
    }

    /// How the connection stands.
    pub fn told(&self) -> ConnectionState {
        match self.link().lost() {
            Some(DisconnectReason::Forked) => {
                ConnectionState::Disconnected(DisconnectReason::Forked)
            }
            _ => self.phase().told(),
        }
    }

    /// Why reconnecting failed, if it did.
    pub fn error(&self) -> Option<Arc<ConnectError>> {
        if self.link().lost() == Some(DisconnectReason::Forked) {
            return None;
        }
        match &*self.phase() {
            Phase::Ended(ended) => ended.error.clone(),
            Phase::Connected | Phase::Reconnecting => None,
        }
    }

    /// Ends the connection on this side's wish.
    pub fn disconnect(&self) {
        if self.link().lost() == Some(DisconnectReason::Forked) {
            return;
        }
        let ended = Phase::Ended(Ended::for_reason(DisconnectReason::ClosedHere));
        if self.change(ended) && self.source.has_channel() {
            self.link().channel.disconnect();
        }
        self.source.give_up();
        self.nudge();
    }

    /// Has the thread look whether the link is lost, for transports that do not say so.
    pub fn nudge(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    pub fn phase(&self) -> MutexGuard<'_, Phase> {
        lock(&self.phase)
    }

    /// Enters a phase; `false` if the connection has ended already.
    fn change(&self, phase: Phase) -> bool {
        self.change_and(phase, || ()).is_some()
    }

    /// Puts a new link in the place of the lost one, unless the connection has ended.
    fn replace(&self, link: Link) {
        let former = self.change_and(Phase::Connected, || self.link.swap(Arc::new(link)));
        // Without the lock, as it may be a large thing to tear down.
        drop(former);
    }

    /// Enters a phase, does so much more under the lock, and wakes all who wait; `None` if the
    /// connection has ended already.
    fn change_and<R>(&self, phase: Phase, more: impl FnOnce() -> R) -> Option<R> {
        let mut present = self.phase();
        if let Phase::Ended(_) = *present {
            return None;
        }
        *present = phase;
        let result = more();
        drop(present);
        self.waiting.wake_all();
        Some(result)
    }

    fn has_ended(&self) -> bool {
        matches!(*self.phase(), Phase::Ended(_))
    }

    /// The thread: tells each phase, in order, until the end.
    fn run(&self) {
        let mut pauses = self.policy.backoff.pauses();
        loop {
            let since = Instant::now();
            if let Some(reason) = self.until_lost() {
                let follows = self.policy.follows(reason);
                let ended = || Phase::Ended(Ended::for_reason(reason));
                self.change(if follows { Phase::Reconnecting } else { ended() });
            }
            if self.tell_the_end() {
                return;
            }
            match self.redial(&mut pauses, since.elapsed()) {
                Ok(Some(link)) => self.replace(link),
                Ok(None) => {}
                Err(error) => {
                    let reason = DisconnectReason::ReconnectFailed;
                    self.change(Phase::Ended(Ended { reason, error: error.map(Arc::new) }));
                }
            }
            if self.tell_the_end() {
                return;
            }
        }
    }

    /// Sleeps until the link is lost, and says why; `None` when the connection has ended.
    fn until_lost(&self) -> Option<DisconnectReason> {
        let link = self.link.load_full();
        link.channel.when_lost(Waker::from(Arc::new(Unpark(thread::current()))));
        loop {
            if self.has_ended() {
                return None;
            }
            if let Some(reason) = link.lost() {
                return Some(reason);
            }
            thread::park();
        }
    }

    /// Tries until there is a new link, and pauses before each attempt; `None` when the connection
    /// has ended.
    ///
    /// # Errors
    ///
    /// Why there is no use in trying on; nothing if foreign code has panicked.
    fn redial(
        &self,
        pauses: &mut Pauses,
        mut lasted: Duration,
    ) -> Result<Option<Link>, Option<ConnectError>> {
        let end = self.policy.give_up_after.and_then(|time| Instant::now().checked_add(time));
        let mut waits_elsewhere = !self.source.has_channel();
        loop {
            let pause = match mem::take(&mut waits_elsewhere) {
                true => Duration::ZERO,
                false => pauses.after(mem::take(&mut lasted)),
            };
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if !self.sleep(left.map_or(pause, |left| left.min(pause))) {
                return Ok(None);
            }
            // Providers of tokens, `Deserialize` and transports are the user's.
            let dialled = catch_unwind(AssertUnwindSafe(|| self.source.next_link(self.descriptor)));
            match dialled {
                Ok(Ok(link)) => return Ok(Some(link)),
                Ok(Err(error)) => {
                    let is_late = end.is_some_and(|end| end <= Instant::now());
                    if is_late || !error.is_retryable() {
                        return Err(Some(error));
                    }
                }
                Err(panic) => {
                    // To drop what it panicked with may panic again.
                    mem::forget(panic);
                    return Err(None);
                }
            }
        }
    }

    /// Pauses; `false` when the connection has ended.
    fn sleep(&self, pause: Duration) -> bool {
        // A pause that no clock can tell is for ever.
        let end = Instant::now().checked_add(pause);
        loop {
            if self.has_ended() {
                return false;
            }
            match end.map(|end| end.saturating_duration_since(Instant::now())) {
                Some(Duration::ZERO) => return true,
                Some(left) => thread::park_timeout(left),
                None => thread::park(),
            }
        }
    }

    /// Tells the user the state, and whether it is the last.
    fn tell_the_end(&self) -> bool {
        let told = self.told();
        if let Some(tell) = &self.policy.on_change
            && let Err(panic) = catch_unwind(AssertUnwindSafe(|| tell(told)))
        {
            // To drop what it panicked with may panic again.
            mem::forget(panic);
        }
        matches!(told, ConnectionState::Disconnected(_))
    }
}

impl fmt::Debug for Reconnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reconnector").field("state", &self.told()).finish_non_exhaustive()
    }
}

/// Unparks the thread that replaces the link.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
