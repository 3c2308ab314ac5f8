//! The items of a method that returns a stream.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::call::client::call::ClientCall;
use crate::codec::{Codec, DecodeError, Decoder, read_count};
use crate::contract::shape::{Part, Shape};
use crate::error::{CallError, NoAppError};
use crate::stream::client::blocking::BlockingStream;

use super::client::{no_error_of_its_own, put};
use super::error::DynamicError;
use super::memory;
use super::message;
use super::message::{Fitted, Unshown};
use super::path::Path;
use super::service::DynamicService;

/// The items of a method that returns a stream. Dropping it closes the stream.
#[must_use = "a stream that is dropped is closed"]
pub struct DynamicStream {
    service: Arc<DynamicService>,
    method: u16,
    batches: BlockingStream<RawBatch>,
    items: VecDeque<Value>,
    /// Set once an item could not be shown.
    is_over: bool,
}

/// A batch as it came: the shape of its items is known elsewhere.
pub struct RawBatch {
    items: usize,
    sections: Vec<Vec<u8>>,
    encoded: Vec<u8>,
}

/// Takes a batch off a message. It stands for one item, so that no batch seems empty.
fn take_batch(from: &mut Decoder<'_>) -> Result<Vec<Result<RawBatch, NoAppError>>, DecodeError> {
    let items = read_count(from)?;
    let (sections, encoded) = from.take_undecoded()?;
    Ok(vec![Ok(RawBatch { items, sections, encoded: encoded.to_vec() })])
}

/// Calls a method that returns a stream, and blocks the thread until that is open.
pub fn open(
    service: &Arc<DynamicService>,
    method: u16,
    arguments: &[Fitted],
) -> Result<DynamicStream, DynamicError> {
    let mut call = ClientCall::new_opening(&service.connection, method);
    put(arguments, &mut call);
    let answer = call.block().0.map_err(CallError::of_app)?;
    if answer.is_error() {
        let shape = service.contract.methods[usize::from(method)].error.as_ref();
        let shape = shape.ok_or_else(no_error_of_its_own)?;
        return Err(CallError::App(message::read_only(shape, answer.decoder(), "error")?).into());
    }
    let batches = BlockingStream::new(call.take_stream(take_batch));
    let (service, items) = (Arc::clone(service), VecDeque::new());
    Ok(DynamicStream { service, method, batches, items, is_over: false })
}

impl RawBatch {
    /// Reads the items.
    fn read(&self, shape: &Shape, codec: Codec) -> Result<VecDeque<Value>, Unshown> {
        let path = Path::of("item");
        match (memory::element(shape), &self.sections[..]) {
            // Each is a section.
            (Some(element), sections) => {
                sections.iter().map(|memory| Ok(memory::show(element, memory, &path)?)).collect()
            }
            // All of them are one section of numbers.
            (None, [memory]) if matches!(shape.root, Part::Leaf(_)) => {
                match memory::show(&shape.root, memory, &path)? {
                    Value::Array(numbers) => Ok(numbers.into()),
                    _ => Ok(memory.iter().map(|byte| Value::from(*byte)).collect()),
                }
            }
            (None, _) => {
                let mut from = Decoder::new(codec, &self.encoded, None);
                from.expect_batch();
                let items = (0..self.items).map(|_| message::read(shape, &mut from, "item"));
                let items = items.collect::<Result<_, _>>()?;
                from.finish()?;
                Ok(items)
            }
        }
    }
}

impl DynamicStream {
    fn read(&mut self, batch: &RawBatch) -> Result<(), DynamicError> {
        let shape = &self.service.contract.methods[usize::from(self.method)].result;
        self.items = batch.read(shape, self.service.connection.codec())?;
        Ok(())
    }
}

impl Iterator for DynamicStream {
    type Item = Result<Value, DynamicError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.items.pop_front() {
                return Some(Ok(item));
            }
            if self.is_over {
                return None;
            }
            let read = match self.batches.next()? {
                Ok(batch) => self.read(&batch),
                Err(error) => Err(error.map_app(|none| match none {}).into()),
            };
            if let Err(error) = read {
                self.is_over = true;
                return Some(Err(error));
            }
        }
    }
}

impl fmt::Debug for DynamicStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamicStream").field("batches", &self.batches).finish_non_exhaustive()
    }
}
