//! The client's side of a call.
//!
//! [`call`] takes the arguments, [`exchange`] sends them and waits by a [`pending_call`], and [`answer`] reads what
//! came back. An attempt that failed says [why](failed_attempt), and what follows for the next.
//! [`options`] end a call before that; [`hook_call`] runs the hooks around it. A [`short`] call that is plain
//! needs nothing of that.

pub mod answer;
pub mod call;
mod exchange;
mod failed_attempt;
pub mod hook_call;
pub mod options;
pub mod pending_call;
pub mod short;
