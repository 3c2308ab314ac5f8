//! Writes the code of a service.
//!
//! Beside the trait stand the structs that users name: `XServer`, `XClient` and `XAsyncClient`, for
//! events also `XEvents` and a struct for each. All else is in one unnamed constant, so that nothing
//! more is added to the user's names. There a struct stands for each method ([`method`]), and clients,
//! dispatch and descriptor refer to it. Tokens resolve by [`hygiene`](crate::hygiene).

mod argument;
mod client;
mod client_kind;
mod descriptor;
mod dispatch;
mod emitter;
mod event_item;
mod fallback;
mod forward;
mod handler;
mod lints;
mod method;
mod names;
mod notes;
mod result_alias;
mod server;
mod service_trait;
mod subscribe;
mod supertraits;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote_spanned};

use self::client_kind::ClientKind;
use self::names::Names;
use crate::hygiene;
use crate::model::Service;

pub(crate) use self::fallback::{fallback, without_mistakes};

/// Returns the code of a service without mistakes.
pub(crate) fn service(service: &Service<'_>) -> TokenStream {
    let place = service.item.ident.span();
    let span = hygiene::at(place);
    let names = &Names::of(service);
    let item = service_trait::expand(service);
    let server = server::definition(service, names);
    let clients = ClientKind::ALL.map(|kind| client::definition(service, names, kind));
    let events = event_definitions(service, names);
    let (names_within, import) = names.within(place);
    let implementations = implementations(service, &names_within);
    let probe = result_alias::import(service, &names_within);
    let supertraits = supertraits::import(service);
    let forward = forward::expand(service, &names_within);
    let lints = lints::allowed(service);
    quote_spanned! {span=>
        #item
        #server
        #events
        #(#clients)*
        #lints
        const _: () = {
            #import
            #probe
            #supertraits
            #implementations
            #forward
        };
    }
}

/// Returns the structs of a service's events, if it has any.
fn event_definitions(service: &Service<'_>, names: &Names) -> TokenStream {
    if !service.has_events() {
        return TokenStream::new();
    }
    let emitter = emitter::definition(service, names);
    let items = service.events.iter().map(|event| event_item::definition(service, event, names));
    [emitter].into_iter().chain(items).collect()
}

/// Returns what stands in the unnamed constant.
fn implementations(service: &Service<'_>, names: &Names) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let numbers = descriptor::numbers(service, names);
    let methods = method::expand(service, names);
    let descriptor = descriptor::expand(service, names);
    let reference = names.descriptor.to_token_stream();
    let clients = ClientKind::ALL.map(|kind| {
        let methods = client::methods(service, names, kind);
        let implementation = client::implementation(service, names, &reference, kind);
        quote_spanned!(span=> #methods #implementation)
    });
    let constructors = server::serving_constructors(service, names);
    let server = server::implementation(service, names);
    let dispatch = dispatch::expand(service, names);
    let events = event_implementations(service, names);
    quote_spanned! {span=>
        #numbers
        #methods
        #(#clients)*
        #constructors
        #server
        #dispatch
        #events
        #descriptor
    }
}

/// Returns how a service's events are emitted and read, if it has any.
fn event_implementations(service: &Service<'_>, names: &Names) -> TokenStream {
    if !service.has_events() {
        return TokenStream::new();
    }
    let emits = service.events.iter().map(|event| {
        let signature = emitter::emit_signature(service, event, names);
        let body = emitter::emit_body(service, event);
        quote_spanned!(event.name().span()=> #signature { #body })
    });
    let emitter = emitter::functions(service, names, emits);
    let items = service.events.iter().map(|event| {
        let debug = event_item::debug(service, event, names);
        let implementation = event_item::implementation(service, event, names);
        quote_spanned!(event.name().span()=> #debug #implementation)
    });
    [emitter].into_iter().chain(items).collect()
}
