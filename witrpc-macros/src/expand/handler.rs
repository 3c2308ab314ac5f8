//! What a handler must be: what the user's implementation of the trait is to the server.

use proc_macro2::TokenStream;
use quote::quote_spanned;

use crate::hygiene;
use crate::model::Service;

/// Returns the bounds of a handler.
pub(crate) fn bounds(service: &Service<'_>) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let (path, any) = (service.path(), any_bounds(service));
    quote_spanned!(span=> + #path #any)
}

/// Returns the bounds of any handler, without the trait, which may be at fault.
pub(crate) fn any_bounds(service: &Service<'_>) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    quote_spanned!(span=> + ::core::marker::Send + ::core::marker::Sync + 'static)
}
