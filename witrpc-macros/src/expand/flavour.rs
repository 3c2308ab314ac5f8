//! The two flavours of client, and all in which they differ.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::Type;

use super::names::Names;
use crate::model::Answer;

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

    /// What feeds a method's stream argument.
    pub(crate) fn fed_with(self, item: &Type, names: &Names, span: Span) -> TokenStream {
        let witrpc = &names.witrpc;
        match self {
            Flavour::Blocking => quote_spanned!(span=> impl ::core::iter::Iterator<Item = #item>),
            Flavour::Async => quote_spanned! {span=>
                impl #witrpc::Stream<Item = #item> + ::core::marker::Send + 'call
            },
        }
    }

    /// The type of what a method streams.
    pub(crate) fn stream(self, span: Span) -> TokenStream {
        match self {
            Flavour::Blocking => quote_spanned!(span=> BlockingStream),
            Flavour::Async => quote_spanned!(span=> AsyncStream),
        }
    }

    /// Takes the stream that a call has opened.
    pub(crate) fn take_stream(self, item: &Answer, span: Span) -> TokenStream {
        match (self, item) {
            (Flavour::Blocking, Answer::Result { ok, error, .. }) => {
                quote_spanned!(span=> blocking_results::<#ok, #error>())
            }
            (Flavour::Blocking, Answer::Value(item)) => {
                quote_spanned!(span=> blocking_values::<#item>())
            }
            (Flavour::Async, Answer::Result { ok, error, .. }) => {
                quote_spanned!(span=> async_results::<#ok, #error>())
            }
            (Flavour::Async, Answer::Value(item)) => {
                quote_spanned!(span=> async_values::<#item>())
            }
            (_, Answer::Stream { .. }) => {
                unreachable!("the checks refuse a stream in a stream")
            }
        }
    }

    /// The type of a subscription to an event.
    pub(crate) fn subscription(self, span: Span) -> TokenStream {
        match self {
            Flavour::Blocking => quote_spanned!(span=> Events),
            Flavour::Async => quote_spanned!(span=> EventStream),
        }
    }

    /// Subscribes by a function of the runtime.
    pub(crate) fn subscribe(self, function: &str, span: Span) -> Ident {
        match self {
            Flavour::Blocking => format_ident!("{function}_blocking", span = span),
            Flavour::Async => format_ident!("{function}_async", span = span),
        }
    }

    /// Waits for the outcome of a function that came from [`subscribe`](Self::subscribe).
    pub(crate) fn awaited(self, outcome: &TokenStream, span: Span) -> TokenStream {
        match self {
            Flavour::Blocking => outcome.clone(),
            Flavour::Async => quote_spanned!(span=> #outcome.await),
        }
    }

    /// Makes a call that a stream goes with, and waits for its answer.
    pub(crate) fn finish_feeding(
        self,
        call: &TokenStream,
        stream: &Ident,
        item: &Type,
        span: Span,
    ) -> TokenStream {
        match self {
            Flavour::Blocking => quote_spanned!(span=> #call.block_feeding::<#item>(#stream)),
            Flavour::Async => quote_spanned!(span=> #call.send_feeding::<#item>(#stream).await),
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
