//! What a child process can be.

mod binder;
mod caller;
mod follower;
mod forker;
mod itself;
mod mixer;
mod nested;
mod scribble;
mod signals;
mod threadless;
mod worker;

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::fixture::{self, Address, FixtureConfig};
use crate::process::Parent;
use crate::restriction::Restriction;

pub use binder::{Bid, Go};
pub use follower::{Count, count};
pub use forker::{Finding, ITEMS, Leases};
pub use itself::ServedItself;
pub use nested::{Nested, Served};
pub use signals::{Blocks, blocked_in};
pub use threadless::Without;
pub use worker::{Besides, Duty};

/// What a child process is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Role {
    /// Serves, and does what it is told.
    Serve {
        /// Where.
        address: Address,
        /// How.
        plan: FixtureConfig,
    },
    /// Makes so many random calls, and says when the first and the last have been answered.
    Call {
        /// Where.
        address: Address,
        /// What is random follows from it.
        seed: u64,
        /// How many calls; the rest of its life if none is given.
        calls: Option<u64>,
        /// The most bytes of an argument or answer.
        most: usize,
        /// Whether it spins as long as it can.
        spin: bool,
    },
    /// Has the shared_memory keep a frame of its own shared memory, and take another to a gate; says how
    /// many are kept.
    Lend {
        /// Where.
        address: Address,
        /// How long each is, in bytes.
        len: usize,
        /// What the frame that is kept follows from, and the other from the next.
        seed: u64,
        /// The gate.
        gate: u64,
    },
    /// Calls a method that is held up at a gate, says what came of it.
    Hold {
        /// Where.
        address: Address,
        /// The gate.
        gate: u64,
        /// How long to wait.
        timeout: Duration,
    },
    /// Subscribes to ticks, beats and knocks; takes none before it is told how many there are, and
    /// says what it has got.
    Follow {
        /// Where.
        address: Address,
    },
    /// Makes a call that stays until it is cancelled.
    Stay {
        /// Where.
        address: Address,
        /// The call's number.
        token: u64,
    },
    /// Takes from a stream without end and feeds another, and says how many items it has taken and
    /// fed once both are under way.
    Stream {
        /// Where.
        address: Address,
    },
    /// Makes calls, takes and feeds streams, lends and subscribes for the rest of its life; says when
    /// all of that is under way.
    Mix {
        /// Where.
        address: Address,
        /// What is random follows from it.
        seed: u64,
    },
    /// Asks for many large answers at once, which are held up at a gate, and checks them.
    TakeLarge {
        /// Where.
        address: Address,
        /// The gate.
        gate: u64,
        /// How many answers.
        calls: u32,
        /// How long each, in bytes.
        len: usize,
    },
    /// When told to, connects with so little memory that it cannot, and reports the error.
    ConnectInLittleMemory {
        /// Where.
        address: Address,
        /// How much it gets, in bytes.
        bytes: u64,
    },
    /// Connects and makes a call; reports the answer, 42, or what the error says.
    TryToConnect {
        /// Where.
        address: Address,
    },
    /// Serves a name, connects to it and asks how it is, and reports what came of each.
    ServeItself {
        /// The name.
        address: Address,
    },
    /// Serves over the portable backend and connects to it, and reports the answer of a call, 42, or what
    /// the error says.
    ServeItselfPortably {
        /// The size of the endpoint, in bytes.
        size: u64,
    },
    /// Plays another role under a restriction.
    Restricted {
        /// The restriction.
        by: Restriction,
        /// The role.
        role: Box<Role>,
    },
    /// Binds a name when told to.
    Bind {
        /// The name.
        address: Address,
    },
    /// Connects, forks without exec, and reports what the child finds.
    ForkClient {
        /// Where.
        address: Address,
    },
    /// Subscribes to events, forks without exec, and reports what the child finds.
    ForkFollower {
        /// Where.
        address: Address,
    },
    /// Opens streams, forks without exec, and reports what the child finds.
    ForkReader {
        /// Where.
        address: Address,
    },
    /// Serves, forks without exec, and reports the number of the child, which lives on.
    ForkServer {
        /// Where.
        address: Address,
    },
    /// Connects, and writes into its region: first each of the first words with each edge value, then
    /// anything; says how often.
    Scribble {
        /// Where.
        address: Address,
        /// How the server is.
        plan: FixtureConfig,
        /// What is random follows from it.
        seed: u64,
        /// How many words there are in front of the arena.
        words: u64,
    },
    /// Serves, and writes into its regions: first what it is told to, then anything.
    ServeScribbling {
        /// Where.
        address: Address,
        /// How.
        plan: FixtureConfig,
        /// What is random follows from it.
        seed: u64,
    },
    /// Has servers, clients, streams and a worker, then blocks SIGTERM and waits for it. Reports its
    /// threads and those of the worker; once the signal has come, its name.
    TakeSignals,
    /// Serves and calls, gets no more threads, and says what that comes to.
    Threadless {
        /// Where.
        address: Address,
    },
    /// Serves with a hook that waits, loses its client, gets no more threads, and drops the server. Reports
    /// the name of the thread that calls the hook.
    DropThreadless {
        /// Where.
        address: Address,
    },
    /// Has a worker, whose process it reports; drops it when told to, and says so.
    Employ {
        /// What the worker does.
        duty: Duty,
        /// What else.
        besides: Besides,
    },
    /// Has a worker in its own process group that has a worker too, kills the first, and adopts the
    /// second; says when that has ended.
    Bury {
        /// Where the number of the second is by then.
        file: PathBuf,
    },
}

