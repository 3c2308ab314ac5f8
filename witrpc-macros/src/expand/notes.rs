//! What generated functions carry over from the trait: documentation and the like.

use proc_macro2::TokenStream;
use quote::quote_spanned;

use crate::hygiene;
use crate::model::{Method, Service};

/// Returns the documentation of a client's method: the user's, or a line in its place.
pub(crate) fn of_call(service: &Service<'_>, method: &Method<'_>) -> TokenStream {
    or_line(method, &format!(" Calls [`{}::{}`].", service.item.ident, method.name()))
}

/// Returns the documentation of a client's function for an event: the user's, or a line in its place.
pub(crate) fn of_subscription(event: &Method<'_>) -> TokenStream {
    or_line(event, &format!(" Subscribes to the event `{}`.", event.name()))
}

/// Returns the documentation of an event's struct: the user's, or a line in its place.
pub(crate) fn of_event(service: &Service<'_>, event: &Method<'_>) -> TokenStream {
    or_line(event, &format!(" The event `{}` of a [`{}`].", event.name(), service.item.ident))
}

fn or_line(method: &Method<'_>, line: &str) -> TokenStream {
    let span = hygiene::at(method.name().span());
    let notes = &method.carried.notes;
    let line = (!method.carried.documented).then(|| quote_spanned!(span=> #[doc = #line]));
    quote_spanned!(span=> #line #(#notes)*)
}
