//! Regions as memory: how each backend makes and opens them, and where their pages become something
//! that the protocol may touch.

use std::io;

use crate::portable::shm;
use crate::sys::backend::Backend;
use crate::sys::fd_closer::ReceivedFd;
use crate::sys::fork::Descriptor;
use crate::sys::memfd;
use crate::sys::memfd::{FileIdentity, PeerMemoryError};
use crate::sys::resource::{ResourceError, random_bytes};

use super::arena::Arena;
use super::copy::{OwnMemory, Pages, PeerMemory};
use super::layout::{Layout, PAGE};
use super::send_arena::SendArena;

/// What the peer is told of a region, to open it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The file that is passed with it.
    File(FileIdentity),
    /// Named memory of `size` bytes.
    Named { id: shm::Id, size: u64 },
}

impl Identity {
    /// The size of the region in bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::File(file) => file.size,
            Self::Named { size, .. } => *size,
        }
    }
}

/// The pages of a region that this process made.
#[derive(Debug)]
pub enum OwnPages {
    Sealed(memfd::OwnMemory),
    Named(shm::OwnMemory),
}

/// A region just made, and how to tell the peer of it.
pub struct Made {
    pub pages: OwnPages,
    pub identity: Identity,
    /// To be passed to the peer.
    pub file: Option<Descriptor>,
}

/// A region that is being made, a step of some milliseconds at a time.
#[derive(Debug)]
pub enum RegionBuilder {
    Sealed(memfd::Making),
    Named { making: shm::Making, identity: Identity },
}

impl RegionBuilder {
    /// Begins with `len` zeroed bytes; `len` is positive.
    ///
    /// # Errors
    ///
    /// [`ResourceError`]: a limit forbids so long a region, or there is no descriptor for it.
    pub fn begin(backend: Backend, len: usize) -> Result<Self, ResourceError> {
        match backend {
            Backend::Native => memfd::Making::begin(len).map(Self::Sealed),
            Backend::Portable => {
                let id = shm::Id(random_bytes()?);
                let identity = Identity::Named { id, size: len as u64 };
                Ok(Self::Named { making: shm::Making::begin(id, len)?, identity })
            }
        }
    }

    /// Allocates some more. `true`: it is all there.
    ///
    /// # Errors
    ///
    /// [`ResourceError`]: there is too little memory by now.
    pub fn step(&mut self) -> Result<bool, ResourceError> {
        match self {
            Self::Sealed(making) => making.step(),
            Self::Named { making, .. } => making.step(),
        }
    }

    /// What has been allocated.
    ///
    /// # Errors
    ///
    /// [`ResourceError`]: it cannot be mapped, or the system refused something.
    pub fn finish(self) -> Result<Made, ResourceError> {
        match self {
            Self::Sealed(making) => {
                let (pages, sealed) = making.finish()?;
                let identity = Identity::File(sealed.identity);
                Ok(Made { pages: OwnPages::Sealed(pages), identity, file: Some(sealed.file) })
            }
            Self::Named { making, identity } => {
                Ok(Made { pages: OwnPages::Named(making.finish()), identity, file: None })
            }
        }
    }
}

impl OwnPages {
    /// Makes `len` zeroed and allocated bytes; `len` is positive.
    ///
    /// # Errors
    ///
    /// [`ResourceError`] says what is lacking.
    pub fn make(backend: Backend, len: usize) -> Result<Made, ResourceError> {
        let mut making = RegionBuilder::begin(backend, len)?;
        while !making.step()? {}
        making.finish()
    }

    /// Checks that regions of `len` bytes can be made here, by the limits in force and by making a
    /// short one: for a server to find out before its first client does.
    ///
    /// # Errors
    ///
    /// [`ResourceError`] says what is lacking.
    pub fn check_in_principle(backend: Backend, len: usize) -> Result<(), ResourceError> {
        memfd::check_in_principle(len as u64)?;
        Self::make(backend, PAGE).map(drop)
    }
}

