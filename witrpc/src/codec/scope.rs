//! The scope of an IPv6 address, which is the network interface that a link-local address belongs to.
//!
//! Serde writes a `SocketAddrV6` as text or, for codecs that are not text, as address and port alone. The
//! receiver could not connect to such an address. So a codec of the second kind refuses one with a scope.

use std::any::type_name;
use std::fmt;
use std::fmt::Write;
use std::net::SocketAddrV6;

use serde::Serialize;

/// Returns the address as text if it has a scope; `None` too for a value of any other type.
#[inline]
pub fn scoped<T: Serialize + ?Sized>(value: &T) -> Option<String> {
    // Names are all that can be compared of types that may borrow. This finds references and boxes of an
    // address too. What it finds beside these has no text.
    if !type_name::<T>().trim_end_matches('>').ends_with(type_name::<SocketAddrV6>()) {
        return None;
    }
    let mut text = String::new();
    write!(text, "{}", AsText(value)).ok()?;
    Some(text).filter(|text| text.contains('%'))
}

/// A value that is written by its human-readable form.
struct AsText<'a, T: ?Sized>(&'a T);

impl<T: Serialize + ?Sized> fmt::Display for AsText<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.serialize(f)
    }
}
