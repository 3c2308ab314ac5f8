//! The place of a service: a transport, with the name and limits it was given.

use std::sync::Arc;

use super::Transport;

/// The place of a service. Made from a name (`"calc"`), an [`Mmf`](crate::Mmf) or an
/// [`InProcess`](crate::InProcess), or with [`Endpoint::new`] from another transport. Clones lead to the same
/// place.
///
/// # Examples
///
/// ```
/// use witrpc::{Endpoint, InProcess, Mmf};
///
/// let by_name = Endpoint::from("calc");
/// let with_limits = Endpoint::from(Mmf::new("calc").size(1 << 20));
/// let in_this_process = Endpoint::from(InProcess::new());
/// ```
#[derive(Clone, Debug)]
pub struct Endpoint(Arc<dyn Transport>);

impl Endpoint {
    /// Returns the endpoint of a transport.
    pub fn new(transport: impl Transport + 'static) -> Self {
        Self(Arc::new(transport))
    }

    pub(crate) fn transport(&self) -> &dyn Transport {
        &*self.0
    }
}
