//! The names that generated code is made of.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::ext::IdentExt;

use crate::hygiene;
use crate::model::{Method, Service};

/// The names that a service's parts refer to each other by.
pub(crate) struct Names {
    /// The `witrpc` crate.
    pub(crate) witrpc: TokenStream,
    /// Its part for generated code.
    pub(crate) runtime: TokenStream,
    /// `XServer`.
    pub(crate) server: Ident,
    /// `XClient`.
    pub(crate) blocking_client: Ident,
    /// `XAsyncClient`.
    pub(crate) async_client: Ident,
    /// The struct that hands calls to a handler.
    pub(crate) dispatch: Ident,
    /// The type parameter for a handler, where no type of the user's is in sight.
    pub(crate) handler: Ident,
    /// The constant that describes the service.
    pub(crate) descriptor: Ident,
    /// The enum that numbers the methods.
    pub(crate) numbers: Ident,
    /// The enum that numbers the events.
    pub(crate) event_numbers: Ident,
    /// `XEvents`.
    pub(crate) events: Ident,
}

impl Names {
    pub(crate) fn of(service: &Service<'_>) -> Self {
        let witrpc = service.crate_path.clone();
        let name = service.item.ident.unraw();
        let place = name.span();
        let span = hygiene::at(place);
        // A trait of that very name would be hidden by the parameter.
        let handler = if name == "S" { "T" } else { "S" };
        Self {
            runtime: quote_spanned!(span=> #witrpc::__private::v1),
            witrpc,
            server: format_ident!("{name}Server"),
            blocking_client: format_ident!("{name}Client"),
            async_client: format_ident!("{name}AsyncClient"),
            dispatch: format_ident!("__{name}Dispatch", span = span),
            handler: Ident::new(handler, span),
            descriptor: hygiene::private("descriptor", place),
            numbers: format_ident!("__{name}Method", span = span),
            event_numbers: format_ident!("__{name}Event", span = span),
            events: format_ident!("{name}Events"),
        }
    }
}

impl Names {
    /// A method's or an event's number: its place among those that are there.
    pub(crate) fn number(&self, method: &Method<'_>) -> TokenStream {
        let numbers = if method.options.event { &self.event_numbers } else { &self.numbers };
        let variant = variant(method);
        let span = variant.span();
        quote_spanned!(span=> #numbers::#variant as ::core::primitive::u16)
    }
}

/// A method's name as a variant of [`Names::numbers`], located as generated code so that lints
/// leave it alone.
pub(crate) fn variant(method: &Method<'_>) -> Ident {
    let mut name = method.name().clone();
    name.set_span(hygiene::at(name.span()));
    name
}
