//! The two flavours of client, and all in which they differ.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;

use super::names::Names;

/// Whether a client's calls block the thread or are futures.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// Calls block.
    Blocking,
    /// Calls are futures.
    Async,
}

impl Flavour {
    pub(crate) const ALL: [Self; 2] = [Flavour::Blocking, Flavour::Async];

    /// The name of the client.
    pub(crate) fn client(self, names: &Names) -> &Ident {
        match self {
            Flavour::Blocking => &names.blocking_client,
            Flavour::Async => &names.async_client,
        }
    }

    /// The name of the other client.
    pub(crate) fn other(self, names: &Names) -> &Ident {
        match self {
            Flavour::Blocking => &names.async_client,
            Flavour::Async => &names.blocking_client,
        }
    }

    /// For a sentence: what the client's methods do.
    pub(crate) fn manner(self) -> &'static str {
        match self {
            Flavour::Blocking => "block the calling thread",
            Flavour::Async => "are futures, for any executor",
        }
    }

    /// The type that tells its builder what it builds.
    pub(crate) fn marker(self, span: Span) -> TokenStream {
        match self {
            Flavour::Blocking => quote_spanned!(span=> Blocking),
            Flavour::Async => quote_spanned!(span=> Async),
        }
    }

    /// The function that connects.
    pub(crate) fn connect(self, span: Span) -> TokenStream {
        match self {
            Flavour::Blocking => quote_spanned!(span=> connect_blocking),
            Flavour::Async => quote_spanned!(span=> connect_async),
        }
    }

    /// What a function returns whose outcome is `output`.
    pub(crate) fn returns(self, output: &TokenStream, span: Span) -> TokenStream {
        match self {
            Flavour::Blocking => output.clone(),
            Flavour::Async => quote_spanned! {span=>
                impl ::core::future::Future<Output = #output> + ::core::marker::Send
            },
        }
    }

    /// The lifetime that a method's borrowed arguments share with its future.
    pub(crate) fn lifetime(self, span: Span) -> Option<syn::Lifetime> {
        match self {
            Flavour::Blocking => None,
            Flavour::Async => Some(syn::Lifetime::new("'call", span)),
        }
    }

    /// The body of a method.
    pub(crate) fn body(self, statements: &TokenStream, span: Span) -> TokenStream {
        match self {
            Flavour::Blocking => quote_spanned!(span=> { #statements }),
            Flavour::Async => quote_spanned!(span=> { async move { #statements } }),
        }
    }

    /// Makes a call, and waits for its answer.
    pub(crate) fn finish(self, call: &TokenStream, span: Span) -> TokenStream {
        match self {
            Flavour::Blocking => quote_spanned!(span=> #call.block()),
            Flavour::Async => quote_spanned!(span=> #call.send().await),
        }
    }
}
