//! The limits on the time that connecting takes.

use std::sync::Arc;
use std::task::Wake;
use std::time::{Duration, Instant};
use std::{fmt, io};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;

use crate::error::ConnectError;
use crate::sys::fd_closer::Socket;
use crate::sys::fork::Descriptor;

/// What ends connecting, in addition to the limits of its steps.
#[derive(Clone, Debug, Default)]
pub struct ConnectLimit {
    /// The time by which the connection must stand.
    pub until: Option<Instant>,
    /// Ends connecting at once, from another thread.
    pub interrupt: Option<Arc<Interrupt>>,
}

impl ConnectLimit {
    /// Returns `time`, or what is left of it until [`until`](Self::until).
    pub(super) fn cut(&self, time: Duration) -> Duration {
        let left = self.until.map(|until| until.saturating_duration_since(Instant::now()));
        left.map_or(time, |left| left.min(time))
    }

    /// Pauses for the given time, or until the interrupt.
    pub(super) fn pause(&self, time: Duration) {
        match &self.interrupt {
            // An interrupt only shortens the pause.
            Some(interrupt) => {
                let _ = sleep_on(&mut [interrupt.poll_fd()], time);
            }
            None => std::thread::sleep(time),
        }
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupt.as_ref().is_some_and(|interrupt| interrupt.has_come())
    }
}

/// A handle that interrupts the connecting of a client, from any thread.
pub struct Interrupt(Descriptor);

impl Interrupt {
    /// Creates an interrupt that has not been triggered.
    ///
    /// # Errors
    ///
    /// The system has no descriptor left.
    pub fn new() -> io::Result<Self> {
        let made = Descriptor::open(|| eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK));
        Ok(Self(made?))
    }

    fn poll_fd(&self) -> PollFd<'_> {
        PollFd::new(&self.0, PollFlags::IN)
    }

    fn has_come(&self) -> bool {
        // Nothing reads the counter, so a triggered interrupt stays triggered.
        sleep_on(&mut [self.poll_fd()], Duration::ZERO).is_ok_and(|ready| ready > 0)
    }
}

impl Wake for Interrupt {
    fn wake(self: Arc<Self>) {
        if !self.0.is_forked() {
            // A full counter means that it has been triggered already.
            let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
        }
    }
}

impl fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interrupt").field("has_come", &self.has_come()).finish()
    }
}

/// The deadline of one attempt.
#[derive(Clone, Copy)]
pub struct Deadline<'a> {
    started: Instant,
    after: Duration,
    limit: &'a ConnectLimit,
}

impl<'a> Deadline<'a> {
    pub fn new(after: Duration, limit: &'a ConnectLimit) -> Self {
        Self { started: Instant::now(), after, limit }
    }

    /// Returns when the attempt began.
    pub fn started(&self) -> Instant {
        self.started
    }

    /// Returns how much time is left; `None` if the deadline is over.
    pub fn left(&self) -> Option<Duration> {
        let left = self.after.checked_sub(self.started.elapsed())?;
        Some(self.limit.cut(left)).filter(|left| !left.is_zero())
    }

    /// Returns how much time is left, or the error that ends the attempt.
    pub fn check(&self) -> Result<Duration, ConnectError> {
        match self.left() {
            _ if self.limit.is_interrupted() => Err(ConnectError::Interrupted),
            Some(left) => Ok(left),
            None => Err(ConnectError::TimedOut { after: self.after }),
        }
    }

    /// Runs `step` until it returns that it was the last. Checks the deadline before each step.
    pub fn bound(
        &self,
        mut step: impl FnMut() -> Result<bool, ConnectError>,
    ) -> Result<(), ConnectError> {
        loop {
            self.check()?;
            if step()? {
                return Ok(());
            }
        }
    }

    /// Blocks until the socket is ready.
    pub fn wait(&self, link: &Socket, what: PollFlags) -> Result<(), ConnectError> {
        let left = self.check()?;
        let mut polled = vec![PollFd::new(link, what)];
        polled.extend(self.limit.interrupt.as_ref().map(|interrupt| interrupt.poll_fd()));
        match sleep_on(&mut polled, left) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(ConnectError::system("wait for the server", error)),
        }
    }
}

fn sleep_on(polled: &mut [PollFd<'_>], time: Duration) -> Result<usize, Errno> {
    // A time too long for the kernel counts as no limit.
    poll(polled, Timespec::try_from(time).ok().as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn steps_end_with_an_interrupt_between_them() {
        let interrupt = Arc::new(Interrupt::new().unwrap());
        let limit = ConnectLimit { until: None, interrupt: Some(Arc::clone(&interrupt)) };
        let mut steps = 0;
        let ended = Deadline::new(HOUR, &limit).bound(|| {
            steps += 1;
            if steps == 2 {
                Arc::clone(&interrupt).wake();
            }
            Ok(steps == 100)
        });
        assert!(matches!(ended, Err(ConnectError::Interrupted)), "{ended:?}");
        assert_eq!(steps, 2);
    }

    #[test]
    fn no_step_is_taken_when_the_time_is_over() {
        let over = ConnectLimit { until: Some(Instant::now()), interrupt: None };
        for (after, limit) in [(HOUR, &over), (Duration::ZERO, &ConnectLimit::default())] {
            let ended = Deadline::new(after, limit).bound(|| panic!("the time is over"));
            assert!(matches!(ended, Err(ConnectError::TimedOut { .. })), "{ended:?}");
        }
        let mut steps = 0;
        let all = Deadline::new(HOUR, &ConnectLimit::default()).bound(|| {
            steps += 1;
            Ok(steps == 3)
        });
        assert!(all.is_ok() && steps == 3);
    }
}
