//! What the server gives a client of a connection.

use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use witrpc_transport::ResourceError;

use crate::memory::region::{Made, RegionBuilder};
use crate::sys::fd_closer::Socket;
use crate::sys::fork::Descriptor;
use crate::sys::resource::{self, random_bytes};

use super::peer::inode_of;
use super::record::Nonce;

/// What the server has made for a client, before it tells the client of it.
pub struct Offered {
    pub made: Made,
    pub nonce: Nonce,
    pub doorbell: Option<Socket>,
    pub inode: u64,
    pub their_bell: Option<Descriptor>,
}

impl Offered {
    pub fn new(making: Box<dyn RegionBuilder>) -> Result<Self, ResourceError> {
        let made = making.finish()?;
        let nonce = random_bytes()?;
        let lacked = |error: Errno| resource::lacked("socketpair", 0, &error.into());
        // A backend that passes no region passes no bell either.
        let (doorbell, their_bell) = match &made.file {
            Some(_) => new_bell().map_err(lacked)?,
            None => (None, None),
        };
        let inode = inode_of(their_bell.as_ref()).map_err(lacked)?;
        Ok(Self { made, nonce, doorbell, inode, their_bell })
    }
}

/// Makes both ends of a bell; this side's end comes first.
fn new_bell() -> Result<(Option<Socket>, Option<Descriptor>), Errno> {
    Descriptor::open_with(|register: fn(OwnedFd) -> Descriptor| {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (one, other) = socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        Ok((register(one), register(other)))
    })
    .map(|(one, other)| (Some(Socket::new(one)), Some(other)))
}
