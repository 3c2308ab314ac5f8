//! Sleeping on an epoll instance.

use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::thread;
use std::time::Duration;

use rustix::event::{Timespec, epoll};
use rustix::io::Errno;

/// The longest sleep with a limit. Up to 24 days it takes no call that a kernel before Linux 5.11 lacks, or
/// that a filter refuses which allows epoll otherwise.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
const _: () = assert!(LONGEST.as_millis() <= i32::MAX as u128);

/// How long to pause where the kernel refuses the sleep: a filter forbids it, or the program has closed the
/// descriptor. A thread that went on at once would take a whole processor.
const PAUSE: Duration = Duration::from_millis(1);

/// Sleeps until an event comes, the time is over, a signal arrives or a day of a longer time has passed.
/// Returns the events.
pub fn sleep_on(
    epoll: impl AsFd,
    buffer: &mut [MaybeUninit<epoll::Event>],
    time: Option<Duration>,
) -> &[epoll::Event] {
    let timeout = time.map(|time| Timespec {
        tv_sec: time.min(LONGEST).as_secs() as i64,
        tv_nsec: time.min(LONGEST).subsec_nanos().into(),
    });
    match epoll::wait(epoll, buffer, timeout.as_ref()) {
        Ok((events, _)) => events,
        Err(Errno::INTR) => &[],
        Err(_) => {
            thread::sleep(time.map_or(PAUSE, |time| time.min(PAUSE)));
            &[]
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rustix::event::{EventfdFlags, eventfd};

    use super::*;

    /// Returns how often this thread has given up its processor to wait for something.
    fn waits() -> u64 {
        let status = fs::read_to_string("/proc/thread-self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        line.unwrap().trim().parse().unwrap()
    }

    fn buffer() -> [MaybeUninit<epoll::Event>; 4] {
        [const { MaybeUninit::uninit() }; 4]
    }

    #[test]
    fn a_thread_whose_sleep_is_refused_pauses() {
        let no_epoll = fs::File::open("/dev/null").unwrap();
        let before = waits();
        for _ in 0..20 {
            assert!(sleep_on(&no_epoll, &mut buffer(), None).is_empty());
        }
        assert!(waits() >= before + 20, "it would take a processor");
    }

    #[test]
    fn a_time_of_more_than_24_days_is_no_error() {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
        let ready = eventfd(1, EventfdFlags::CLOEXEC).unwrap();
        let data = epoll::EventData::new_u64(7);
        epoll::add(&epoll, &ready, data, epoll::EventFlags::IN).unwrap();
        for time in [Duration::from_secs(25 * 24 * 3600), Duration::MAX] {
            assert_eq!(sleep_on(&epoll, &mut buffer(), Some(time)).len(), 1);
        }
    }
}
