//! A timer that wakes futures whose time is over.
//!
//! A timer has one thread, started when the first future waits with a limit. The thread ends when the timer is
//! closed, when the timer's owner goes, or when it wakes up without any alarm left. An alarm that is taken back
//! does not wake it, so an owner with one alarm after another keeps one thread.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use witrpc_rt::{TimeKey, TimeQueue, lock, wait, wake};

use super::{Threads, spawn};

/// The alarms of one owner.
#[derive(Default)]
pub struct Timer {
    shared: Arc<TimerShared>,
    /// The threads that its thread belongs to, if its owner joins them.
    threads: Option<Threads>,
}

/// An alarm that is set. Dropping it takes it back, which does nothing once it has gone off.
#[must_use = "an alarm that is dropped is taken back"]
pub struct Alarm {
    timer: Weak<TimerShared>,
    due: TimeKey,
}

#[derive(Default)]
struct TimerShared {
    state: Mutex<TimerState>,
    /// Notified when an earlier alarm was set, or the owner has gone.
    changed: Condvar,
}

#[derive(Default)]
struct TimerState {
    alarms: TimeQueue<Waker>,
    /// Until when the thread sleeps, or `None` without a thread.
    asleep_until: Option<Instant>,
    closed: bool,
}

impl Timer {
    /// Returns a timer whose thread is one of these.
    pub fn of(threads: Threads) -> Self {
        Self { shared: Arc::default(), threads: Some(threads) }
    }

    /// Wakes all futures and ends the thread. A future that arms the timer later is woken at once.
    pub fn close(&self) {
        let mut state = self.shared.lock();
        state.closed = true;
        let alarms = state.alarms.take_all();
        drop(state);
        self.shared.changed.notify_one();
        alarms.for_each(wake);
    }

    /// Wakes `waker` at `at`, unless the alarm is dropped first.
    pub fn arm(&self, at: Instant, waker: Waker) -> Alarm {
        let mut state = self.shared.lock();
        let due = state.alarms.key(at);
        let alarm = Alarm { timer: Arc::downgrade(&self.shared), due };
        match state.asleep_until {
            Some(until) if until <= at && !state.closed => {}
            Some(_) if !state.closed => {
                state.asleep_until = Some(at);
                self.shared.changed.notify_one();
            }
            None if !state.closed && self.start_thread() => state.asleep_until = Some(at),
            _ => {
                // Without a thread, the future polls until a thread can be started or its time is over.
                drop(state);
                waker.wake();
                return alarm;
            }
        }
        state.alarms.insert(due, waker);
        alarm
    }

    /// Polls until `at`. The caller keeps `alarm` between polls.
    pub fn poll_until(&self, at: Instant, cx: &Context<'_>, alarm: &mut Option<Alarm>) -> Poll<()> {
        if at <= Instant::now() {
            return Poll::Ready(());
        }
        *alarm = Some(self.arm(at, cx.waker().clone()));
        Poll::Pending
    }

    fn start_thread(&self) -> bool {
        let shared = Arc::clone(&self.shared);
        let run = move || shared.run();
        match &self.threads {
            Some(threads) => threads.spawn("witrpc-timer".to_owned(), run).is_ok(),
            None => spawn("witrpc-timer", run).is_ok(),
        }
    }

    #[cfg(test)]
    pub fn alarms(&self) -> usize {
        self.shared.lock().alarms.len()
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_one();
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if let Some(timer) = self.timer.upgrade() {
            let waker = timer.lock().alarms.remove(self.due);
            // Outside of the lock: the last waker of a task may drop its future.
            drop(waker);
        }
    }
}

impl TimerShared {
    /// No foreign code runs under the lock, so a poisoned lock is safe to use.
    fn lock(&self) -> MutexGuard<'_, TimerState> {
        lock(&self.state)
    }

    fn run(&self) {
        let mut state = self.lock();
        while !state.closed {
            let now = Instant::now();
            if let Some(waker) = state.alarms.pop_due(now) {
                drop(state);
                wake(waker);
                state = self.lock();
                continue;
            }
            match state.alarms.first() {
                Some(at) => {
                    state.asleep_until = Some(at);
                    state = wait(&self.changed, state, Some(at - now));
                }
                None => match state.asleep_until {
                    // All alarms were taken back. Stays for the alarms of later calls until the end of the
                    // sleep that this thread intended.
                    Some(until) if until > now => {
                        state = wait(&self.changed, state, Some(until - now));
                    }
                    _ => break,
                },
            }
        }
        state.asleep_until = None;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::task::Wake;
    use std::thread;
    use std::time::Duration;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    struct Tell(mpsc::Sender<u32>, u32);

    impl Wake for Tell {
        fn wake(self: Arc<Self>) {
            self.0.send(self.1).expect("the test listens");
        }
    }

    fn waker(wakes: &mpsc::Sender<u32>, number: u32) -> Waker {
        Waker::from(Arc::new(Tell(wakes.clone(), number)))
    }

    /// Waits until the thread has let go of the alarms.
    fn await_end(shared: &Arc<TimerShared>) {
        while Arc::strong_count(shared) > 1 {
            thread::yield_now();
        }
    }

    #[test]
    fn an_earlier_alarm_is_not_slept_through() {
        let (wakes, woken) = mpsc::channel();
        let timer = Timer::default();
        let now = Instant::now();
        let _late = timer.arm(now + HOUR, waker(&wakes, 1));
        let taken_back = timer.arm(now + HOUR / 2, waker(&wakes, 2));
        let _early = timer.arm(now, waker(&wakes, 3));
        assert_eq!(woken.recv(), Ok(3));
        drop(taken_back);
        assert_eq!(timer.alarms(), 1);
    }

    #[test]
    fn the_thread_ends_when_nothing_is_left_and_a_new_one_comes() {
        let (wakes, woken) = mpsc::channel();
        let timer = Timer::default();
        for number in 0..3 {
            let _alarm = timer.arm(Instant::now(), waker(&wakes, number));
            assert_eq!(woken.recv(), Ok(number));
            await_end(&timer.shared);
        }
    }

    #[test]
    fn a_waker_that_panics_silences_no_other_alarm() {
        struct Panics;
        impl Wake for Panics {
            fn wake(self: Arc<Self>) {
                panic!("as this test wants it");
            }
        }
        let (wakes, woken) = mpsc::channel();
        let timer = Timer::default();
        let soon = Instant::now() + Duration::from_millis(1);
        let _panics = timer.arm(soon, Waker::from(Arc::new(Panics)));
        let _wakes = timer.arm(soon, waker(&wakes, 7));
        // Not `recv`: if the thread were gone, the alarm would keep its sender for ever.
        assert_eq!(woken.recv_timeout(Duration::from_secs(60)), Ok(7));
    }

    #[test]
    fn the_thread_ends_with_its_owner() {
        let (wakes, _woken) = mpsc::channel();
        let timer = Timer::default();
        let _alarm = timer.arm(Instant::now() + HOUR, waker(&wakes, 0));
        let shared = Arc::clone(&timer.shared);
        drop(timer);
        await_end(&shared);
    }
}
