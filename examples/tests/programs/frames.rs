//! `frames`: moving pictures through a worker process.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::running::{Running, complaint_of, words_of};

const FRAMES: &str = env!("CARGO_BIN_EXE_frames");

/// Returns the pixels of a picture of 64 by 48, which must exist.
fn pixels(path: &Path) -> Vec<u8> {
    let file = File::open(path).expect("it has been written");
    let mut reader = png::Decoder::new(BufReader::new(file)).read_info().expect("it is a PNG file");
    let mut pixels = vec![0; 64 * 48 * 3];
    let frame = reader.next_frame(&mut pixels).expect("it has all its pixels");
    assert_eq!((frame.width, frame.height, frame.buffer_size()), (64, 48, pixels.len()));
    pixels
}

/// Polls until the condition holds, for at most a minute.
fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "waited in vain: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn frames_are_filtered_by_the_worker_and_every_other_is_written() {
    let dir = TempDir::new().expect("there is room");
    let out = dir.path().join("new/pictures");
    let out = out.to_str().expect("it is text");
    for filter in ["edges", "blur", "poster"] {
        let options = ["--size", "64x48", "--frames", "25", "--fps", "0", "--every", "12"];
        let words = words_of(FRAMES, &[&options[..], &["--filter", filter, "--out", out]].concat());
        for promised in ["25 frames in", "0 copied on the way", &format!("{out}: 3")] {
            assert!(words.contains(promised), "{promised:?} is missing: {words}");
        }
        let [first, _, last] = [0, 12, 24]
            .map(|number| pixels(&Path::new(out).join(format!("frame-{number:05}.png"))));
        assert_ne!(first, last, "it moves");
        let has = |wanted: fn(&u8) -> bool| first.iter().any(wanted);
        match filter {
            "edges" => {
                assert!(first.chunks(3).all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2]));
                assert!(has(|byte| *byte < 16) && has(|byte| *byte > 64), "lines on black");
            }
            "poster" => assert!(first.iter().all(|byte| byte & 0x3F == 0x20), "four shades"),
            _ => assert!(has(|byte| byte & 0x3F != 0x20), "all shades"),
        }
    }
    assert_eq!(fs::read_dir(out).expect("it is there").count(), 3);
}

#[test]
fn ctrl_c_ends_it_after_the_frame_at_hand() {
    let dir = TempDir::new().expect("there is room");
    let out = dir.path().to_str().expect("it is text");
    let options = ["--size", "64x48", "--frames", "0", "--fps", "0", "--every", "1000000"];
    let mut frames = Running::start(FRAMES, &[&options[..], &["--out", out]].concat());
    let first = dir.path().join("frame-00000.png");
    eventually("the first picture is begun", || first.exists());
    frames.interrupt();
    let (output, errors) = frames.last_words();
    assert!(output.contains(&format!("{out}: 1")), "{output} {errors}");
    // The file is complete.
    pixels(&first);
}

#[test]
fn what_cannot_be_done_is_said() {
    let not_a_directory = Path::new(FRAMES).join("out");
    let not_a_directory = not_a_directory.to_str().expect("it is text");
    for (arguments, told) in [
        (["--size", "640"], "--size"),
        (["--size", "15x16"], "16x16 to 7680x4320"),
        (["--filter", "sepia"], "edges, blur and poster"),
        (["--frames", "many"], "--frames"),
        (["--colour", "red"], "--help"),
        (["--out", not_a_directory], not_a_directory),
    ] {
        let words = complaint_of(FRAMES, &arguments);
        assert!(words.starts_with("frames: ") && words.contains(told), "{told:?}: {words}");
    }
    assert!(words_of(FRAMES, &["--help"]).contains("--filter NAME"));
}
