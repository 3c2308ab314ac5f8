//! Messages of 64 B to 16 MiB, beside as many copies between the same two processes.
//!
//! The floor of a direction is one copy in, by the sender into shared memory, and one copy out, by
//! the reader to a new vector, with a ping-pong to say so. A typed call does the same and returns
//! that vector. `echo` is a direction each way and its floor too; the others go there only.

mod support;

use std::hint::black_box;
use std::sync::Arc;

use support::cores::Cores;
use support::floor::{Echo, Floors, MAX_BYTES, Push};
use support::options::Options;
use support::peer::{self, Parts};
use support::process;
use support::race::{Contender, Course, race};
use support::report::Report;
use support::service::{BenchClient, Echoed, Serving};
use witrpc::WaitPolicy;

fn main() {
    peer::run(|options| {
        let report = Report::new(options);
        for size in [1 << 20, 64 << 20] {
            speed(options, report, size);
            memory(options, report, size);
        }
    });
}

/// Bytes that are moved a turn, more or less.
const TURN_BYTES: usize = 64 << 20;

fn course(options: Options, len: usize) -> Course {
    let calls = (TURN_BYTES / len).clamp(4, 2_000);
    let batch = (calls / 20).max(1);
    let rounds = if options.quick { 3 } else { 21 };
    Course { rounds, warm_up: calls.div_ceil(4), batches: calls / batch, batch, singles: 0 }
}

fn speed(options: Options, report: Report, size: usize) {
    let serving = Serving { size, wait: WaitPolicy::Spin, ..Serving::new() };
    let floors = Floors::new();
    let _peer = Parts::default().service(&serving).floors(&floors).start();
    let cores = Cores::available();
    let client = serving.connect();
    // What goes in one piece, and what goes in segments: half of a direction's region at most,
    // less some bookkeeping.
    let (mut whole, mut segmented) = (0_f64, 0_f64);
    let mut len = 64;
    while len <= MAX_BYTES {
        let ratios = cores.while_pinned(|| lengths(options, &client, &floors, len));
        for (kind, ratio) in ["bytes", "floats", "echo"].iter().zip(ratios) {
            let name = format!("{kind}_{}_in_{}_vs_copies", size_name(len), size_name(size));
            let (goal, worst) =
                if len < size / 4 { (1.3, &mut whole) } else { (2.0, &mut segmented) };
            report.goal(&name, ratio, "ratio", goal);
            *worst = worst.max(ratio);
        }
        len *= 8;
    }
    report.goal(&format!("worst_whole_in_{}_vs_copies", size_name(size)), whole, "ratio", 1.3);
    let name = format!("worst_segmented_in_{}_vs_copies", size_name(size));
    report.goal(&name, segmented, "ratio", 2.0);
}

/// Calls of one length, as multiples of their copies.
fn lengths(options: Options, client: &BenchClient, floors: &Floors, len: usize) -> [f64; 3] {
    let bytes: Arc<[u8]> = (0..len).map(|index| index as u8).collect();
    let floats: Vec<f64> = (0..len / 8).map(|index| index as f64).collect();
    let floors = floors.clone();
    let contenders: [&mut dyn Contender; 5] = [
        &mut Push { floors: floors.clone(), bytes: Arc::clone(&bytes) },
        &mut || {
            black_box(client.bytes_len(black_box(&bytes)).expect("a length"));
        },
        &mut || {
            black_box(client.floats_len(black_box(&floats)).expect("a length"));
        },
        &mut Echo { floors, bytes: Arc::clone(&bytes) },
        &mut Echoed { client, bytes: bytes.to_vec() },
    ];
    let [push, of_bytes, of_floats, echo, echoed] = race(course(options, len), contenders);
    [of_bytes.ratio_to(&push), of_floats.ratio_to(&push), echoed.ratio_to(&echo)]
}

/// How much the reading side grows by the longest messages.
fn memory(options: Options, report: Report, size: usize) {
    let serving = Serving { size, ..Serving::new() };
    let peer = Parts::default().service(&serving).start();
    let client = serving.connect();
    let bytes = vec![1; MAX_BYTES];
    client.bytes_len(&bytes[..64]).expect("a length");
    let before = process::resident(peer.pid());
    process::forget_peak(peer.pid());
    for _ in 0..if options.quick { 3 } else { 20 } {
        client.bytes_len(&bytes).expect("a length");
    }
    let grown = process::peak_resident(peer.pid()) - before;
    let name = format!("reader_growth_16MiB_in_{}", size_name(size));
    let goal = (size + MAX_BYTES) as f64;
    report.goal(&name, grown / 1048576.0, "MiB", goal / 1048576.0);
}

/// As in `4KiB`.
fn size_name(len: usize) -> String {
    match len {
        0..1024 => format!("{len}B"),
        1024..1048576 => format!("{}KiB", len >> 10),
        _ => format!("{}MiB", len >> 20),
    }
}
