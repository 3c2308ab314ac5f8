//! The show: draws frames, has them filtered, writes them, and reports progress.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use witrpc::{AllocError, Shared};

use crate::darkroom::{DarkroomClient, processor_time};
use crate::options::Options;
use crate::pictures::Album;
use crate::scene;

/// The time between two looks at the clocks.
const LOOK: Duration = Duration::from_millis(250);

/// Shows all frames, or, once `stop` is set, the frames so far.
pub(crate) fn show(
    client: &DarkroomClient,
    options: &Options,
    stop: &AtomicBool,
) -> Result<Shown, Box<dyn Error>> {
    let mut album = Album::open(&options.out)?;
    let mut meter = Meter::start(client, options)?;
    thread::scope(|scope| {
        // One frame waits here, and one is drawn meanwhile.
        let (drawer, drawn) = sync_channel(1);
        let drawing = scope.spawn(move || draw_all(client, options, stop, &drawer));
        for (number, frame) in drawn {
            let picture = client.develop(frame, options.size, options.filter)?;
            if options.every.is_some_and(|every| number % every == 0) {
                album.add(number, &picture, options.size)?;
            }
            meter.count(client, &picture)?;
        }
        drawing.join().expect("drawing does not panic").map_err(Box::<dyn Error>::from)
    })?;
    meter.end(client, album.written)
}

/// Draws frames at their times, into memory that the worker sees. Waits while no memory is free,
/// which is until the worker has finished earlier frames.
fn draw_all(
    client: &DarkroomClient,
    options: &Options,
    stop: &AtomicBool,
    drawer: &SyncSender<(u64, Shared<[u8]>)>,
) -> Result<(), AllocError> {
    let start = Instant::now();
    for number in 0..options.frames.unwrap_or(u64::MAX) {
        if let Some(fps) = options.fps {
            let due = start + Duration::from_secs_f64(number as f64 / f64::from(fps));
            thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        if stop.load(Relaxed) {
            break;
        }
        let mut frame = client.connection().alloc::<u8>(options.size.bytes())?;
        scene::draw(number, options.size, &mut frame);
        if drawer.send((number, frame.freeze())).is_err() {
            // The receiver hung up, and reports the reason.
            break;
        }
    }
    Ok(())
}

/// A meter of frames and processor time, which looks at the clocks now and then.
struct Meter<'o> {
    options: &'o Options,
    bar: ProgressBar,
    began: Clocks,
    /// The clocks at the last look, and the number of frames then.
    before: (Clocks, u64),
    frames: u64,
    copied: u64,
}

#[derive(Clone, Copy)]
struct Clocks {
    now: Instant,
    here: Duration,
    worker: Duration,
}

impl Clocks {
    fn read(client: &DarkroomClient) -> Result<Self, Box<dyn Error>> {
        let worker = client.processor_time()?;
        Ok(Self { now: Instant::now(), here: processor_time(), worker })
    }

    fn rates_since(self, before: Self, frames: u64) -> Rates {
        let secs = (self.now - before.now).as_secs_f64().max(f64::MIN_POSITIVE);
        Rates {
            frames: frames as f64 / secs,
            here: 100.0 * (self.here - before.here).as_secs_f64() / secs,
            worker: 100.0 * (self.worker - before.worker).as_secs_f64() / secs,
        }
    }
}

impl<'o> Meter<'o> {
    fn start(client: &DarkroomClient, options: &'o Options) -> Result<Self, Box<dyn Error>> {
        let bar = options.frames.map_or_else(ProgressBar::no_length, ProgressBar::new);
        let style = match options.frames {
            Some(_) => "{bar:24} {pos}/{len} {msg}",
            None => "{spinner} {pos} {msg}",
        };
        bar.set_style(ProgressStyle::with_template(style)?);
        let began = Clocks::read(client)?;
        Ok(Self { options, bar, began, before: (began, 0), frames: 0, copied: 0 })
    }

    /// Counts one more frame.
    fn count(
        &mut self,
        client: &DarkroomClient,
        picture: &Shared<[u8]>,
    ) -> Result<(), Box<dyn Error>> {
        self.frames += 1;
        // A copy is private memory, so it has a slice; memory that the worker has filled has none.
        self.copied += u64::from(picture.as_slice().is_some());
        self.bar.set_position(self.frames);
        let (before, frames) = self.before;
        if before.now.elapsed() >= LOOK {
            let clocks = Clocks::read(client)?;
            self.bar.set_message(clocks.rates_since(before, self.frames - frames).to_string());
            self.before = (clocks, self.frames);
        }
        Ok(())
    }

    fn end(self, client: &DarkroomClient, written: u64) -> Result<Shown, Box<dyn Error>> {
        self.bar.finish_and_clear();
        let clocks = Clocks::read(client)?;
        Ok(Shown {
            frames: self.frames,
            copied: self.copied,
            time: clocks.now - self.began.now,
            rates: clocks.rates_since(self.began, self.frames),
            bytes: self.options.size.bytes(),
            written,
            dir: self.options.out.clone(),
        })
    }
}

/// Frames a second, and the processor time of both processes in percent.
struct Rates {
    frames: f64,
    here: f64,
    worker: f64,
}

impl fmt::Display for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { frames, here, worker } = self;
        write!(f, "{frames:.0} frames/s, CPU {here:.0} % here, {worker:.0} % in the worker")
    }
}

/// The total of what has been shown.
pub(crate) struct Shown {
    frames: u64,
    copied: u64,
    time: Duration,
    rates: Rates,
    bytes: usize,
    written: u64,
    dir: PathBuf,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = self.rates.frames * self.bytes as f64 / f64::from(1 << 20);
        writeln!(f, "{} frames in {:.1} s: {}", self.frames, self.time.as_secs_f64(), self.rates)?;
        writeln!(f, "{mib:.0} MiB/s there and as much back; {} copied on the way", self.copied)?;
        write!(f, "PNG files written to {}: {}", self.dir.display(), self.written)
    }
}
