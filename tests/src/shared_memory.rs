//! The service for tests of shared memory.

use std::sync::{Arc, Mutex, MutexGuard};

use serde::{Deserialize, Serialize};
use witrpc::{AllocError, CallContext, Shared, wit_service};

use crate::basic::{Bench, Point, bytes_of, checksum};

/// What the service saw of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The checksum of its bytes.
    pub checksum: u64,
    /// Whether it is where the client has put it, and was not copied into the message.
    pub in_place: bool,
}

impl Seen {
    /// Returns what is seen of a frame here. Memory that the other process can write to gives no
    /// slice.
    pub fn of(frame: &Shared<[u8]>) -> Self {
        Self { checksum: checksum(&frame.to_vec()), in_place: frame.as_slice().is_none() }
    }
}

/// Returns a frame in the client's shared memory.
///
/// # Panics
///
/// When there is no space.
pub fn frame(client: &SharedMemoryClient, len: usize, seed: u64) -> Shared<[u8]> {
    let mut frame = client.connection().alloc::<u8>(len).unwrap();
    frame.copy_from_slice(&bytes_of(len, seed));
    frame.freeze()
}

/// Returns the most bytes that a client can share at once.
///
/// # Panics
///
/// When it is not bounded.
pub fn most(client: &SharedMemoryClient) -> usize {
    match client.connection().try_alloc::<u8>(usize::MAX).unwrap_err() {
        AllocError::TooLarge { max, .. } => max,
        other => panic!("{other}"),
    }
}

