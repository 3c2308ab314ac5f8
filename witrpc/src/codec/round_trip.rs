//! Tests: encoded values come back unchanged, through every form of payload.

use std::borrow::Cow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use witrpc_transport::{Body, Payload, RemoteBytes, SMALL_LEN};

use super::*;

/// Bytes that a transport still holds.
struct Held {
    bytes: Vec<u8>,
    released: Arc<AtomicBool>,
}

impl RemoteBytes for Held {
    fn len(&self) -> usize {
        self.bytes.len()
    }

    fn copy_to(&self, offset: usize, out: &mut [u8]) {
        out.copy_from_slice(&self.bytes[offset..offset + out.len()]);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.released.store(true, Ordering::Relaxed);
    }
}

/// Bytes that a peer may change at any time: a second read may return another value.
struct Fickle {
    bytes: Vec<u8>,
    seen: Mutex<Vec<bool>>,
}

impl RemoteBytes for Fickle {
    fn len(&self) -> usize {
        self.bytes.len()
    }

    fn copy_to(&self, offset: usize, out: &mut [u8]) {
        let places = offset..offset + out.len();
        let mut seen = self.seen.lock().expect("no holder has panicked");
        assert!(!seen[places.clone()].contains(&true), "{places:?} was looked at before");
        seen[places.clone()].fill(true);
        out.copy_from_slice(&self.bytes[places]);
    }
}

/// Returns every form in which a body may arrive.
pub fn arrivals(body: &[u8]) -> Vec<Payload> {
    let held = Held { bytes: body.to_vec(), released: Arc::default() };
    let mut all = vec![Payload::Whole(body.to_vec()), Payload::Remote(Box::new(held))];
    if body.len() <= SMALL_LEN {
        let mut bytes = [0xEE; SMALL_LEN];
        bytes[..body.len()].copy_from_slice(body);
        all.push(Payload::Small { bytes, len: body.len() as u8 });
    }
    all
}

/// Returns the body as a transport writes it, in segments of `segment` bytes.
pub fn written(encoder: &Encoder<'_>, segment: usize) -> (bool, Vec<u8>) {
    encoder.with_body(|raw, body| {
        assert_eq!(body.len() <= SMALL_LEN, matches!(body, Body::Small { .. }));
        let mut bytes = vec![0xDD; body.len()];
        for (index, chunk) in bytes.chunks_mut(segment).enumerate() {
            body.write_at(index * segment, chunk);
        }
        (raw, bytes)
    })
}

pub fn codecs() -> impl Iterator<Item = Codec> {
    Codec::all()
}

fn open_all(encoder: &Encoder<'_>, codec: Codec, check: impl Fn(Decoder<'_>)) {
    for segment in [1, 63, 64, 1 << 20] {
        let (raw, body) = written(encoder, segment);
        for payload in arrivals(&body) {
            let open = OwnedBody::new(payload, raw, codec).unwrap();
            check(open.decoder());
        }
    }
}

#[test]
fn arguments_of_every_kind_come_back() {
    for codec in codecs() {
        let (number, numbers, owned) = (300_u64, vec![1.5_f64, -2.5], "owned".to_owned());
        let samples = [1_u16, 2, 3];
        let mut encoder = Encoder::new(codec);
        encoder.value("number", &number).unwrap();
        encoder.raw("samples", &samples).unwrap();
        encoder.str("text", "line\nend").unwrap();
        encoder.value("numbers", &numbers).unwrap();
        encoder.path("path", Path::new("/a/b")).unwrap();
        encoder.value("owned", &owned).unwrap();
        open_all(&encoder, codec, |mut decoder| {
            assert_eq!(decoder.value("number"), Ok(number));
            assert_eq!(decoder.raw("samples"), Ok(Cow::Borrowed(&samples[..])));
            assert_eq!(decoder.str("text"), Ok(Cow::Borrowed("line\nend")));
            assert_eq!(decoder.value("numbers").as_ref(), Ok(&numbers));
            assert_eq!(decoder.path("path"), Ok(Cow::Borrowed(Path::new("/a/b"))));
            assert_eq!(decoder.value("owned").as_ref(), Ok(&owned));
            assert_eq!(decoder.finish(), Ok(()));
        });
    }
}

#[test]
fn each_byte_of_a_message_is_looked_at_once() {
    for codec in codecs() {
        let (numbers, text) = (vec![1.5_f64; 100], "text".repeat(20));
        let pair = (7_u8, text.clone());
        let mut encoder = Encoder::new(codec);
        encoder.raw("samples", &numbers).unwrap();
        encoder.str("text", &text).unwrap();
        encoder.value("numbers", &numbers).unwrap();
        encoder.value("pair", &pair).unwrap();
        let (raw, bytes) = written(&encoder, 1 << 20);
        let seen = Mutex::new(vec![false; bytes.len()]);
        let fickle = Payload::Remote(Box::new(Fickle { bytes, seen }));
        let open = OwnedBody::new(fickle, raw, codec).unwrap();
        let mut decoder = open.decoder();
        assert_eq!(decoder.raw("samples"), Ok(Cow::Borrowed(&numbers[..])));
        assert_eq!(decoder.str("text"), Ok(Cow::Borrowed(&*text)));
        assert_eq!(decoder.value("numbers").as_ref(), Ok(&numbers));
        assert_eq!(decoder.value("pair").as_ref(), Ok(&pair));
        assert_eq!(decoder.finish(), Ok(()));
    }
}

