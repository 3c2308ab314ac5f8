//! The roles of child processes.

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

/// The role of a child process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Role {
    /// Serves, and obeys commands.
    Serve {
        /// The address.
        address: Address,
        /// The configuration.
        plan: FixtureConfig,
    },
    /// Makes random calls, and reports when the first and the last have been answered.
    Call {
        /// The address.
        address: Address,
        /// The seed of the random values.
        seed: u64,
        /// How many calls; `None` for the rest of its life.
        calls: Option<u64>,
        /// The most bytes of an argument or answer.
        most: usize,
        /// Whether it spins as long as it can.
        spin: bool,
    },
    /// Makes the service keep a frame of the client's shared memory, and take another to a gate.
    /// Reports how many are kept.
    Lend {
        /// The address.
        address: Address,
        /// The length of each frame, in bytes.
        len: usize,
        /// The seed of the frame that is kept; the other frame has the next seed.
        seed: u64,
        /// The gate.
        gate: u64,
    },
    /// Makes a call that may take so long, and reports how much time its handler has.
    TellTimeLeft {
        /// The address.
        address: Address,
        /// How long it may take.
        within: Duration,
    },
    /// Calls a method that waits at a gate, and reports the outcome.
    Hold {
        /// The address.
        address: Address,
        /// The gate.
        gate: u64,
        /// How long to wait.
        timeout: Duration,
    },
    /// Subscribes to ticks, beats and knocks. Takes none before it is told how many there are, and
    /// reports its counts.
    Follow {
        /// The address.
        address: Address,
    },
    /// Makes a call that waits until it is cancelled.
    Stay {
        /// The address.
        address: Address,
        /// The call's number.
        token: u64,
    },
    /// Takes from an endless stream and uploads another. Reports how many items it has taken and
    /// uploaded once both are in progress.
    Stream {
        /// The address.
        address: Address,
    },
    /// Makes calls, takes and uploads streams, lends and subscribes for the rest of its life.
    /// Reports when all of that is in progress.
    Mix {
        /// The address.
        address: Address,
        /// The seed of the random values.
        seed: u64,
    },
    /// Requests many large answers at once, which wait at a gate, and checks them.
    TakeLarge {
        /// The address.
        address: Address,
        /// The gate.
        gate: u64,
        /// How many answers.
        calls: u32,
        /// The length of each, in bytes.
        len: usize,
    },
    /// When told to, tries to connect with too little memory, and reports the error.
    ConnectInLittleMemory {
        /// The address.
        address: Address,
        /// How much memory it gets, in bytes.
        bytes: u64,
    },
    /// Connects and makes a call. Reports the answer, 42, or the text of the error.
    TryToConnect {
        /// The address.
        address: Address,
    },
    /// Serves a name, connects to it and asks for its metrics, and reports each outcome.
    ServeItself {
        /// The name.
        address: Address,
    },
    /// Serves over the portable backend and connects to it. Reports the answer of a call, 42, or
    /// the text of the error.
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
        /// The address.
        address: Address,
    },
    /// Subscribes to events, forks without exec, and reports what the child finds.
    ForkFollower {
        /// The address.
        address: Address,
    },
    /// Opens streams, forks without exec, and reports what the child finds.
    ForkReader {
        /// The address.
        address: Address,
    },
    /// Serves, forks without exec, and reports the number of the child, which lives on.
    ForkServer {
        /// The address.
        address: Address,
    },
    /// Connects, and writes into its region: first each edge value to each of the first words, then
    /// arbitrary values. Reports how often.
    Scribble {
        /// The address.
        address: Address,
        /// The configuration of the server.
        plan: FixtureConfig,
        /// The seed of the random values.
        seed: u64,
        /// How many words there are in front of the arena.
        words: u64,
    },
    /// Serves, and writes into its regions: first the writes that it is sent, then arbitrary ones.
    ServeScribbling {
        /// The address.
        address: Address,
        /// The configuration.
        plan: FixtureConfig,
        /// The seed of the random values.
        seed: u64,
    },
    /// Starts servers, clients, streams and a worker, then blocks SIGTERM and waits for it. Reports
    /// its threads and those of the worker, and then the name of the signal that came.
    TakeSignals,
    /// Serves and calls without new threads, and reports the outcome.
    Threadless {
        /// The address.
        address: Address,
    },
    /// Starts servers with a hook that waits and a client each, gets no more threads, and drops the
    /// servers. Reports the names of the threads that call the hooks.
    DropThreadless {
        /// Within the process, or over shared memory.
        within: bool,
        /// The number of servers.
        servers: usize,
    },
    /// Serves and calls, and ends with calls in flight, and with handles in statics and thread-locals.
    ExitAmidCalls {
        /// The address.
        address: Address,
    },
    /// Serves and calls, shuts the server down, and reports whether all has ended.
    ShutDown {
        /// The address.
        address: Address,
    },
    /// Starts a worker, and reports the worker's process. Drops the worker when told to, and
    /// reports that.
    Employ {
        /// What the worker does.
        duty: Duty,
        /// What the process does besides.
        besides: Besides,
    },
    /// Starts a worker, and reports the worker's process, or the text of the error.
    TryToEmploy {
        /// What the worker does.
        duty: Duty,
    },
    /// Starts a worker, in its own process group, which starts a worker too. Kills the first,
    /// adopts the second, and reports when that has ended.
    Bury {
        /// The file with the process id of the second.
        file: PathBuf,
    },
}

/// Plays the role that the parent gives, or the duty of a worker.
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
        Role::TellTimeLeft { address, within } => {
            caller::tell_time_left(&parent, &address, within);
        }
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
        Role::DropThreadless { within, servers } => {
            threadless::drop_servers(&parent, within, servers);
        }
        Role::ExitAmidCalls { address } => itself::exit_amid_calls(&parent, &address),
        Role::ShutDown { address } => itself::shut_down(&parent, &address),
        Role::Employ { duty, besides } => worker::employ(&parent, &duty, besides),
        Role::TryToEmploy { duty } => worker::try_to_employ(&parent, &duty),
        Role::Bury { file } => worker::bury(&parent, &file),
    }
}

impl Role {
    /// Imposes the restrictions of the role, and returns the role itself.
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
