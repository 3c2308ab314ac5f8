//! Containers, service managers and daemons: what the host of a program decides.
//!
//! # Where the name is
//!
//! By default a name is in `/run/user/<uid>/witrpc` and in `/dev/shm/witrpc-<uid>`, which belong to one
//! user. Neither is right for a service, and containers share neither. So give both sides a directory:
//!
//! ```no_run
//! use witrpc::{Mmf, WitServer, wit_service};
//!
//! #[wit_service]
//! pub trait Clock {
//!     fn now(&self) -> u64;
//! }
//!
//! # struct Stopped;
//! # impl Clock for Stopped { fn now(&self) -> u64 { 12 } }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let place = || Mmf::new("clock").in_dir("/run/clock");
//! let server = WitServer::builder().listen(place()).service(ClockServer::new(Stopped)).start()?;
//! let clock = ClockClient::connect(place())?;
//! # Ok(())
//! # }
//! ```
//!
//! - **systemd**: `RuntimeDirectory=clock` makes `/run/clock` for the user of the service, and removes it
//!   when the service stops. Clients of other users need `RuntimeDirectoryMode=0711` and
//!   [`allow_uid`](crate::Mmf::allow_uid) on both sides.
//! - **Containers**: mount one directory into both, and let both run as one user, or allow the other one.
//!   It holds sockets and empty files. The shared memory itself has no name and crosses over the socket.
//!   So the size of `/dev/shm` does not matter, unless you choose the portable backend.
//! - **Kubernetes**: an `emptyDir` lets all users write (0777), and such a directory is refused. Name a
//!   directory in it, which the server makes for its user.
//! - The path of directory and name may be longer than a socket's address (107 bytes) only where `/proc` is
//!   mounted. Without it the error says so.
//!
//! # When the name is removed
//!
//! A log-out may remove what its user left in `/dev/shm` and `/run/user` (`RemoveIPC=` of logind), and so
//! may a cleanup. The server notices, publishes the name anew within about 50 ms, and tells
//! [`ServerHook::name_changed`](crate::ServerHook::name_changed). If another server has taken the name by
//! then, the hook gets [`NameChange::Lost`](crate::NameChange::Lost), and the server tries again every
//! second. Connected clients do not notice. Where no inotify instance is left
//! (`fs.inotify.max_user_instances`), the server looks only when clients come and go.
//!
//! # Limits
//!
//! Each side reads its limits before it asks for memory, and the error of either side names the limit and
//! its value ([`ResourceError`](crate::ResourceError)):
//!
//! | Limit | What it has to allow |
//! | --- | --- |
//! | memory of the control group (`MemoryMax=`) | `max_clients × size`, and private memory |
//! | threads of the control group (`TasksMax=`, `pids.max`), `RLIMIT_NPROC` | `max_workers`, and some ten more |
//! | `RLIMIT_NOFILE` (`LimitNOFILE=`) | two for each client, and 400 |
//! | `RLIMIT_FSIZE`, `RLIMIT_AS` | half of `size` in one file; all connections together |
//! | `vm.max_map_count`, `fs.epoll.max_user_watches` | two for each connection |
//!
//! `RUST_MIN_STACK` can give the threads of this crate more stack than 2 MiB, and not less.
//!
//! # Filters of system calls
//!
//! Beside what any program needs, a profile has to allow `memfd_create`, `fallocate`, `fcntl` with seals and
//! open file description locks, `getrandom`, `eventfd2`, `epoll_*`, `sendmsg` and `recvmsg` with
//! descriptors, and `futex`. A refused call is named by the error. These are done without where they are
//! refused: `inotify_*` (see above), `MFD_NOEXEC_SEAL`, `epoll_pwait2`, `getpriority`. A parent of
//! [workers](super::workers) needs `pidfd_open` and `pidfd_send_signal`, too.
//!
//! # Namespaces
//!
//! - **pid**: a peer's number is 0 where this side cannot see it. Its death is seen all the same.
//! - **user**: a peer counts as the user that this namespace maps it to, and unmapped ones as 65534. So the
//!   default directories may belong to another user there, and the error names it. Use `in_dir`.
//! - **time**: deadlines hold, though the clocks differ.
//! - **restored** processes (CRIU): a connection does not survive; clients that
//!   [reconnect](super::reconnection) come back.
//!
//! # Daemons
//!
//! Start the server last. A process that forks after that leaves the server to the parent: in the child
//! [`wait`](crate::WitServer::wait) returns [`StopReason::Forked`](crate::StopReason::Forked). So first
//! fork, close descriptors, open logs and change the user (`setuid`), then start. A server that changes its
//! user afterwards keeps the name of the former user, and cannot remove it at its end. The next server of
//! that user removes it.
//!
//! A child made by a bare `clone` runs no fork handlers, and keeps copies of all sockets. While it lives, the
//! peers do not see its parent killed. Use `fork` or [`Command`](std::process::Command), which close them.
//!
//! Under a real-time scheduler (`SCHED_FIFO`), a side that spins keeps threads of lower priority from its
//! processor. Choose [`WaitPolicy::Park`](crate::WaitPolicy::Park), unless each side has its own.
//!
//! # Stopping, and looking after
//!
//! On SIGTERM, call [`shutdown`](crate::WitServer::shutdown) with less than the manager's patience
//! (`TimeoutStopSec=`, `terminationGracePeriodSeconds`). It lets calls in flight end, and joins all threads of
//! the server. [The chapter on workers](super::workers#signals) says which signals the threads of this crate
//! take: none.
//!
//! A health check is a program that connects and calls
//! [`Connection::ping`](crate::Connection::ping), with a time. It succeeds while the server looks at its
//! connections, also when all of its handlers take long.
