//! The role of a process that binds a name.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use witrpc::{BindError, StopReason};

use crate::basic::Bench;
use crate::fixture::{Address, FixtureConfig};
use crate::process::Parent;

/// The message that tells a binder to bind now.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Go;

/// The outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bid {
    /// It is ready to bind.
    Ready,
    /// It has the name.
    Won,
    /// Another process has the name.
    InUse,
    /// Another error, as text.
    Failed(String),
}

/// See [`Role::Bind`](super::Role::Bind). A winner keeps the name for life.
pub(super) fn bind(parent: &Parent, address: &Address) {
    let bench = Arc::<Bench>::default();
    parent.report(&Bid::Ready);
    let server = loop {
        let Go = parent.hear();
        match FixtureConfig::default().start(address, &bench) {
            Ok(server) => break server,
            Err(BindError::NameInUse { .. }) => parent.report(&Bid::InUse),
            Err(other) => parent.report(&Bid::Failed(other.to_string())),
        }
    };
    parent.report(&Bid::Won);
    assert_eq!(server.wait(), StopReason::ShutDown);
}
