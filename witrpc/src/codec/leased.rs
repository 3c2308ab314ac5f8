//! Tests of messages with leases: valid ones, and ones whose leases do not match them.

use std::borrow::Cow;
use std::sync::Arc;

use witrpc_transport::{Body, Leasing, Lent, Lessor, Payload, SharedBytes, WritableBytes};

use super::shareable::{Elements, Shareable};

use super::*;

/// A lessor that lends everything.
struct Generous;

impl Lessor for Generous {
    fn largest_lease(&self) -> usize {
        usize::MAX
    }

    fn longest_body_with(&self, _leases: usize) -> usize {
        usize::MAX
    }

    fn try_alloc(
        &self,
        _lens: &[usize],
    ) -> Result<Vec<Box<dyn WritableBytes>>, witrpc_transport::ChannelError> {
        unreachable!("an encoder takes no space")
    }

    fn lend(&self, _bytes: &Arc<dyn SharedBytes>) -> Option<Lent> {
        Some(Lent::new(()))
    }
}

fn bytes_of(len: usize) -> Arc<dyn SharedBytes> {
    Arc::new(Elements(vec![7_u8; len]))
}

/// Returns the body of a message with `leases` leases, and whether it has raw sections.
fn body_with(leases: usize) -> (Vec<u8>, bool) {
    let lent = bytes_of(1);
    let mut encoder = Encoder::new(Codec::Postcard);
    (0..leases).for_each(|_| encoder.shared("frame", &lent).unwrap());
    encoder.number("beside", 5).unwrap();
    encoder.decide_leases(|| Some(&Generous)).unwrap();
    encoder.with_body(|raw, body| {
        let mut bytes = vec![0; body.len()];
        body.write_at(0, &mut bytes);
        (bytes, raw)
    })
}

/// Opens a message that names `named` leases and carries `taken`.
fn open(named: usize, taken: Vec<Arc<dyn SharedBytes>>) -> Result<OwnedBody, DecodeError> {
    let (body, raw) = body_with(named);
    let leasing = Leasing::new(Payload::Whole(body), taken);
    OwnedBody::new(Payload::Leasing(Box::new(leasing)), raw, Codec::Postcard)
}

/// Returns the outcome of taking a lease of `len` bytes for an `F`.
fn taken_for<F: ?Sized + Shareable>(len: usize) -> Result<usize, String> {
    let message = open(1, vec![bytes_of(len)]).unwrap();
    let shared = message.decoder().shared::<F>("frame");
    shared.map(|bytes| bytes.len()).map_err(|error| error.to_string())
}

/// More bytes than a message can hold. Reading them is a fault.
struct Vast;

impl SharedBytes for Vast {
    fn len(&self) -> usize {
        5 << 30
    }

    fn copy_to(&self, _offset: usize, _out: &mut [u8]) {
        unreachable!("it is too long to be copied")
    }

    fn as_slice(&self) -> Option<&[u8]> {
        None
    }
}

#[test]
fn what_is_longer_than_a_section_is_lent_or_refused() {
    let vast: Arc<dyn SharedBytes> = Arc::new(Vast);
    let mut encoder = Encoder::new(Codec::Postcard);
    encoder.shared("frame", &vast).unwrap();
    encoder.decide_leases(|| Some(&Generous)).unwrap();
    let (takes_it_along, len) =
        encoder.with_body(|_, body| (matches!(body, Body::Leasing { .. }), body.len()));
    assert!(takes_it_along && len < 100, "{len} bytes");
    // Another connection, which lends nothing.
    let refused = encoder.decide_leases(|| None).unwrap_err().to_string();
    assert!(refused.starts_with("`Shared`: 5368709120 bytes") && refused.contains("4294967294"));
    encoder.decide_leases(|| Some(&Generous)).unwrap();
}

#[test]
fn a_lease_of_a_length_that_its_elements_cannot_have_is_an_error() {
    assert_eq!(taken_for::<[u8]>(9), Ok(9));
    assert_eq!(taken_for::<[u64]>(16), Ok(16));
    assert_eq!(taken_for::<u64>(8), Ok(8));
    let ragged =
        |len| Err(format!("`frame`: {len} bytes are not a whole number of elements of 8 bytes"));
    assert_eq!(taken_for::<[u64]>(9), ragged(9));
    assert_eq!(taken_for::<u64>(7), ragged(7));
    let not_one = |len| Err(format!("`frame`: {len} bytes are not one value of 8 bytes"));
    assert_eq!(taken_for::<u64>(0), not_one(0));
    assert_eq!(taken_for::<u64>(16), not_one(16));
}

#[test]
fn more_leases_or_fewer_than_the_message_speaks_of_are_an_error() {
    for (named, taken) in [(1, 0), (1, 2), (2, 1), (0, 1), (16, 15)] {
        let Err(error) = open(named, (0..taken).map(|_| bytes_of(8)).collect()) else {
            panic!("{taken} leases were taken for {named}");
        };
        assert!(matches!(error, DecodeError::Leases { .. }), "{error}");
    }
    // No leases at all: the message arrived as an ordinary one.
    let (body, raw) = body_with(1);
    assert!(OwnedBody::new(Payload::Whole(body), raw, Codec::Postcard).is_err());
}

/// Bytes that their writer may still change.
struct Written;

impl SharedBytes for Written {
    fn len(&self) -> usize {
        5
    }

    fn copy_to(&self, _offset: usize, out: &mut [u8]) {
        out.fill(3);
    }

    fn as_slice(&self) -> Option<&[u8]> {
        None
    }
}

#[test]
fn a_slice_is_borrowed_from_a_lease_that_cannot_change() {
    let message = open(3, vec![bytes_of(16), Arc::new(Written), bytes_of(1)]).unwrap();
    let mut decoder = message.decoder();
    let mut next = || decoder.raw::<u8>("slice").unwrap();
    let (first, second, third) = (next(), next(), next());
    assert!(matches!(first, Cow::Borrowed([7, ..])) && first.len() == 16);
    assert!(matches!(second, Cow::Owned(_)) && *second == [3; 5]);
    assert!(matches!(third, Cow::Borrowed([7])));
}

#[test]
fn a_lease_can_be_taken_once_and_as_a_slice_too() {
    let message = open(2, vec![bytes_of(16), bytes_of(8)]).unwrap();
    let mut decoder = message.decoder();
    assert_eq!(decoder.raw::<u64>("slice").unwrap().len(), 2);
    assert_eq!(decoder.shared::<[u8]>("frame").unwrap().len(), 8);
    assert_eq!(decoder.number("beside").unwrap(), 5);
    assert!(decoder.shared::<[u8]>("another").is_err());
}
