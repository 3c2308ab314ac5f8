//! How generated tokens resolve: locals never meet the user's names, and everything points at the
//! user's token that it stands for.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};

/// Returns generated code that stands for the tokens at `place`.
pub(crate) fn at(place: Span) -> Span {
    Span::mixed_site().located_at(place)
}

/// Returns a name of an item that a user would not choose.
pub(crate) fn private(name: &str, place: Span) -> Ident {
    Ident::new(&format!("__wit_{name}"), at(place))
}

/// Returns the same path or type, all of whose tokens point at one place.
pub(crate) fn relocated(tokens: TokenStream, place: Span) -> TokenStream {
    let relocate = |mut token: TokenTree| {
        if let TokenTree::Group(group) = &token {
            let inner = relocated(group.stream(), place);
            token = Group::new(group.delimiter(), inner).into();
        }
        // `$crate` alone means where it was written; all other names resolve alike.
        let is_crate = matches!(&token, TokenTree::Ident(name) if name == "$crate");
        token.set_span(if is_crate { token.span().located_at(place) } else { place });
        token
    };
    tokens.into_iter().map(relocate).collect()
}
