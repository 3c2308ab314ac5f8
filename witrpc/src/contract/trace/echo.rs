//! Checks whether values come back through a codec as they were.
//!
//! A trace sees how a type is read. Whether the type is written in the same way is up to the type. If
//! it is not, a codec without names reads one thing for another: serde counts a `#[serde(skip)]`ped
//! variant when it writes, and leaves it out when it reads. So the values that a trace makes up are
//! encoded and decoded once.

use witrpc_transport::Payload;

use crate::codec::{Codec, Encoder, OwnedBody, Wire};

/// Returns how a value differs when it has come back, in words. Returns `None` if it does not, or if
/// that is unknown: it cannot be encoded, or is encoded differently each time.
pub fn difference<T: Wire>(value: &T, codec: Codec) -> Option<String> {
    let (raw, sent) = encoded(value, codec)?;
    if encoded(value, codec)?.1 != sent {
        return None;
    }
    let open = OwnedBody::new(Payload::Whole(sent.clone()), raw, codec).ok()?;
    let back = match open.decoder().whole(|from| from.value::<T>("it")) {
        Ok(back) => back,
        Err(error) => return Some(error.to_string()),
    };
    let same = encoded(&back, codec).is_some_and(|(_, again)| again == sent);
    (!same).then(|| "another value comes back".to_owned())
}

fn encoded<T: Wire>(value: &T, codec: Codec) -> Option<(bool, Vec<u8>)> {
    let mut encoder = Encoder::new(codec);
    encoder.value("it", value).ok()?;
    Some(encoder.to_bytes())
}
