//! Named memory as the pages of a region.

use std::io;

use witrpc_transport::ResourceError;

use crate::memory::copy::Pages;
use crate::memory::region::{
    Identity, Made, OpenError, OwnPages, PeerPages, RegionBuilder, RegionName,
};
use crate::sys::fd_closer::ReceivedFd;
use crate::sys::resource::{lacked, random_bytes};

use super::{Backend, Portable, shm};

/// A region that is being made, and what the peer must learn to open it.
#[derive(Debug)]
struct NamedBuilder {
    making: shm::Making,
    identity: Identity,
}

impl RegionBuilder for NamedBuilder {
    fn step(&mut self) -> Result<bool, ResourceError> {
        self.making.step()
    }

    fn finish(self: Box<Self>) -> Result<Made, ResourceError> {
        // SAFETY: it is all allocated, and moved in here. Whoever chose `Backend::Portable` has promised
        // that no process writes to it but as the protocol says.
        let pages = unsafe { OwnPages::new(self.making.finish()) };
        Ok(Made { pages, identity: self.identity, file: None })
    }
}

impl Portable {
    /// Begins a region of `len` zeroed bytes, under a name that no other process can guess.
    ///
    /// # Errors
    ///
    /// [`ResourceError`]: a limit forbids a region of this length, or there is no descriptor for
    /// it.
    pub fn begin_region(self, len: usize) -> Result<Box<dyn RegionBuilder>, ResourceError> {
        let name = RegionName(random_bytes()?);
        let identity = Identity::Named { name, size: len as u64 };
        Ok(Box::new(NamedBuilder { making: shm::Making::begin(name, len)?, identity }))
    }

    /// Opens the region that a peer has named. No descriptor may be passed with it.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: it breaks a rule, or cannot be mapped.
    pub fn open_region(
        self,
        identity: Identity,
        file: Option<ReceivedFd>,
    ) -> Result<PeerPages, OpenError> {
        let other = OpenError::OtherBackend(Backend::Portable(self.0));
        let (Identity::Named { name, size }, None) = (identity, file) else { return Err(other) };
        let len = usize::try_from(size).map_err(|_| other)?;
        let pages = shm::PeerMemory::open(name, len).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::InvalidData => {
                OpenError::Wrong(format!("the region that it names cannot be used: {source}"))
            }
            _ => OpenError::Resource(lacked("shm_open", size, &source)),
        })?;
        // SAFETY: the pages are moved in here. That they are allocated and are not cut short is part of
        // the promise, as in `NamedBuilder::finish`.
        Ok(unsafe { PeerPages::new(pages) })
    }
}

impl Pages for shm::OwnMemory {
    fn start(&self) -> *mut u8 {
        self.as_mut_ptr()
    }

    fn len(&self) -> usize {
        self.len()
    }
}

impl Pages for shm::PeerMemory {
    fn start(&self) -> *mut u8 {
        self.as_ptr().cast_mut()
    }

    fn len(&self) -> usize {
        self.len()
    }
}
