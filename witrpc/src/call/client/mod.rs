//! The client's side of a call.
//!
//! [`call`] takes the arguments, [`exchange`] sends them and waits by a [`pending_call`], and [`answer`]
//! decodes the reply. A [failed attempt](failed_attempt) says why, and whether another one follows.
//! [`options`] may end a call earlier; [`hook_call`] runs the hooks around it. A [`short`] plain call
//! needs none of these.

pub mod answer;
pub mod call;
mod exchange;
mod failed_attempt;
pub mod hook_call;
pub mod options;
pub mod pending_call;
pub mod short;
pub mod short_future;