/// Plays the role that the parent gives, or does the duty of a worker.
pub fn main() {
    if let Some(duty) = Duty::of_this_process() {
        return duty.perform();
    }
    let (parent, role) = Parent::meet();
    let role = role.restrict();
    match role {
        Role::TryToConnect { address } => itself::try_to_connect(&parent, &address),
        Role::ServeItself { address } => itself::serve_itself(&parent, &address),
        Role::ServeItselfPortably { size } => itself::serve_itself_portably(&parent, size),
        Role::Restricted { .. } => unreachable!("what restricts it has been taken off"),
        Role::Serve { address, plan } => fixture::serve(&parent, &address, &plan),
        Role::Call { address, seed, calls, most, spin } => {
            caller::call(&parent, &address, seed, calls, most, spin);
        }
        Role::Lend { address, len, seed, gate } => caller::lend(&parent, &address, len, seed, gate),
        Role::Hold { address, gate, timeout } => caller::hold(&parent, &address, gate, timeout),
        Role::Follow { address } => follower::follow(&parent, &address),
        Role::Stream { address } => caller::stream(&parent, &address),
        Role::Stay { address, token } => caller::stay(&address, token),
        Role::Mix { address, seed } => mixer::mix(&parent, &address, seed),
        Role::TakeLarge { address, gate, calls, len } => {
            caller::take_large(&parent, &address, gate, calls, len);
        }
        Role::ConnectInLittleMemory { address, bytes } => {
            caller::connect_in_little_memory(&parent, &address, bytes);
        }
        Role::Bind { address } => binder::bind(&parent, &address),
        Role::ForkClient { address } => forker::client(&parent, &address),
        Role::ForkFollower { address } => forker::follower(&parent, &address),
        Role::ForkReader { address } => forker::reader(&parent, &address),
        Role::ForkServer { address } => forker::server(&parent, &address),
        Role::Scribble { address, plan, seed, words } => {
            scribble::client(&parent, &address, &plan, seed, words);
        }
        Role::ServeScribbling { address, plan, seed } => {
            scribble::server(&parent, &address, &plan, seed);
        }
        Role::TakeSignals => signals::take_signals(&parent),
        Role::Threadless { address } => threadless::upload(&parent, &address),
        Role::DropThreadless { address } => threadless::drop_server(&parent, &address),
        Role::Employ { duty, besides } => worker::employ(&parent, &duty, besides),
        Role::Bury { file } => worker::bury(&parent, &file),
    }
}

impl Role {
    /// Imposes what restricts the role, and returns the role alone.
    fn restrict(self) -> Self {
        match self {
            Role::Restricted { by, role } => {
                by.impose();
                role.restrict()
            }
            role => role,
        }
    }
}
