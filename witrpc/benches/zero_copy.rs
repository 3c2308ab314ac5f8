//! What is shared in place: what it costs to pass it, to fill and to read it, and what a Unix socket
//! takes for the same.

mod support;

use std::hint::black_box;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use support::cores::Cores;
use support::floor::{CopyIn, Echo, Floors, InPlace, Push};
use support::options::Options;
use support::peer::{self, Parts, Peer};
use support::process;
use support::race::{Contender, Course, race};
use support::report::Report;
use support::service::{BenchClient, Echoed, Serving};
use support::socket::SocketClient;
use support::studio::{StudioClient, draw, sum, sum_of_pieces};
use witrpc::{Codec, Mmf, Shared, WaitPolicy};

fn main() {
    peer::run(|options| {
        let stage = Stage::new(options);
        stage.cores.while_pinned(|| {
            untouched(&stage);
            filled_and_read(&stage);
            plain_slice_in_place(&stage);
            accessors(&stage);
        });
        drop(stage);
        a_million_bytes(options);
        video(options);
    });
}

const MIB: usize = 1 << 20;

/// As long as the benchmark of the .NET library has its messages, in bytes.
const MILLION: usize = 1_000_000;

/// One server whose calls are polled, and the floors beside it.
struct Stage {
    options: Options,
    report: Report,
    cores: Cores,
    floors: Floors,
    bench: BenchClient,
    studio: StudioClient,
    _peer: Peer,
}

impl Stage {
    fn new(options: Options) -> Self {
        let serving =
            Serving { size: 64 * MIB, wait: WaitPolicy::Spin, trusts: true, ..Serving::new() };
        let floors = Floors::new();
        let peer = Parts::default().service(&serving).floors(&floors).start();
        let cores = Cores::available();
        let bench = serving.connect();
        let studio = bench.connection().client().expect("it is served too");
        let report = Report::new(options);
        Self { options, report, cores, floors, bench, studio, _peer: peer }
    }

    /// For calls of a microsecond.
    fn short(&self) -> Course {
        let rounds = if self.options.quick { 3 } else { 31 };
        Course { rounds, warm_up: 1_000, batches: 100, batch: 50, singles: 0 }
    }
}

/// For what takes as long as to copy a MiB.
fn long(options: Options) -> Course {
    let rounds = if options.quick { 3 } else { 31 };
    Course { rounds, warm_up: 10, batches: 20, batch: 5, singles: 0 }
}

/// Space taken, passed and given back, whatever its length; and passed only, again and again. Neither side
/// looks at a byte.
fn untouched(stage: &Stage) {
    let pass = |len: usize| {
        move || {
            let frame = stage.studio.connection().alloc::<u8>(len).expect("it fits");
            black_box(stage.studio.shared_len(frame.freeze())).expect("a length");
        }
    };
    let kept = stage.studio.connection().alloc::<u8>(MIB).expect("it fits").freeze();
    let contenders: [&mut dyn Contender; 5] = [
        &mut || {
            black_box(stage.bench.add(black_box(1), black_box(2))).expect("a sum");
        },
        &mut pass(4 << 10),
        &mut pass(MIB),
        &mut pass(16 * MIB),
        &mut || {
            black_box(stage.studio.shared_len(kept.clone())).expect("a length");
        },
    ];
    let [null, page, mib, mibs, again] = race(stage.short(), contenders);
    let report = stage.report;
    report.figure("null_call", null.median(), "ns");
    report.figure("shared_1mib_untouched", mib.median(), "ns");
    report.goal("shared_4kib_untouched_vs_null", page.ratio_to(&null), "ratio", 2.0);
    report.goal("shared_1mib_untouched_vs_null", mib.ratio_to(&null), "ratio", 2.0);
    report.goal("shared_16mib_untouched_vs_null", mibs.ratio_to(&null), "ratio", 2.0);
    report.figure("shared_1mib_lent_again_vs_null", again.ratio_to(&null), "ratio");
    report.goal("shared_16mib_vs_4kib_untouched", mibs.ratio_to(&page), "ratio", 1.1);
}

