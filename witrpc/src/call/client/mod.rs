//! The client's side of a call.
//!
//! [`call`] takes the arguments and sends them, [`pending_call`] waits, and [`answer`] reads what came back.
//! [`options`] end a call before that; [`hook_call`] runs the hooks around it.

pub(crate) mod answer;
pub(crate) mod call;
pub(crate) mod hook_call;
pub(crate) mod options;
pub(crate) mod pending_call;
