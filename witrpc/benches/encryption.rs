//! What encryption costs: calls in clear and sealed, beside bare sealing and opening.
//!
//! The floor seals a message with the library's AEAD and opens it again, in place and by one thread, in
//! pieces as long as those of a call. A call seals on one side and opens on the other, one after the
//! other, and copies: into a private piece, into shared memory, out of it, and to the handler.

mod support;

use std::hint::black_box;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, Tag, UnboundKey};

use support::cores::Cores;
use support::options::Options;
use support::peer::{self, Parts};
use support::race::{Contender, Course, race};
use support::report::Report;
use support::service::{BenchClient, Serving};
use witrpc::WaitPolicy;

fn main() {
    peer::run(|options| {
        let report = Report::new(options);
        let served = || Serving { size: 16 << 20, wait: WaitPolicy::Spin, ..Serving::new() };
        let (clear, sealed) = (served(), Serving { encryption: true, ..served() });
        let _peer = Parts::default().service(&clear).service(&sealed).start();
        let cores = Cores::available();
        let (clear, sealed) = (clear.connect(), sealed.connect());
        for len in [16, 1 << 10, 1_000_000] {
            cores.while_pinned(|| lengths(options, report, &clear, &sealed, len));
        }
    });
}

/// Bytes that are sealed a turn, more or less.
const TURN_BYTES: usize = 64 << 20;

fn course(options: Options, len: usize) -> Course {
    let calls = (TURN_BYTES / len).clamp(20, 4_000);
    let batch = (calls / 20).max(1);
    let rounds = if options.quick { 3 } else { 41 };
    Course { rounds, warm_up: calls.div_ceil(4), batches: calls / batch, batch, singles: 0 }
}

/// Requests of one length; their answers are short.
fn lengths(
    options: Options,
    report: Report,
    clear: &BenchClient,
    sealed: &BenchClient,
    len: usize,
) {
    let bytes: Vec<u8> = (0..len).map(|index| index as u8).collect();
    let call = |client: &BenchClient| {
        black_box(client.bytes_len(black_box(&bytes)).expect("a length"));
    };
    let contenders: [&mut dyn Contender; 3] =
        [&mut Aead::new(len), &mut || call(clear), &mut || call(sealed)];
    let [aead, clear, sealed] = race(course(options, len), contenders);
    report.figure(&format!("seal_and_open_{len}B"), aead.median(), "ns");
    report.figure(&format!("clear_call_{len}B"), clear.median(), "ns");
    report.figure(&format!("sealed_call_{len}B"), sealed.median(), "ns");
    let added = sealed.median() - clear.median();
    match len {
        16 => report.goal("encryption_adds_to_16B", added, "ns", 1_000.0),
        _ => report.figure(&format!("encryption_adds_to_{len}B"), added, "ns"),
    }
    // How many times as long as the floor. 70 % of its throughput are 1.43.
    let (name, ratio) = (format!("sealed_call_{len}B_vs_aead"), sealed.ratio_to(&aead));
    match len {
        1_000_000 => report.goal(&name, ratio, "ratio", 1.0 / 0.7),
        _ => report.figure(&name, ratio, "ratio"),
    }
}

/// As much of a message as is sealed at once.
const PIECE_LEN: usize = 65_472;

/// Seals a message and opens it again.
struct Aead {
    key: LessSafeKey,
    sealed: u64,
    pieces: Vec<(Vec<u8>, Tag)>,
}

impl Aead {
    fn new(len: usize) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, &[7; 32]).expect("it is as long as a key");
        let mut this = Self { key: LessSafeKey::new(key), sealed: 0, pieces: Vec::new() };
        for at in (0..len).step_by(PIECE_LEN) {
            let mut piece = vec![1; PIECE_LEN.min(len - at)];
            let tag = this.seal(&mut piece);
            this.open(&mut piece, tag);
            this.pieces.push((piece, tag));
        }
        this
    }

    fn nonce(&self) -> Nonce {
        let mut nonce = [0; 12];
        nonce[4..].copy_from_slice(&self.sealed.to_be_bytes());
        Nonce::assume_unique_for_key(nonce)
    }

    fn seal(&mut self, piece: &mut [u8]) -> Tag {
        self.sealed += 1;
        let tag = self.key.seal_in_place_separate_tag(self.nonce(), Aad::empty(), piece);
        tag.expect("it is not too long")
    }

    fn open(&self, piece: &mut [u8], tag: Tag) {
        let opened =
            self.key.open_in_place_separate_tag(self.nonce(), Aad::empty(), tag, piece, 0..);
        opened.expect("it is what was sealed");
    }
}

impl Contender for Aead {
    fn run(&mut self, calls: usize) {
        let mut pieces = std::mem::take(&mut self.pieces);
        for _ in 0..calls {
            for (piece, tag) in &mut pieces {
                *tag = self.seal(black_box(piece));
                self.open(piece, *tag);
            }
        }
        self.pieces = pieces;
    }
}
