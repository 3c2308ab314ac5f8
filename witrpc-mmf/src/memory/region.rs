//! Regions as memory: how they are made and opened, and where their pages become memory that the
//! protocol may access.

use std::fmt;

use witrpc_transport::ResourceError;

use crate::portable::Backend;
use crate::sys::fd_closer::ReceivedFd;
use crate::sys::fork::Descriptor;
use crate::sys::memfd;
use crate::sys::memfd::{FileIdentity, PeerMemoryError};

use super::arena::Arena;
use super::copy::{OwnMemory, Pages, PeerMemory};
use super::layout::{Layout, PAGE};
use super::send_arena::SendArena;

/// What the peer learns of a region, to open it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The file that is passed with it.
    File(FileIdentity),
    /// Memory of `size` bytes that has a name, if nothing is passed.
    Named { name: RegionName, size: u64 },
}

/// The random part of a region's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegionName(pub [u8; 16]);

impl Identity {
    /// Returns the size of the region in bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::File(file) => file.size,
            Self::Named { size, .. } => *size,
        }
    }
}

/// A region that was just made, and what the peer must learn to open it.
pub struct Made {
    pub pages: OwnPages,
    pub identity: Identity,
    /// The file to pass to the peer.
    pub file: Option<Descriptor>,
}

/// A region that is being made, in steps of some milliseconds.
pub trait RegionBuilder: fmt::Debug + Send {
    /// Allocates the next part. Returns `true` when everything has been allocated.
    ///
    /// # Errors
    ///
    /// [`ResourceError`]: there is too little memory by now.
    fn step(&mut self) -> Result<bool, ResourceError>;

    /// Returns the finished region. Must be called only after a step has returned `true`.
    ///
    /// # Errors
    ///
    /// [`ResourceError`]: it cannot be mapped, or the system refused a call.
    fn finish(self: Box<Self>) -> Result<Made, ResourceError>;
}

/// Begins a region of `len` zeroed bytes; `len` must be positive.
///
/// # Errors
///
/// [`ResourceError`]: a limit forbids a region of this length, or there is no descriptor for it.
pub fn begin(backend: Backend, len: usize) -> Result<Box<dyn RegionBuilder>, ResourceError> {
    if let Some(portable) = backend.portable() {
        return portable.begin_region(len);
    }
    Ok(Box::new(memfd::Making::begin(len)?))
}

impl RegionBuilder for memfd::Making {
    fn step(&mut self) -> Result<bool, ResourceError> {
        self.step()
    }

    fn finish(self: Box<Self>) -> Result<Made, ResourceError> {
        let (memory, sealed) = (*self).finish();
        // SAFETY: all of it is allocated, it is sealed against shrinking and against writing by any
        // other process, and it is moved in here.
        let pages = unsafe { OwnPages::new(memory) };
        Ok(Made { pages, identity: Identity::File(sealed.identity), file: Some(sealed.file) })
    }
}

/// The pages of a region that this process made.
///
/// # Invariants
///
/// They are allocated and stay allocated, no other process writes to them, and no other code in this
/// process reaches their bytes.
#[derive(Debug)]
pub struct OwnPages(Box<dyn Pages>);

impl OwnPages {
    /// Takes over pages.
    ///
    /// # Safety
    ///
    /// The caller promises the invariants.
    pub unsafe fn new(pages: impl Pages) -> Self {
        Self(Box::new(pages))
    }

    /// Makes `len` zeroed and allocated bytes; `len` must be positive.
    ///
    /// # Errors
    ///
    /// [`ResourceError`] says what is lacking.
    pub fn make(backend: Backend, len: usize) -> Result<Made, ResourceError> {
        let mut making = begin(backend, len)?;
        while !making.step()? {}
        making.finish()
    }

    /// Checks that regions of `len` bytes can be made here, by the limits in force and by making a
    /// short one. So a server finds out before its first client does.
    ///
    /// # Errors
    ///
    /// [`ResourceError`] says what is lacking.
    pub fn check_in_principle(backend: Backend, len: usize) -> Result<(), ResourceError> {
        memfd::check_in_principle(len as u64)?;
        Self::make(backend, PAGE).map(drop)
    }
}

/// The pages of a region that the peer made.
///
/// # Invariants
///
/// They are allocated and stay allocated, and no other code in this process reaches their bytes.
#[derive(Debug)]
pub struct PeerPages(Box<dyn Pages>);

