//! What is compared: ways to call another process, and what each of them is asked to do.

use std::fmt;
use std::hint::black_box;
use std::thread;

use crate::{iceoryx2, ipc_channel, socket, tarpc, tonic, witrpc};

/// How both sides wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// They look without a pause.
    Polled,
    /// They sleep in the kernel.
    Parked,
    /// They look while that pays, then sleep: what WitRPC does unless told otherwise.
    Adaptive,
}

/// What a server is to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// The sum of two numbers.
    Add,
    /// The sum of up to [`MAX_WORDS`] words that the client has in its own memory.
    Sum,
}

/// The most words of one [`Task::Sum`]: 16 MiB.
pub(crate) const MAX_WORDS: usize = (16 << 20) / size_of::<u64>();

/// Calls that [`Connection::add_in_flight`] keeps in flight.
pub(crate) const IN_FLIGHT: usize = 64;

/// The most clients that a server has at once.
pub(crate) const MAX_CLIENTS: usize = 40;

/// One server, as both processes know it.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// Unique on the machine.
    pub(crate) name: String,
    pub(crate) task: Task,
    pub(crate) wait: Wait,
    /// Whether the server has a core of its own.
    pub(crate) pinned: bool,
}

/// One client's connection.
pub(crate) trait Connection {
    /// Returns the sum, computed by the server.
    fn add(&mut self, a: u64, b: u64) -> u64;

    /// Returns the sum of the words, computed by the server, which looks at each.
    fn sum(&mut self, words: &[u64]) -> u64;

    /// Makes `calls` calls of `add`, [`IN_FLIGHT`] at a time.
    fn add_in_flight(&mut self, calls: usize);

    /// Makes `calls` calls of `add`, one after the other.
    fn adds(&mut self, calls: usize) {
        for _ in 0..calls {
            black_box(self.add(black_box(1), black_box(2)));
        }
    }
}

/// A way to call another process.
pub(crate) struct Peer {
    pub(crate) label: &'static str,
    /// Whether it is WitRPC.
    pub(crate) ours: bool,
    /// Serves until the process ends. Calls the function once when it is ready.
    pub(crate) serve: fn(&Session, &dyn Fn()),
    pub(crate) connect: fn(&Session) -> Box<dyn Connection>,
}

/// Everything that is compared, ours first.
pub(crate) static PEERS: [&Peer; 8] = [
    &witrpc::BLOCKING,
    &witrpc::ASYNC,
    &witrpc::LENT,
    &iceoryx2::PEER,
    &ipc_channel::PEER,
    &tarpc::PEER,
    &tonic::PEER,
    &socket::PEER,
];

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Polled => "polled",
            Self::Parked => "parked",
            Self::Adaptive => "adaptive",
        })
    }
}

impl Session {
    /// Returns the session as arguments of a command line.
    pub(crate) fn to_args(&self) -> [String; 4] {
        let Self { name, task, wait, pinned } = self;
        [name.clone(), format!("{task:?}"), format!("{wait:?}"), pinned.to_string()]
    }

    /// Returns the session of which [`to_args`](Self::to_args) made these arguments.
    pub(crate) fn from_args(args: &[String]) -> Option<Self> {
        let [name, task, wait, pinned] = args else { return None };
        let mut tasks = [Task::Add, Task::Sum].into_iter();
        let mut waits = [Wait::Polled, Wait::Parked, Wait::Adaptive].into_iter();
        Some(Self {
            name: name.clone(),
            task: tasks.find(|known| format!("{known:?}") == *task)?,
            wait: waits.find(|known| format!("{known:?}") == *wait)?,
            pinned: pinned.parse().ok()?,
        })
    }
}

/// Looks until something is there. Yields now and then, for the case of more threads than cores.
#[inline]
pub(crate) fn look_until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let mut looks = 0_u32;
    loop {
        if let Some(found) = look() {
            return found;
        }
        looks += 1;
        if looks.is_multiple_of(1 << 10) {
            thread::yield_now();
        }
        std::hint::spin_loop();
    }
}

/// Returns the sum of the words in these bytes.
pub(crate) fn sum_of_bytes(bytes: &[u8]) -> u64 {
    let (words, _) = bytes.as_chunks();
    words.iter().fold(0, |sum, word| sum.wrapping_add(u64::from_le_bytes(*word)))
}

/// Returns the bytes of the words.
pub(crate) fn bytes_of(words: &[u64]) -> &[u8] {
    bytemuck::cast_slice(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_survives_the_command_line() {
        for wait in [Wait::Polled, Wait::Parked, Wait::Adaptive] {
            let session = Session { name: "a".into(), task: Task::Sum, wait, pinned: true };
            let args = session.to_args();
            let read = Session::from_args(&args).unwrap();
            assert_eq!(read.to_args(), args);
        }
        assert!(Session::from_args(&["a".into(), "Sum".into()]).is_none());
    }

    #[test]
    fn bytes_and_words_have_the_same_sum() {
        let words = [1, u64::MAX, 3 << 40];
        assert_eq!(sum_of_bytes(bytes_of(&words)), 3 << 40);
    }
}