impl Pages for OwnPages {
    fn start(&self) -> *mut u8 {
        match self {
            Self::Sealed(pages) => pages.as_mut_ptr(),
            Self::Named(pages) => pages.as_mut_ptr(),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Sealed(pages) => pages.len(),
            Self::Named(pages) => pages.len(),
        }
    }
}

/// The pages of a region that the peer made.
#[derive(Debug)]
pub enum PeerPages {
    Sealed(memfd::PeerMemory),
    Named(shm::PeerMemory),
}

impl PeerPages {
    /// Opens what a peer has told of, and passed, for a connection of this backend.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: it is not what it must be, or cannot be mapped.
    pub fn open(
        backend: Backend,
        identity: Identity,
        file: Option<ReceivedFd>,
    ) -> Result<Self, OpenError> {
        match (backend, identity, file) {
            (Backend::Native, Identity::File(named), Some(file)) => {
                Ok(Self::Sealed(memfd::PeerMemory::map(file, named)?))
            }
            (Backend::Portable, Identity::Named { id, size }, None) => {
                let len = usize::try_from(size).map_err(|_| OpenError::OtherBackend(backend))?;
                let pages =
                    shm::PeerMemory::open(id, len).map_err(|source| match source.kind() {
                        io::ErrorKind::NotFound
                        | io::ErrorKind::PermissionDenied
                        | io::ErrorKind::InvalidData => OpenError::NotThere(source),
                        _ => OpenError::Resource(ResourceError::of("shm_open", size, &source)),
                    })?;
                Ok(Self::Named(pages))
            }
            _ => Err(OpenError::OtherBackend(backend)),
        }
    }
}

impl Pages for PeerPages {
    fn start(&self) -> *mut u8 {
        match self {
            Self::Sealed(pages) => pages.as_ptr().cast_mut(),
            Self::Named(pages) => pages.as_ptr().cast_mut(),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Sealed(pages) => pages.len(),
            Self::Named(pages) => pages.len(),
        }
    }
}

/// Why a region of the peer's was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("its region is not one of the {0} backend")]
    OtherBackend(Backend),
    #[error(transparent)]
    Wrong(PeerMemoryError),
    #[error("the region that it names cannot be used: {0}")]
    NotThere(io::Error),
    #[error("its region cannot be mapped: {0}")]
    Resource(ResourceError),
}

impl From<PeerMemoryError> for OpenError {
    fn from(error: PeerMemoryError) -> Self {
        match error {
            PeerMemoryError::Resource(error) => Self::Resource(error),
            wrong => Self::Wrong(wrong),
        }
    }
}

/// Our region, with the arena that starts at `arena_start`.
pub fn own(pages: OwnPages, layout: &Layout, arena_start: usize) -> (OwnMemory, SendArena) {
    let arena = Arena::new(layout.arena_len());
    // SAFETY: the pages are fully allocated and moved in here, so that nobody else in this process
    // reaches their bytes; the layout gives every word in front of the arena one size. Against other
    // processes, sealed pages are sealed against shrinking and against writing by anybody else;
    // named ones are known, and can be opened, only by the processes of this user that have chosen
    // the portable backend, which trusts them to keep to the protocol: see `Backend::Portable`.
    let memory = unsafe { OwnMemory::new(pages, layout.region_len(), arena_start, &arena) };
    (memory.expect("the layout fits the region"), SendArena::new(arena))
}

/// The peer's region.
pub fn peer(pages: PeerPages, layout: &Layout) -> PeerMemory {
    // SAFETY: the pages are moved in here, so that nobody else in this process reaches their bytes.
    // Sealed pages were found to be fully allocated and sealed against shrinking; of named ones that
    // is trusted, as in `own`.
    let memory = unsafe { PeerMemory::new(pages, layout.region_len()) };
    memory.expect("the layout fits the region")
}
