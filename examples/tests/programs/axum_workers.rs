//! `axum_workers`: a web server in front of worker processes.

use std::io::{Cursor, Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::running::{Running, complaint_of, words_of};

const SITE: &str = env!("CARGO_BIN_EXE_axum_workers");

/// The server, and where it listens.
struct Site {
    program: Running,
    address: String,
}

impl Site {
    fn start(options: &[&str]) -> Self {
        let listen = ["--listen", "127.0.0.1:0", "--workers", "2"];
        let mut program = Running::start(SITE, &[&listen, options].concat());
        let line = program.line();
        let address = line.trim().strip_prefix("thumbnails at http://");
        let address = address.and_then(|rest| rest.strip_suffix("/thumbnail"));
        let address = address.unwrap_or_else(|| panic!("it says where it listens: {line}"));
        Self { address: address.to_owned(), program }
    }

    /// Posts a file of this length, of which `begun` is sent so far. A server that answers without reading
    /// what was sent resets the connection, so where no file is read none is sent.
    fn post(&self, query: &str, len: usize, begun: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        let head = format!(
            "POST /thumbnail?{query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Length: {len}\r\n\r\n"
        );
        stream.write_all(&[head.as_bytes(), begun].concat()).expect("it reads");
        stream
    }

    fn thumbnail(&self, query: &str, file: &[u8]) -> Answer {
        Answer::of(self.post(query, file.len(), file))
    }

    fn workers(&self) -> Value {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        let head = "GET /workers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(head.as_bytes()).expect("it reads");
        serde_json::from_slice(&Answer::of(stream).body).expect("it is JSON")
    }

    fn pids(&self) -> Vec<u64> {
        let workers = self.workers();
        let workers = workers["workers"].as_array().expect("it is a list");
        workers.iter().filter_map(|worker| worker["pid"].as_u64()).collect()
    }
}

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    /// Waits for the answer to a request that is complete, or that gets one as it is.
    fn of(mut stream: TcpStream) -> Self {
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("it answers and closes");
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("it has a head");
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status: {head}"));
        Self { status, head, body: answer[end + 4..].to_vec() }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Returns a PNG file of four by two pixels: black and white on the left, both of one grey on the right.
fn file() -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 4, 2);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().expect("memory takes it");
    writer.write_image_data(&[0, 100, 50, 50, 100, 200, 50, 50]).expect("all rows are there");
    drop(writer);
    file
}

/// Returns the size and the samples of a PNG file.
fn decoded(file: &[u8]) -> (u32, u32, Vec<u8>) {
    let mut reader = png::Decoder::new(Cursor::new(file)).read_info().expect("it is a PNG file");
    let mut samples = vec![0; reader.output_buffer_size().expect("it is small")];
    let frame = reader.next_frame(&mut samples).expect("it is whole");
    samples.truncate(frame.buffer_size());
    (frame.width, frame.height, samples)
}

/// Polls until the condition holds, for at most a minute.
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "waited in vain: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn thumbnails_are_made_and_what_is_no_picture_is_refused() {
    let site = Site::start(&["--longest", "1000"]);
    let half = site.thumbnail("width=2", &file());
    assert_eq!((half.status, decoded(&half.body)), (200, (2, 1, vec![100, 50])), "{}", half.head);
    assert!(half.head.to_lowercase().contains("content-type: image/png"), "{}", half.head);
    let same = site.thumbnail("width=400", &file());
    assert_eq!(decoded(&same.body), (4, 2, vec![0, 100, 50, 50, 100, 200, 50, 50]));

    let broken = site.thumbnail("width=2", b"no picture");
    assert_eq!(broken.status, 422);
    assert!(broken.text().contains("cannot be decoded"), "{}", broken.text());
    let long = site.thumbnail("width=2", &[0; 1001]);
    assert_eq!(long.status, 413, "{}", long.text());
    assert_eq!(Answer::of(site.post("height=2", 10, &[])).status, 400);
}

#[test]
fn a_worker_that_is_killed_is_followed_by_another() {
    let site = Site::start(&[]);
    let before = site.pids();
    assert_eq!(before.len(), 2);
    for pid in &before {
        let killed = Command::new("kill").args(["-s", "KILL", &pid.to_string()]).status();
        assert!(killed.expect("there is a kill").success());
    }
    eventually("two new workers serve", || {
        let now = site.pids();
        now.len() == 2 && now.iter().all(|pid| !before.contains(pid))
    });
    assert_eq!(site.thumbnail("width=2", &file()).status, 200);
    let workers = site.workers();
    for worker in workers["workers"].as_array().expect("it is a list") {
        assert_eq!((&worker["restarts"], &worker["calls"]), (&1.into(), &0.into()));
    }
}

#[test]
fn a_request_beyond_the_limit_is_told_to_come_back() {
    let site = Site::start(&["--requests", "1"]);
    let file = file();
    let (begun, rest) = file.split_at(10);
    let mut first = site.post("width=2", file.len(), begun);
    eventually("the first has the only place", || site.workers()["requests"] == 1);
    let second = Answer::of(site.post("width=2", file.len(), &[]));
    assert_eq!(second.status, 503);
    assert!(second.head.to_lowercase().contains("retry-after: 1"), "{}", second.head);
    first.write_all(rest).expect("it reads");
    assert_eq!(Answer::of(first).status, 200);
}

#[test]
fn what_was_begun_before_the_signal_is_answered_and_the_workers_end() {
    let mut site = Site::start(&[]);
    let workers = site.pids();
    let file = file();
    let (begun, rest) = file.split_at(10);
    let mut request = site.post("width=2", file.len(), begun);
    eventually("its handler runs", || site.workers()["requests"] == 1);
    site.program.interrupt();
    eventually("it does not listen any more", || TcpStream::connect(&site.address).is_err());
    request.write_all(rest).expect("it reads");
    let answer = Answer::of(request);
    assert_eq!((answer.status, decoded(&answer.body).0), (200, 2));

    let (output, errors) = site.program.last_words();
    assert_eq!((output.as_str(), errors.as_str()), ("ended\n", ""));
    for pid in workers {
        let process = format!("/proc/{pid}");
        assert!(!std::path::Path::new(&process).exists(), "worker {pid} is still there");
    }
}

#[test]
fn what_cannot_be_done_is_said() {
    let help = words_of(SITE, &["--help"]);
    for option in ["--listen <ADDRESS>", "--workers <N>", "--requests <N>", "--longest <BYTES>"] {
        assert!(help.contains(option), "{option} is missing: {help}");
    }
    let complaint = complaint_of(SITE, &["--workers", "0"]);
    assert!(complaint.contains("--workers"), "{complaint}");
    let site = Site::start(&[]);
    let complaint = complaint_of(SITE, &["--workers", "1", "--listen", &site.address]);
    assert!(complaint.contains(&format!("axum_workers: {}: ", site.address)), "{complaint}");
}
