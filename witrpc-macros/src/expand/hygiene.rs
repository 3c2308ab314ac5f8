//! How generated tokens resolve: locals never meet the user's names, and everything points at the
//! user's token that it stands for.

use proc_macro2::{Ident, Span};

/// Generated code that stands for the tokens at `place`.
pub(crate) fn at(place: Span) -> Span {
    Span::mixed_site().located_at(place)
}

/// An item's name that a user would not choose.
pub(crate) fn private(name: &str, place: Span) -> Ident {
    Ident::new(&format!("__wit_{name}"), at(place))
}