/// A MiB drawn here and summed there, beside both in one thread of one process, and both over bare
/// memory of two.
fn filled_and_read(stage: &Stage) {
    let len = MIB / size_of::<u64>();
    let mut own = vec![0; len];
    let fill = |seed: u64| {
        let mut samples = stage.studio.connection().alloc::<u64>(len).expect("it fits");
        draw(&mut samples, seed);
        samples.freeze()
    };
    let mut seed = 0;
    let mut seeds = || {
        seed += 1;
        black_box(seed)
    };
    let contenders: [&mut dyn Contender; 4] = [
        &mut || {
            draw(black_box(&mut own), 1);
            black_box(sum(black_box(&own)));
        },
        &mut InPlace { floors: stage.floors.clone(), len },
        &mut || {
            black_box(stage.studio.sum(fill(seeds()))).expect("a sum");
        },
        &mut || {
            black_box(stage.studio.sum_in_place(fill(2))).expect("a sum");
        },
    ];
    let [alone, bare, safe, in_place] = race(long(stage.options), contenders);
    let report = stage.report;
    report.figure("filled_summed_1mib_in_one_process", alone.median() / 1e3, "us");
    report.figure("filled_summed_1mib_over_bare_memory", bare.median() / 1e3, "us");
    report.figure("filled_summed_1mib", safe.median() / 1e3, "us");
    report.goal("filled_summed_1mib_vs_one_process", safe.ratio_to(&alone), "ratio", 1.15);
    report.goal("filled_summed_1mib_vs_bare_memory", safe.ratio_to(&bare), "ratio", 1.15);
    report.figure("filled_summed_1mib_trusted_vs_one_process", in_place.ratio_to(&alone), "ratio");
    report.figure("bare_memory_vs_one_process", bare.ratio_to(&alone), "ratio");
}

/// A plain `&[u8]` that a server reads where its client has copied it to.
fn plain_slice_in_place(stage: &Stage) {
    let bytes: Arc<[u8]> = (0..MIB).map(|index| index as u8).collect();
    let contenders: [&mut dyn Contender; 2] =
        [&mut CopyIn { floors: stage.floors.clone(), bytes: Arc::clone(&bytes) }, &mut || {
            black_box(stage.bench.bytes_len(black_box(&bytes)).expect("a length"));
        }];
    let [copy, call] = race(long(stage.options), contenders);
    stage.report.figure("bytes_1mib_in_place", call.median() / 1e3, "us");
    stage.report.goal("bytes_1mib_in_place_vs_memcpy", call.ratio_to(&copy), "ratio", 1.15);
}

/// What a reader that trusts no peer pays for its copies, beside a slice of its own.
fn accessors(stage: &Stage) {
    let len = MIB / size_of::<u64>();
    let shared = stage.studio.drawn(len as u64, 1).expect("it fits");
    assert!(shared.as_slice().is_none(), "the server is not trusted");
    let own = shared.to_vec();
    let (mut to, mut same_to) = (vec![0; len], vec![0; len]);
    let contenders: [&mut dyn Contender; 5] = [
        &mut || to.copy_from_slice(black_box(&own)),
        &mut || black_box(&shared).copy_to(&mut same_to),
        &mut || {
            black_box(sum(black_box(&own)));
        },
        &mut || {
            black_box(sum_of_pieces(black_box(&shared)));
        },
        &mut || {
            black_box(sum_of_chunks(black_box(&shared)));
        },
    ];
    let [memcpy, copy_to, slice, iter, chunks] = race(long(stage.options), contenders);
    stage.report.goal("copy_to_1mib_vs_memcpy", copy_to.ratio_to(&memcpy), "ratio", 1.15);
    stage.report.goal("iter_1mib_vs_memcpy", iter.ratio_to(&memcpy), "ratio", 1.15);
    stage.report.goal("chunks_1mib_vs_memcpy", chunks.ratio_to(&memcpy), "ratio", 1.15);
    stage.report.figure("iter_1mib_vs_slice", iter.ratio_to(&slice), "ratio");
    stage.report.figure("chunks_1mib_vs_slice", chunks.ratio_to(&slice), "ratio");
}

fn sum_of_chunks(samples: &Shared<[u64]>) -> u64 {
    let mut chunks = samples.chunks(1_024);
    let mut total = 0_u64;
    while let Some(chunk) = chunks.next() {
        total = total.wrapping_add(sum(chunk));
    }
    total
}

