//! The kit for transports that move messages instead of sharing memory.
//!
//! A transport brings two things of its own: how clients are met, and how a message gets across. All
//! else that client and server expect of one is here: calls in flight by ticket, waiting with limits,
//! kept lanes, fair turns of the clients, calls that are given up, and the stages in which a server ends.
//! Its user is [`InProcess`](crate::InProcess), where a message gets across by being handed over.
//!
//! The files follow a call: `client` is the client's end, `link` a connection with its `calls` in flight
//! and whoever waits for them (`waiter`), `arrivals` what the server's threads look at (by client, in
//! `waiting`), `server` the server's end. `kept` is a lane that stays with one caller. `watchers` wakes
//! handlers whose callers have gone. What is handed over instead of copied is in `handed_over` and
//! `transferred_lease`.

mod arrivals;
mod calls;
pub(crate) mod client;
mod handed_over;
mod kept;
pub(crate) mod limits;
mod link;
pub(crate) mod server;
mod transferred_lease;
mod waiter;
mod waiting;
mod watchers;