/// Methods that take and give shared memory, beside and instead of other values.
#[wit_service]
pub trait SharedMemory {
    /// Looks at a frame.
    fn look(&self, frame: Shared<[u8]>) -> Seen;
    /// Looks at a frame in a task.
    async fn look_later(&self, frame: Shared<[u8]>) -> Seen;
    /// Looks at a frame once the gate is open.
    async fn hold(&self, gate: u64, frame: Shared<[u8]>) -> Seen;
    /// Looks at a frame that is lent.
    fn look_at(&self, frame: &Shared<[u8]>) -> Seen;
    /// Looks at two frames, with a text between them.
    fn look_twice(
        &self,
        left: Shared<[u8]>,
        between: &str,
        right: Shared<[u8]>,
    ) -> (Seen, Seen, String);
    /// Looks at a frame that comes with a long message.
    fn look_beside(&self, frame: Shared<[u8]>, message: &[u8]) -> (Seen, u64);
    /// Takes all kinds at once, and returns the sum of everything.
    fn sum(
        &self,
        bytes: Shared<[u8]>,
        name: &str,
        weights: &[f64],
        words: Shared<[u32]>,
        offset: Shared<Point>,
        numbers: Vec<u16>,
    ) -> f64;
    /// Returns `len` bytes that follow from the seed.
    fn render(&self, #[wit(ctx)] cx: &CallContext, len: u64, seed: u64) -> Shared<[u8]>;
    /// Does the same, once the gate is open.
    async fn render_later(
        &self,
        #[wit(ctx)] cx: &CallContext,
        gate: u64,
        len: u64,
        seed: u64,
    ) -> Result<Shared<[u8]>, String>;
    /// Returns the middle of some points.
    fn middle(&self, #[wit(ctx)] cx: &CallContext, points: Shared<[Point]>) -> Shared<Point>;
    /// Returns the frame.
    fn echo(&self, frame: Shared<[u8]>) -> Shared<[u8]>;
    /// Returns the service's own frame, which the first call has made for its client.
    fn exhibit(&self, #[wit(ctx)] cx: &CallContext, len: u64, seed: u64) -> Shared<[u8]>;
    /// Keeps a frame. Returns how many are kept.
    fn keep(&self, frame: Shared<[u8]>) -> u64;
    /// Returns the checksums of the frames that are kept.
    fn kept(&self) -> Vec<u64>;
    /// Drops the frames that are kept.
    fn forget(&self);
    /// Panics while it holds a frame.
    fn spill(&self, frame: Shared<[u8]>) -> u64;
    /// Opens a gate, which stays open.
    fn open(&self, gate: u64);
    /// Answers when this many calls have arrived at the gate.
    async fn arrived(&self, gate: u64, calls: u32);
}

/// The service.
#[derive(Debug)]
pub struct Rooms {
    kept: Mutex<Vec<Shared<[u8]>>>,
    exhibit: Mutex<Option<Shared<[u8]>>>,
    /// The basic service, whose gates this service uses too.
    bench: Arc<Bench>,
}

impl Rooms {
    /// Creates the service beside a basic service.
    pub fn beside(bench: &Arc<Bench>) -> Self {
        Self { kept: Mutex::default(), exhibit: Mutex::default(), bench: Arc::clone(bench) }
    }

    fn frames(&self) -> MutexGuard<'_, Vec<Shared<[u8]>>> {
        self.kept.lock().expect("no thread panics with it")
    }
}

impl SharedMemory for Rooms {
    fn look(&self, frame: Shared<[u8]>) -> Seen {
        Seen::of(&frame)
    }

    async fn look_later(&self, frame: Shared<[u8]>) -> Seen {
        Seen::of(&frame)
    }

    async fn hold(&self, gate: u64, frame: Shared<[u8]>) -> Seen {
        self.bench.gates().wait_at(gate).await;
        Seen::of(&frame)
    }

    fn look_at(&self, frame: &Shared<[u8]>) -> Seen {
        Seen::of(frame)
    }

    fn look_twice(
        &self,
        left: Shared<[u8]>,
        between: &str,
        right: Shared<[u8]>,
    ) -> (Seen, Seen, String) {
        (Seen::of(&left), Seen::of(&right), between.to_owned())
    }

    fn look_beside(&self, frame: Shared<[u8]>, message: &[u8]) -> (Seen, u64) {
        (Seen::of(&frame), checksum(message))
    }

    fn sum(
        &self,
        bytes: Shared<[u8]>,
        name: &str,
        weights: &[f64],
        words: Shared<[u32]>,
        offset: Shared<Point>,
        numbers: Vec<u16>,
    ) -> f64 {
        let offset = offset.get();
        bytes.iter().map(f64::from).sum::<f64>()
            + name.len() as f64
            + weights.iter().sum::<f64>()
            + words.iter().map(f64::from).sum::<f64>()
            + offset.x
            + offset.y
            + numbers.into_iter().map(f64::from).sum::<f64>()
    }

    fn render(&self, cx: &CallContext, len: u64, seed: u64) -> Shared<[u8]> {
        let mut frame = cx.alloc(len as usize).expect("it is not too large");
        frame.copy_from_slice(&bytes_of(len as usize, seed));
        frame.freeze()
    }

    async fn render_later(
        &self,
        cx: &CallContext,
        gate: u64,
        len: u64,
        seed: u64,
    ) -> Result<Shared<[u8]>, String> {
        self.bench.gates().wait_at(gate).await;
        let mut frame = cx.alloc(len as usize).map_err(|error| error.to_string())?;
        frame.copy_from_slice(&bytes_of(len as usize, seed));
        Ok(frame.freeze())
    }

    fn middle(&self, cx: &CallContext, points: Shared<[Point]>) -> Shared<Point> {
        let mut middle = cx.alloc_value::<Point>().expect("it is small");
        let count = points.len() as f64;
        middle.x = points.iter().map(|point| point.x).sum::<f64>() / count;
        middle.y = points.iter().map(|point| point.y).sum::<f64>() / count;
        middle.freeze()
    }

    fn echo(&self, frame: Shared<[u8]>) -> Shared<[u8]> {
        frame
    }

    fn exhibit(&self, cx: &CallContext, len: u64, seed: u64) -> Shared<[u8]> {
        let mut exhibit = self.exhibit.lock().expect("no thread panics with it");
        exhibit.get_or_insert_with(|| self.render(cx, len, seed)).clone()
    }

    fn keep(&self, frame: Shared<[u8]>) -> u64 {
        let mut frames = self.frames();
        frames.push(frame);
        frames.len() as u64
    }

    fn kept(&self) -> Vec<u64> {
        self.frames().iter().map(|frame| checksum(&frame.to_vec())).collect()
    }

    fn forget(&self) {
        self.frames().clear();
    }

    fn spill(&self, frame: Shared<[u8]>) -> u64 {
        panic!("spilled {} bytes", frame.len());
    }

    fn open(&self, gate: u64) {
        self.bench.gates().open(gate);
    }

    async fn arrived(&self, gate: u64, calls: u32) {
        self.bench.gates().arrived(gate, calls).await;
    }
}