impl PeerPages {
    /// Takes over pages.
    ///
    /// # Safety
    ///
    /// The caller promises the invariants.
    pub unsafe fn new(pages: impl Pages) -> Self {
        Self(Box::new(pages))
    }

    /// Opens a region as [`Opening::begin`] does, all steps at once, from this process itself.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: it breaks a rule, or cannot be mapped.
    #[cfg(any(test, fuzzing))]
    pub fn open(
        backend: Backend,
        identity: Identity,
        file: Option<ReceivedFd>,
    ) -> Result<Self, OpenError> {
        let mut opening = Opening::begin(backend, identity, file, true)?;
        while !opening.step()? {}
        opening.finish()
    }
}

/// A region of the peer's that is being opened, in steps of some milliseconds.
#[derive(Debug)]
pub enum Opening {
    /// The file that came is checked.
    File(memfd::FileCheck),
    /// It was opened by its name.
    Named(PeerPages),
}

impl Opening {
    /// Begins to open the region that a peer has described, and perhaps passed, for a connection of this
    /// backend. `peer_is_self` says that the peer is this process.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: it breaks a rule, or cannot be mapped.
    pub fn begin(
        backend: Backend,
        identity: Identity,
        file: Option<ReceivedFd>,
        peer_is_self: bool,
    ) -> Result<Self, OpenError> {
        if let Some(portable) = backend.portable() {
            return portable.open_region(identity, file).map(Self::Named);
        }
        let (Identity::File(named), Some(file)) = (identity, file) else {
            return Err(OpenError::OtherBackend(backend));
        };
        Ok(Self::File(memfd::FileCheck::begin(file, named, peer_is_self)?))
    }

    /// Checks the next part. Returns `true` when everything has been checked.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: it breaks a rule.
    pub fn step(&mut self) -> Result<bool, OpenError> {
        match self {
            Self::File(opening) => Ok(opening.step()?),
            Self::Named(_) => Ok(true),
        }
    }

    /// Returns the opened region. Must be called only after a step has returned `true`.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: it cannot be mapped.
    pub fn finish(self) -> Result<PeerPages, OpenError> {
        let memory = match self {
            Self::File(opening) => opening.finish()?,
            Self::Named(pages) => return Ok(pages),
        };
        // SAFETY: it was found to be all allocated and sealed against shrinking, and is moved in here.
        Ok(unsafe { PeerPages::new(memory) })
    }
}

impl Pages for OwnPages {
    fn start(&self) -> *mut u8 {
        self.0.start()
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

impl Pages for PeerPages {
    fn start(&self) -> *mut u8 {
        self.0.start()
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

impl Pages for memfd::OwnMemory {
    fn start(&self) -> *mut u8 {
        self.as_mut_ptr()
    }

    fn len(&self) -> usize {
        self.len()
    }
}

impl Pages for memfd::PeerMemory {
    fn start(&self) -> *mut u8 {
        self.as_ptr().cast_mut()
    }

    fn len(&self) -> usize {
        self.len()
    }
}

/// Why a region of the peer's was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("its region is not one of the {0} backend")]
    OtherBackend(Backend),
    #[error("{0}")]
    Wrong(String),
    #[error("its region cannot be mapped: {0}")]
    Resource(ResourceError),
}

impl From<PeerMemoryError> for OpenError {
    fn from(error: PeerMemoryError) -> Self {
        match error {
            PeerMemoryError::Resource(error) => Self::Resource(error),
            wrong => Self::Wrong(wrong.to_string()),
        }
    }
}

/// Returns this side's region, with the arena that starts at `arena_start`.
pub fn own(pages: OwnPages, layout: &Layout, arena_start: usize) -> (OwnMemory, SendArena) {
    let arena = Arena::new(layout.arena_len());
    // SAFETY: by the invariants of `OwnPages`; the layout gives every word in front of the arena one
    // size.
    let memory = unsafe { OwnMemory::new(pages, layout.region_len(), arena_start, &arena) };
    (memory.expect("the layout fits the region"), SendArena::new(arena))
}

/// Returns the peer's region.
pub fn peer(pages: PeerPages, layout: &Layout) -> PeerMemory {
    // SAFETY: by the invariants of `PeerPages`.
    let memory = unsafe { PeerMemory::new(pages, layout.region_len()) };
    memory.expect("the layout fits the region")
}
