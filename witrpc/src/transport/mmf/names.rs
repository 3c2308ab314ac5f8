//! Which names are being served.

use witrpc_mmf::{Place, live_names};

use crate::error::ConnectError;

/// The names that servers of this user are serving at this moment, sorted; those in directories of
/// their own ([`Mmf::in_dir`](crate::Mmf::in_dir)) are not among them.
///
/// # Errors
///
/// [`ConnectError::Directory`]: the directory of names cannot be trusted or read.
///
/// # Examples
///
/// ```
/// for name in witrpc::servers()? {
///     println!("{name}");
/// }
/// # Ok::<(), witrpc::ConnectError>(())
/// ```
pub fn servers() -> Result<Vec<String>, ConnectError> {
    live_names(&Place::default())
        .map_err(|error| ConnectError::Directory { source: Box::new(error) })
}
