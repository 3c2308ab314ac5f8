//! The service of the worker.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use witrpc::{CallContext, Shared, wit_service};

use crate::filter::Filter;
use crate::options::Size;

/// The reason why a frame is not filtered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub(crate) enum DevelopError {
    #[error("a frame of {size:?} has {} bytes, and this one has {len}", size.bytes())]
    AnotherSize { size: Size, len: u64 },
    #[error("no space for the result: {0}")]
    NoSpace(String),
}

/// Filters frames: RGB, eight bits a colour, row after row from the top.
#[wit_service]
pub(crate) trait Darkroom {
    /// Returns the frame, filtered. The worker reads it where it was drawn, and the result stays
    /// where the worker writes it.
    fn develop(
        &self,
        #[wit(ctx)] cx: &CallContext,
        frame: Shared<[u8]>,
        size: Size,
        filter: Filter,
    ) -> Result<Shared<[u8]>, DevelopError>;

    /// Returns the processor time that the worker has used so far.
    fn processor_time(&self) -> Duration;
}

/// The service that filters.
pub(crate) struct Lamp;

impl Darkroom for Lamp {
    fn develop(
        &self,
        cx: &CallContext,
        frame: Shared<[u8]>,
        size: Size,
        filter: Filter,
    ) -> Result<Shared<[u8]>, DevelopError> {
        if frame.len() != size.bytes() {
            return Err(DevelopError::AnotherSize { size, len: frame.len() as u64 });
        }
        let mut picture =
            cx.alloc(frame.len()).map_err(|error| DevelopError::NoSpace(error.to_string()))?;
        filter.apply(&frame, size, &mut picture);
        Ok(picture.freeze())
    }

    fn processor_time(&self) -> Duration {
        processor_time()
    }
}

/// Returns the processor time that this process has used so far.
pub(crate) fn processor_time() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap_or_default()
}
