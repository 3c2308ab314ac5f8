//! The kit for transports that move messages instead of sharing memory.
//!
//! A transport brings two things of its own: how clients are met, and how a message gets across. All
//! else that client and server expect of one is here: calls in flight by ticket, waiting with limits,
//! kept lanes, fair turns of the clients, calls that are given up, and the stages in which a server ends.
//! Its user is [`InProcess`](crate::InProcess), where a message gets across by being handed over.
//!
//! The files follow a call: `channel` is the client's end, `link` the calls in flight, `arrivals` what
//! the server's threads look at (by client, in `waiting`), `port` the server's end. `kept` is a lane that
//! stays with one caller. `watchers` wakes handlers whose callers have gone.

pub(crate) mod arrivals;
pub(crate) mod channel;
pub(crate) mod kept;
pub(crate) mod limits;
pub(crate) mod link;
pub(crate) mod port;
pub(crate) mod transferred_lease;
pub(crate) mod waiting;
pub(crate) mod watchers;
