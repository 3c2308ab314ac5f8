//! The two kinds of client, and all in which they differ.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::Type;

use super::names::Names;

/// Whether a client's calls block the thread or are futures.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientKind {
    /// Calls block.
    Blocking,
    /// Calls are futures.
    Async,
}

impl ClientKind {
    pub(crate) const ALL: [Self; 2] = [ClientKind::Blocking, ClientKind::Async];

    /// Returns the name of the client.
    pub(crate) fn client(self, names: &Names) -> &Ident {
        match self {
            ClientKind::Blocking => &names.blocking_client,
            ClientKind::Async => &names.async_client,
        }
    }

    /// Returns the name of the other client.
    pub(crate) fn other(self, names: &Names) -> &Ident {
        match self {
            ClientKind::Blocking => &names.async_client,
            ClientKind::Async => &names.blocking_client,
        }
    }

    /// Returns what the name of such a client ends in.
    pub(crate) fn ending(self) -> &'static str {
        match self {
            ClientKind::Blocking => "Client",
            ClientKind::Async => "AsyncClient",
        }
    }

    /// Returns what the client's methods do, as part of a sentence.
    pub(crate) fn manner(self) -> &'static str {
        match self {
            ClientKind::Blocking => "block the calling thread",
            ClientKind::Async => "are futures, for any executor",
        }
    }

    /// Returns the type that tells its builder what it builds.
    pub(crate) fn marker(self, span: Span) -> TokenStream {
        match self {
            ClientKind::Blocking => quote_spanned!(span=> Blocking),
            ClientKind::Async => quote_spanned!(span=> Async),
        }
    }

    /// Returns the return type of a function whose outcome is `output`.
    pub(crate) fn returns(self, output: &TokenStream, span: Span) -> TokenStream {
        match self {
            ClientKind::Blocking => output.clone(),
            ClientKind::Async => quote_spanned! {span=>
                impl ::core::future::Future<Output = #output> + ::core::marker::Send
            },
        }
    }

    /// Returns the lifetime that a method's borrowed arguments share with its future.
    pub(crate) fn lifetime(self, span: Span) -> Option<syn::Lifetime> {
        match self {
            ClientKind::Blocking => None,
            ClientKind::Async => Some(syn::Lifetime::new("'call", span)),
        }
    }

    /// Returns the body of a method.
    pub(crate) fn body(self, statements: &TokenStream, span: Span) -> TokenStream {
        match self {
            ClientKind::Blocking => quote_spanned!(span=> { #statements }),
            ClientKind::Async => quote_spanned!(span=> { async move { #statements } }),
        }
    }

    /// Returns what is sent as a method's stream argument.
    pub(crate) fn upload_with(self, item: &Type, names: &Names, span: Span) -> TokenStream {
        let witrpc = &names.witrpc;
        match self {
            ClientKind::Blocking => {
                quote_spanned!(span=> impl ::core::iter::Iterator<Item = #item>)
            }
            ClientKind::Async => quote_spanned! {span=>
                impl #witrpc::Stream<Item = #item> + ::core::marker::Send + 'call
            },
        }
    }

    /// Returns the type of what a method streams.
    pub(crate) fn stream(self, span: Span) -> TokenStream {
        match self {
            ClientKind::Blocking => quote_spanned!(span=> BlockingStream),
            ClientKind::Async => quote_spanned!(span=> AsyncStream),
        }
    }

    /// Returns the type of a subscription to an event.
    pub(crate) fn subscription(self, span: Span) -> TokenStream {
        match self {
            ClientKind::Blocking => quote_spanned!(span=> Events),
            ClientKind::Async => quote_spanned!(span=> EventStream),
        }
    }

    /// Returns the function of the runtime that does something for this kind of client.
    pub(crate) fn function(self, does: &str, span: Span) -> Ident {
        match self {
            ClientKind::Blocking => format_ident!("{does}_blocking", span = span),
            ClientKind::Async => format_ident!("{does}_async", span = span),
        }
    }

    /// Waits for the outcome of a function that came from [`function`](Self::function).
    pub(crate) fn awaited(self, outcome: &TokenStream, span: Span) -> TokenStream {
        match self {
            ClientKind::Blocking => outcome.clone(),
            ClientKind::Async => quote_spanned!(span=> #outcome.await),
        }
    }
}
