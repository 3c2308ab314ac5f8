//! Where the next link comes from.

use std::time::Duration;

use witrpc_transport::Limit;

use crate::connection::additional_service;
use crate::connection::connect::Dial;
use crate::connection::connection::Connection;
use crate::connection::link_slot::Link;
use crate::contract::ServiceDescriptor;
use crate::error::ConnectError;
use crate::rt::cancel_token::CancelToken;

/// Where the next link comes from.
pub(crate) enum LinkSource {
    /// A server is met anew.
    Dial(Dial),
    /// It goes over the channel of this connection, which gets its next one itself.
    Over(Connection),
}

/// How long to wait for the next channel of another connection before looking whether there is
/// still a use for it.
const LOOK_UP: Duration = Duration::from_secs(1);

impl LinkSource {
    pub(crate) fn dial(dial: Dial) -> Self {
        // The pauses between attempts are the keeper's, which also ends them.
        let cancel = Some(CancelToken::new());
        Self::Dial(Dial { wait_for_server: Duration::ZERO, cancel, ..dial })
    }

    /// Ends an attempt that is being made, and lets none begin.
    pub(crate) fn give_up(&self) {
        if let LinkSource::Dial(Dial { cancel: Some(cancel), .. }) = self {
            cancel.cancel();
        }
    }

    /// The next link.
    pub(crate) fn link(
        &self,
        descriptor: &'static ServiceDescriptor,
    ) -> Result<Link, ConnectError> {
        match self {
            LinkSource::Dial(dial) => dial.link(descriptor),
            LinkSource::Over(root) => {
                additional_service::ask_again(root, descriptor, &mut Limit::Within(LOOK_UP))
            }
        }
    }

    /// Whether the channel is this client's own, to be closed with it.
    pub(crate) fn has_channel(&self) -> bool {
        matches!(self, LinkSource::Dial(_))
    }
}
