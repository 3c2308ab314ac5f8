//! Streams of numbers, item by item on both sides, beside the same bytes in chunks.
//!
//! Down is a stream that a method returns, up one that it takes. Every item is added up, where it
//! arrives. The floor copies 64 KiB, the window of a stream, into shared memory and out again, with a
//! ping-pong to say so; `chunks` carries as many in plain typed calls, as slices. What is timed is
//! told by the item.

mod support;

use std::hint::black_box;
use std::sync::Arc;

use futures_core::Stream;
use futures_executor::block_on;
use support::cores::Cores;
use support::floor::{Floors, Push};
use support::options::Options;
use support::peer::{self, Parts};
use support::race::{Contender, Course, Times, race};
use support::report::Report;
use support::service::{BenchAsyncClient, BenchClient, Serving};
use witrpc::WaitPolicy;

/// Items of a chunk: 64 KiB.
const CHUNK: usize = 8192;

/// Ten million items a second.
const GOAL_NS: f64 = 100.0;

fn main() {
    peer::run(|options| {
        let report = Report::new(options);
        for wait in [WaitPolicy::Adaptive, WaitPolicy::Spin] {
            compare(options, report, wait);
        }
    });
}

fn compare(options: Options, report: Report, wait: WaitPolicy) {
    let serving = Serving { wait, ..Serving::new() };
    let floors = Floors::new();
    let _peer = Parts::default().service(&serving).floors(&floors).start();
    let cores = Cores::available();
    let client = serving.connect();
    let later = BenchAsyncClient::builder(serving.name.as_str()).wait(wait);
    let later = block_on(later.connect()).expect("the peer serves");

    let rounds = if options.quick { 3 } else { 21 };
    let batch = if options.quick { 50 * CHUNK } else { 500 * CHUNK };
    let course = Course { rounds, warm_up: batch / 4, batches: 3, batch, singles: 0 };
    let bytes: Arc<[u8]> = vec![1; CHUNK * 8].into();
    let contenders: [&mut dyn Contender; 6] = [
        &mut Chunked(Push { floors: floors.clone(), bytes }),
        &mut Chunked(Chunks { client: &client, numbers: vec![1.0; CHUNK] }),
        &mut Down(&client),
        &mut DownLater(&later),
        &mut Up(&client),
        &mut UpLater(&later),
    ];
    let times = cores.while_pinned(|| race(course, contenders));
    let [floor, chunks, streams @ ..] = times;
    let policy = format!("{wait:?}").to_lowercase();
    report.figure(&format!("floor_item_{policy}"), floor.median(), "ns");
    report.figure(&format!("chunks_item_{policy}"), chunks.median(), "ns");
    let names = ["down", "down_async", "up", "up_async"];
    for (name, times) in names.iter().zip(&streams) {
        print(report, &format!("{name}_{policy}"), times, &floor, &chunks);
    }
}

fn print(report: Report, name: &str, times: &Times, floor: &Times, chunks: &Times) {
    report.goal(&format!("stream_{name}_item"), times.median(), "ns", GOAL_NS);
    report.figure(&format!("stream_{name}_rate"), 1e3 / times.median(), "M_items/s");
    report.figure(&format!("stream_{name}_vs_floor"), times.ratio_to(floor), "ratio");
    report.figure(&format!("stream_{name}_vs_chunks"), times.ratio_to(chunks), "ratio");
}

/// Carries items in chunks.
struct Chunked<C>(C);

impl<C: Contender> Contender for Chunked<C> {
    fn begin(&mut self) {
        self.0.begin();
    }

    fn run(&mut self, items: usize) {
        self.0.run(items.div_ceil(CHUNK));
    }

    fn end(&mut self) {
        self.0.end();
    }
}

struct Chunks<'a> {
    client: &'a BenchClient,
    numbers: Vec<f64>,
}

impl Contender for Chunks<'_> {
    fn run(&mut self, chunks: usize) {
        for _ in 0..chunks {
            black_box(self.client.floats_len(black_box(&self.numbers)).expect("a length"));
        }
    }
}

fn sum_to(items: usize) -> u64 {
    (0..items as u64).sum()
}

struct Down<'a>(&'a BenchClient);

impl Contender for Down<'_> {
    fn run(&mut self, items: usize) {
        let stream = self.0.count(items as u64).expect("a stream");
        let sum: u64 = stream.map(|number| number.expect("a number")).sum();
        assert_eq!(sum, sum_to(items));
    }
}

struct DownLater<'a>(&'a BenchAsyncClient);

impl Contender for DownLater<'_> {
    fn run(&mut self, items: usize) {
        let sum = block_on(async {
            let mut stream = self.0.count(items as u64).await.expect("a stream");
            let mut sum = 0;
            while let Some(number) = stream.next().await {
                sum += number.expect("a number");
            }
            sum
        });
        assert_eq!(sum, sum_to(items));
    }
}

struct Up<'a>(&'a BenchClient);

impl Contender for Up<'_> {
    fn run(&mut self, items: usize) {
        assert_eq!(self.0.sum(0..items as u64), Ok(sum_to(items)));
    }
}

struct UpLater<'a>(&'a BenchAsyncClient);

impl Contender for UpLater<'_> {
    fn run(&mut self, items: usize) {
        assert_eq!(block_on(self.0.sum_later(Counting(0..items as u64))), Ok(sum_to(items)));
    }
}

/// A stream that is always ready.
struct Counting(std::ops::Range<u64>);

impl Stream for Counting {
    type Item = u64;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<u64>> {
        std::task::Poll::Ready(self.0.next())
    }
}
