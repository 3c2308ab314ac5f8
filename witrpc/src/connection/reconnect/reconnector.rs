//! Replaces the link of a connection whenever it is lost.
//!
//! One thread for each connection does this, and sleeps while there is nothing to do. Callers and this
//! thread share only the link, which only this thread replaces, and the phase behind the lock. Three
//! rules ensure that every change is seen:
//!
//! - An end is final: no code changes the phase after it.
//! - The link is replaced under the lock, and only while the phase is not an end. Code that ends the
//!   connection sets the phase first, and then closes the link that is there by then. So no link
//!   outlives the end.
//! - A thread that changes something that the reconnecting thread waits for does so before unparking
//!   it, and that thread looks again after each park. A call that waits for the next link registers, and then
//!   looks.
//!
//! A forked child has no such thread and cannot trust the lock: there, no code here touches it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
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
use crate::rt::{Timer, spawn, unparks};

use super::Reconnect;
use super::source::LinkSource;
use super::state::{ConnectionState, Ended};

/// The owner of one connection's link, which it replaces when the link is lost.
pub struct Reconnector {
    source: Box<dyn LinkSource>,
    descriptor: &'static ServiceDescriptor,
    policy: Reconnect,
    link: ArcSwap<Link>,
    phase: Mutex<ReconnectPhase>,
    /// The calls that wait for the next link, or the end.
    pub waiting: WakerSet,
    /// Wakes calls that wait for the next link when their time is over.
    pub timer: Timer,
    /// The thread that replaces the link, once it runs.
    thread: OnceLock<Thread>,
}

/// The phase of a connection.
pub enum ReconnectPhase {
    Connected,
    Reconnecting,
    Ended(Ended),
}

impl ReconnectPhase {
    fn state(&self) -> ConnectionState {
        match self {
            ReconnectPhase::Connected => ConnectionState::Connected,
            ReconnectPhase::Reconnecting => ConnectionState::Reconnecting,
            ReconnectPhase::Ended(ended) => ConnectionState::Disconnected(ended.reason),
        }
    }
}

