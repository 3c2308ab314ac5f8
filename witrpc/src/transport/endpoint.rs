//! Where a service is: a transport, with the name and limits it was given.

use std::sync::Arc;

use super::Transport;

/// Where a service is. Made from a name (`"calc"`), an [`Mmf`](crate::Mmf), an
/// [`InProcess`](crate::InProcess), or with
/// [`Endpoint::new`] from a transport of one's own. Clones lead to the same place.
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
    /// The place that a transport of one's own leads to.
    pub fn new(transport: impl Transport + 'static) -> Self {
        Self(Arc::new(transport))
    }

    pub(crate) fn transport(&self) -> &dyn Transport {
        &*self.0
    }
}