/// The workload of the .NET library's benchmark: a million bytes one way and back, by JSON and a
/// binary codec, beside as many copies.
fn a_million_bytes(options: Options) {
    let serving = Serving { size: 64 * MIB, wait: WaitPolicy::Spin, ..Serving::new() };
    let floors = Floors::new();
    let _peer = Parts::default().service(&serving).floors(&floors).start();
    let cores = Cores::available();
    let binary = serving.connect();
    let json = BenchClient::builder(serving.name.as_str()).codec(Codec::Json);
    let json = json.wait(WaitPolicy::Spin).connect().expect("the peer serves");
    let bytes: Arc<[u8]> = (0..MILLION).map(|index| index as u8).collect();
    let one_way = |client: &BenchClient| {
        black_box(client.bytes_len(black_box(&bytes)).expect("a length"));
    };
    let contenders: [&mut dyn Contender; 6] = [
        &mut Push { floors: floors.clone(), bytes: Arc::clone(&bytes) },
        &mut || one_way(&binary),
        &mut || one_way(&json),
        &mut Echo { floors: floors.clone(), bytes: Arc::clone(&bytes) },
        &mut Echoed { client: &binary, bytes: bytes.to_vec() },
        &mut Echoed { client: &json, bytes: bytes.to_vec() },
    ];
    let times = cores.while_pinned(|| race(long(options), contenders));
    let [push, there, there_json, back, echoed, echoed_json] = times;
    let report = Report::new(options);
    for (name, times, copies) in [
        ("one_way_binary", there, &push),
        ("one_way_json", there_json, &push),
        ("echoed_binary", echoed, &back),
        ("echoed_json", echoed_json, &back),
    ] {
        report.figure(&format!("million_bytes_{name}"), times.median() / 1e3, "us");
        report.figure(&format!("million_bytes_{name}_vs_copies"), times.ratio_to(copies), "ratio");
    }
}

/// 3840 x 2160 pixels of three bytes, as words.
const FRAME_LEN: usize = 3840 * 2160 * 3 / size_of::<u64>();

const FRAMES_A_SECOND: u32 = 60;

/// Frames as they come: what both processes together take of a core, over shared memory and over a
/// Unix socket, to carry them only, and to draw and to sum them as well.
fn video(options: Options) {
    let serving = Serving { size: 64 * MIB, ..Serving::new() };
    let socket = Mmf::unguessable().name().to_owned();
    let mut peer = Parts::default().service(&serving).socket(&socket).start();
    let studio: StudioClient = serving.connect().connection().client().expect("it is served too");
    let mut socket = SocketClient::connect(&socket);
    let frames = FRAMES_A_SECOND * if options.quick { 1 } else { 10 };
    let report = Report::new(options);
    let mut own = vec![0; FRAME_LEN];
    for (name, looks) in [("carried", false), ("drawn_and_summed", true)] {
        let shared = played(frames, &mut peer, |seed| {
            let mut frame = studio.connection().alloc::<u64>(FRAME_LEN).expect("it fits");
            if looks {
                draw(&mut frame, seed);
                black_box(studio.sum(frame.freeze())).expect("a sum");
            } else {
                black_box(studio.sum_in_place(frame.freeze())).expect("a frame");
            }
        });
        let sent = played(frames, &mut peer, |seed| {
            if looks {
                draw(&mut own, seed);
            }
            black_box(socket.send(&own, looks)).expect("the peer reads");
        });
        report.figure(&format!("frame_4k_60hz_{name}_shared"), shared, "%_of_a_core");
        report.figure(&format!("frame_4k_60hz_{name}_socket"), sent, "%_of_a_core");
        report.figure(&format!("frame_4k_60hz_{name}_vs_socket"), shared / sent, "ratio");
    }
}

/// How much of a core both processes take while a frame is passed every sixtieth of a second.
fn played(frames: u32, peer: &mut Peer, mut pass: impl FnMut(u64)) -> f64 {
    // The first touch of the memory is not what is measured here.
    (0..3).for_each(&mut pass);
    let before = process::cpu_seconds() + peer.cpu_seconds();
    let start = Instant::now();
    for number in 1..=frames {
        pass(number.into());
        let due = start + Duration::from_secs(1) * number / FRAMES_A_SECOND;
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    let taken = process::cpu_seconds() + peer.cpu_seconds() - before;
    100.0 * taken / start.elapsed().as_secs_f64()
}