impl Reconnector {
    /// Takes over a link that has just been obtained from `source`.
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
            phase: Mutex::new(ReconnectPhase::Connected),
            waiting: WakerSet::default(),
            timer: Timer::default(),
            thread: OnceLock::new(),
        });
        let ours = Arc::clone(&reconnector);
        let started = spawn("witrpc-reconnect", move || {
            // Set before the first check of the phase: a later change of the phase then finds the
            // thread to unpark.
            drop(ours.thread.set(thread::current()));
            ours.run();
        });
        started.map(|_| reconnector).map_err(|source| ConnectError::Io {
            doing: "start a thread that reconnects".to_owned(),
            source,
        })
    }

    /// Returns the current link, which may already be lost.
    #[inline]
    pub fn link(&self) -> Guard<Arc<Link>> {
        self.link.load()
    }

    /// Returns whether a call that lost its link for this reason can wait for another.
    pub fn follows(&self, reason: DisconnectReason) -> bool {
        self.policy.follows(reason)
    }

    /// Returns the reconnect rules for a further service over the same connection.
    pub fn quiet_policy(&self) -> Reconnect {
        self.policy.quiet()
    }

    /// Returns the state of the connection.
    pub fn state(&self) -> ConnectionState {
        match self.link().lost() {
            Some(DisconnectReason::Forked) => {
                ConnectionState::Disconnected(DisconnectReason::Forked)
            }
            _ => self.phase().state(),
        }
    }

    /// Returns why reconnecting failed, if it did.
    pub fn error(&self) -> Option<Arc<ConnectError>> {
        if self.link().lost() == Some(DisconnectReason::Forked) {
            return None;
        }
        match &*self.phase() {
            ReconnectPhase::Ended(ended) => ended.error.clone(),
            ReconnectPhase::Connected | ReconnectPhase::Reconnecting => None,
        }
    }

    /// Ends the connection at this side's request.
    pub fn disconnect(&self) {
        if self.link().lost() == Some(DisconnectReason::Forked) {
            return;
        }
        let ended = ReconnectPhase::Ended(Ended::for_reason(DisconnectReason::ClosedHere));
        if self.change(ended) && self.source.has_channel() {
            self.link().channel.disconnect();
        }
        self.source.give_up();
        self.nudge();
    }

    /// Makes the thread check whether the link is lost, for transports that do not report it.
    pub fn nudge(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    pub fn phase(&self) -> MutexGuard<'_, ReconnectPhase> {
        lock(&self.phase)
    }

    /// Enters a phase. Returns `false` if the connection has ended already.
    fn change(&self, phase: ReconnectPhase) -> bool {
        self.change_and(phase, || ()).is_some()
    }

    /// Replaces the lost link by a new one, unless the connection has ended.
    fn replace(&self, link: Link) {
        let former = self.change_and(ReconnectPhase::Connected, || self.link.swap(Arc::new(link)));
        // Dropped without the lock, because tearing it down may take long.
        drop(former);
    }

    /// Enters a phase, runs `more` under the lock, and wakes all waiting calls. Returns `None` if the
    /// connection has ended already.
    fn change_and<R>(&self, phase: ReconnectPhase, more: impl FnOnce() -> R) -> Option<R> {
        let mut present = self.phase();
        if let ReconnectPhase::Ended(_) = *present {
            return None;
        }
        *present = phase;
        let result = more();
        drop(present);
        self.waiting.wake_all();
        Some(result)
    }

    fn has_ended(&self) -> bool {
        matches!(*self.phase(), ReconnectPhase::Ended(_))
    }

    /// Runs the thread: reports each phase, in order, until the end.
    fn run(&self) {
        let mut pauses = self.policy.backoff.pauses();
        loop {
            let since = Instant::now();
            if let Some(reason) = self.until_lost() {
                let follows = self.policy.follows(reason);
                let ended = || ReconnectPhase::Ended(Ended::for_reason(reason));
                self.change(if follows { ReconnectPhase::Reconnecting } else { ended() });
            }
            if self.tell_the_end() {
                return;
            }
            match self.connect_again(&mut pauses, since.elapsed()) {
                Ok(Some(link)) => self.replace(link),
                Ok(None) => {}
                Err(error) => {
                    let reason = DisconnectReason::ReconnectFailed;
                    self.change(ReconnectPhase::Ended(Ended {
                        reason,
                        error: error.map(Arc::new),
                    }));
                }
            }
            if self.tell_the_end() {
                return;
            }
        }
    }

    /// Sleeps until the link is lost, and returns why; returns `None` if the connection has ended.
    fn until_lost(&self) -> Option<DisconnectReason> {
        let link = self.link.load_full();
        link.channel.when_lost(unparks(thread::current()));
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

    /// Tries until there is a new link, with a pause before each attempt. Returns `None` if the
    /// connection has ended.
    ///
    /// # Errors
    ///
    /// Why further attempts are useless; nothing if the user's code has panicked.
    fn connect_again(
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
            let connected =
                catch_unwind(AssertUnwindSafe(|| self.source.next_link(self.descriptor)));
            match connected {
                Ok(Ok(link)) => return Ok(Some(link)),
                Ok(Err(error)) => {
                    let is_late = end.is_some_and(|end| end <= Instant::now());
                    if is_late || !error.is_retryable() {
                        return Err(Some(error));
                    }
                }
                Err(panic) => {
                    // Dropping the payload may panic again.
                    mem::forget(panic);
                    return Err(None);
                }
            }
        }
    }

    /// Pauses. Returns `false` if the connection has ended.
    fn sleep(&self, pause: Duration) -> bool {
        // A pause too long for the clock has no end.
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

    /// Reports the state to the user. Returns whether it is the last.
    fn tell_the_end(&self) -> bool {
        let state = self.state();
        if let Some(tell) = &self.policy.on_change
            && let Err(panic) = catch_unwind(AssertUnwindSafe(|| tell(state)))
        {
            // Dropping the payload may panic again.
            mem::forget(panic);
        }
        matches!(state, ConnectionState::Disconnected(_))
    }
}

impl fmt::Debug for Reconnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reconnector").field("state", &self.state()).finish_non_exhaustive()
    }
}
