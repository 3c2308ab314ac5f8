//! The service that every server adds to the user's. It finds the other services, for clients that are
//! already connected.

use witrpc_macros::wit_service;

use crate::call::server::context::CallContext;
use crate::connection::handshake::Welcome;
use crate::contract::Digest;
use crate::tag::{REGISTRY, RequestTag};

/// The service that finds services. Its number is [`REGISTRY`], and its version that of the handshake.
#[wit_service(crate = crate)]
pub(crate) trait Registry {
    /// Answers as the handshake answers a client that asks for this service and has this contract. If
    /// the service is not served, returns the names of those that are.
    fn find(
        &self,
        service: &str,
        contract: Digest,
        #[wit(ctx)] cx: &CallContext,
    ) -> Result<Welcome, Vec<String>>;
}

/// Returns the tags of its methods.
pub fn tags() -> Box<[Option<u32>]> {
    Box::new([Some(RequestTag::call(REGISTRY, 0).bits())])
}
