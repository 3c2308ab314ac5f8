//! Random bytes, which a sandbox may refuse.

use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};
use witrpc_transport::ResourceError;

use super::lacked;

/// Returns random bytes from the kernel.
pub fn random_bytes<const N: usize>() -> Result<[u8; N], ResourceError> {
    let mut bytes = [0; N];
    let mut filled = 0;
    while filled < N {
        match getrandom(&mut bytes[filled..], GetRandomFlags::empty()) {
            Ok(more) => filled += more,
            // A signal arrived before the kernel's pool was ready, early in a boot.
            Err(Errno::INTR) => {}
            Err(error) => return Err(lacked("getrandom", 0, &error.into())),
        }
    }
    Ok(bytes)
}
