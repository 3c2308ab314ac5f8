//! `render_worker`: a picture from a worker process.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use witrpc_examples::fractal::View;

use crate::running::{Running, complaint_of, run, words_of};

const RENDER: &str = env!("CARGO_BIN_EXE_render_worker");

/// A path for a picture; no file is there before and after the test.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let place = Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name));
        place.clear();
        place
    }

    fn clear(&self) {
        // The file may not exist.
        let _ = std::fs::remove_file(&self.0);
    }

    fn as_str(&self) -> &str {
        self.0.to_str().expect("cargo's folder has a name of text")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Decodes the picture, and compares it with one that is rendered here.
#[track_caller]
fn assert_shows(place: &Place, view: View) {
    let file = BufReader::new(File::open(&place.0).expect("the picture was written"));
    let mut reader = png::Decoder::new(file).read_info().expect("it is a PNG");
    let len = reader.output_buffer_size().expect("it is small");
    let mut pixels = vec![0; len];
    let info = reader.next_frame(&mut pixels).expect("it is whole");
    assert_eq!((info.width, info.height), (view.width, view.height));
    assert_eq!(info.color_type, png::ColorType::Rgb);
    assert_eq!(info.bit_depth, png::BitDepth::Eight);

    let rows = 0..view.height;
    let points = rows.flat_map(|y| (0..view.width).map(move |x| (x, y)));
    for ((x, y), pixel) in points.zip(pixels.chunks_exact(3)) {
        assert_eq!(pixel, view.colour(x, y), "the pixel at {x}, {y}");
    }
}

#[test]
fn a_picture_is_the_one_that_is_rendered_without_a_worker() {
    let place = Place::new("whole.png");
    let words = words_of(RENDER, &[place.as_str(), "--size", "150x100"]);
    assert!(words.contains("6 tiles, restarts: 0"), "{words}");
    assert_shows(&place, View::of_seahorses(150, 100));
}

#[test]
fn a_picture_is_finished_though_the_worker_is_killed() {
    let place = Place::new("crashed.png");
    let output = run(RENDER, &[place.as_str(), "--crash", "--size", "260x200"]);
    let words = String::from_utf8_lossy(&output.stdout);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaints}");
    assert!(words.contains("20 tiles, restarts: 1"), "{words}");
    assert!(complaints.contains("SIGKILL"), "{complaints}");
    assert_shows(&place, View::of_seahorses(260, 200));
}

#[test]
fn ctrl_c_ends_both_processes_and_writes_nothing() {
    let place = Place::new("stopped.png");
    // The program needs longer for this picture than the test waits.
    let mut render = Running::start(RENDER, &[place.as_str(), "--size", "8192x8192"]);
    let words = render.line();
    let worker = words.trim().strip_prefix("the worker is process ").expect("it says so first");
    render.interrupt();
    let (output, errors) = render.last_words();
    assert_eq!(output, "");
    assert!(errors.contains(" of 16384 tiles missing"), "{errors}");
    assert!(!Path::new("/proc").join(worker).exists(), "the worker is still there");
    assert!(!place.0.exists(), "half a picture was written");
}

#[test]
fn what_cannot_be_done_is_said() {
    assert!(words_of(RENDER, &["--help"]).contains("--crash"));
    let complaint = complaint_of(RENDER, &[]);
    assert!(complaint.contains("usage: render_worker OUT.png"), "{complaint}");
    let complaint = complaint_of(RENDER, &["never.png", "--size", "0x10"]);
    assert!(complaint.contains("two numbers from 1 to 8192"), "{complaint}");
    let complaint = complaint_of(RENDER, &["/nowhere/never.png", "--size", "1x1"]);
    assert!(complaint.contains("/nowhere/never.png: "), "{complaint}");
}
