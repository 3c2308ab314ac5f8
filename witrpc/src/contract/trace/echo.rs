//! Checks whether values come back through a codec as they were.
//!
//! A trace sees how a type is read. Whether the type is written in the same way is up to the type. If
//! it is not, a codec without names reads one thing for another: serde counts a `#[serde(skip)]`ped
//! variant when it writes, and leaves it out when it reads. So the values that a trace makes up are
//! encoded and decoded once.

use witrpc_transport::Payload;

use crate::codec::{Codec, EncodeFault, Encoder, OwnedBody, Wire};

/// How a value differs when it has come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// A field is left out, which the codec refuses: in words.
    LeftOut(String),
    /// It is another value, or none: in words.
    ComesBack(String),
}

/// Returns how a value differs when it has come back. Returns `None` if it does not, or if that is
/// unknown: it cannot be encoded, or is encoded differently each time.
pub fn difference<T: Wire>(value: &T, codec: Codec) -> Option<Difference> {
    let (raw, sent) = match encoded(value, codec) {
        Ok(sent) => sent,
        Err(EncodeFault::LeftOut { message, .. }) => return Some(Difference::LeftOut(message)),
        Err(_) => return None,
    };
    if encoded(value, codec).ok()?.1 != sent {
        return None;
    }
    let open = OwnedBody::new(Payload::Whole(sent.clone()), raw, codec).ok()?;
    let back = match open.decoder().whole(|from| from.value::<T>("it")) {
        Ok(back) => back,
        Err(error) => return Some(Difference::ComesBack(error.to_string())),
    };
    let same = encoded(&back, codec).is_ok_and(|(_, again)| again == sent);
    (!same).then(|| Difference::ComesBack("another value comes back".to_owned()))
}

fn encoded<T: Wire>(value: &T, codec: Codec) -> Result<(bool, Vec<u8>), EncodeFault> {
    let mut encoder = Encoder::new(codec);
    encoder.value("it", value).map_err(|error| error.fault)?;
    Ok(encoder.to_bytes())
}
