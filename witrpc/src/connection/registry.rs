//! The service that every server has beside the user's: it finds the others, for clients that are
//! connected already.

use witrpc_macros::wit_service;

use crate::call::server::context::CallContext;
use crate::connection::handshake::Welcome;
use crate::contract::Digest;
use crate::tag::{REGISTRY, RequestTag};

/// Finds services. Its number is [`REGISTRY`], and its version that of the handshake.
#[wit_service(crate = crate)]
pub(crate) trait Registry {
    /// What the handshake says to a client that asks for this service and has this contract; the
    /// names of those that are served if it is not.
    fn find(
        &self,
        service: &str,
        contract: Digest,
        #[wit(ctx)] cx: &CallContext,
    ) -> Result<Welcome, Vec<String>>;
}

/// The tags of its methods.
pub fn tags() -> Box<[Option<u32>]> {
    Box::new([Some(RequestTag::call(REGISTRY, 0).bits())])
}