#[test]
fn two_numbers_fit_beside_the_head() {
    let mut encoder = Encoder::new(Codec::Postcard);
    encoder.value("a", &u64::MAX).unwrap();
    encoder.value("b", &u64::MAX).unwrap();
    assert!(encoder.with_body(|raw, body| !raw && matches!(body, Body::Small { .. })));
}

#[test]
fn empty_bodies_and_empty_sections_come_back() {
    for codec in codecs() {
        open_all(&Encoder::new(codec), codec, |decoder| assert_eq!(decoder.finish(), Ok(())));
        let mut encoder = Encoder::new(codec);
        encoder.raw::<u64>("none", &[]).unwrap();
        encoder.raw("one", &[1_u8]).unwrap();
        open_all(&encoder, codec, |mut decoder| {
            assert_eq!(decoder.raw::<u64>("none").unwrap().len(), 0);
            assert_eq!(decoder.value::<Vec<u8>>("one"), Ok(vec![1]));
            assert_eq!(decoder.finish(), Ok(()));
        });
    }
}

#[test]
fn a_whole_message_that_is_one_vec_of_bytes_keeps_its_memory() {
    let bytes = vec![7_u8; 1000];
    let mut encoder = Encoder::new(Codec::Postcard);
    encoder.value("result", &bytes).unwrap();
    let (raw, body) = written(&encoder, 1 << 20);
    let memory = body.as_ptr();
    let open = OwnedBody::new(Payload::Whole(body), raw, Codec::Postcard).unwrap();
    let back: Vec<u8> = open.decoder().value("result").unwrap();
    assert_eq!(back, bytes);
    assert_eq!(back.as_ptr(), memory);
}

#[test]
fn space_goes_back_once_the_last_section_is_taken() {
    let mut encoder = Encoder::new(Codec::Postcard);
    encoder.raw("a", &[1_u64; 10]).unwrap();
    encoder.raw("b", &[2_u64; 10]).unwrap();
    let (raw, bytes) = written(&encoder, 1 << 20);
    let released = Arc::<AtomicBool>::default();
    let held = Held { bytes, released: Arc::clone(&released) };
    let open = OwnedBody::new(Payload::Remote(Box::new(held)), raw, Codec::Postcard).unwrap();
    let mut decoder = open.decoder();
    let a = decoder.raw::<u64>("a").unwrap();
    assert!(!released.load(Ordering::Relaxed));
    let b = decoder.raw::<u64>("b").unwrap();
    assert!(released.load(Ordering::Relaxed));
    assert_eq!((a[9], b[9]), (1, 2));
}

#[test]
fn what_is_left_over_is_an_error() {
    for codec in codecs() {
        let mut encoder = Encoder::new(codec);
        encoder.value("a", &1_u8).unwrap();
        encoder.value("b", &2_u8).unwrap();
        encoder.raw("c", &[3_u8]).unwrap();
        open_all(&encoder, codec, |mut decoder| {
            assert_eq!(decoder.value("a"), Ok(1_u8));
            let error = decoder.finish().unwrap_err();
            assert!(matches!(error, DecodeError::Trailing { bytes: 1.., sections: 1 }), "{error}");
        });
    }
}

#[test]
fn what_is_missing_is_an_error_that_names_the_value() {
    for codec in codecs() {
        open_all(&Encoder::new(codec), codec, |mut decoder| {
            let error = decoder.value::<u64>("count").unwrap_err();
            assert!(error.to_string().starts_with("`count`: "), "{error}");
            let error = decoder.raw::<u64>("samples").unwrap_err();
            let expected = "`samples`: the message has no raw section left for it";
            assert_eq!(error.to_string(), expected);
        });
    }
}

#[test]
fn a_section_that_is_no_whole_number_of_elements_is_an_error() {
    let mut encoder = Encoder::new(Codec::Postcard);
    encoder.raw("samples", &[0_u8; 9]).unwrap();
    open_all(&encoder, Codec::Postcard, |mut decoder| {
        let error = decoder.raw::<u64>("samples").unwrap_err();
        let expected = "`samples`: 9 bytes are not a whole number of elements of 8 bytes";
        assert_eq!(error.to_string(), expected);
    });
}

#[test]
fn a_path_that_is_not_utf8_is_refused_by_name() {
    use std::os::unix::ffi::OsStrExt;
    let path = Path::new(std::ffi::OsStr::from_bytes(b"/\xFF"));
    let error = Encoder::new(Codec::Postcard).path("file", path).unwrap_err();
    assert!(error.to_string().starts_with("`file`: the path is not UTF-8"), "{error}");
}
