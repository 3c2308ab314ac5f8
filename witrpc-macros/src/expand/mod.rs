//! Writes the code of a service.
//!
//! It stands beside the trait: the three structs `XServer`, `XClient` and `XAsyncClient`, for events
//! also `XEvents` and a struct for each, and a few private items that they share. All else is in one unnamed constant, so that nothing more is
//! added to the user's names. Tokens resolve by [`hygiene`](crate::hygiene).

mod bounds;
mod client;
mod descriptor;
mod events;
mod fallback;
mod flavour;
mod names;
mod result_alias;
mod server;
mod service_trait;
mod streams;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote_spanned};

use self::flavour::Flavour;
use self::names::Names;
use crate::hygiene;
use crate::model::Service;

pub(crate) use self::fallback::fallback;

/// The code of a service without mistakes.
pub(crate) fn service(service: &Service<'_>) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let names = &Names::of(service);
    let item = service_trait::expand(service);
    let server = server_definition(service, names);
    let numbers = descriptor::numbers(service, names);
    let dispatch = server::dispatch_definition(service, names);
    let server_impl = server::implementation(service, names);
    let dispatch_impl = server::dispatch_implementation(service, names);
    let descriptor_name = &names.descriptor;
    let descriptor = descriptor::expand(service, names);
    let aliases = result_alias::expand(service, names);
    let events = events::definitions(service, names);
    let clients = Flavour::ALL.map(|flavour| {
        let definition = client::definition(service, names, flavour);
        let methods = client::methods(service, names, flavour);
        quote_spanned!(span=> #definition #methods)
    });
    let client_impls = Flavour::ALL.map(|flavour| {
        client::implementation(service, names, &descriptor_name.to_token_stream(), flavour)
    });
    quote_spanned! {span=>
        #item
        #server
        #events
        #(#clients)*
        #numbers
        #dispatch
        const _: () = {
            #descriptor
            #server_impl
            #dispatch_impl
            #(#client_impls)*
        };
        #aliases
    }
}

fn server_definition(service: &Service<'_>, names: &Names) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let Names { runtime, dispatch, .. } = names;
    let definition = server::definition(service, names);
    let bounds = server::handler_bounds(service);
    let hub = service.has_events().then(|| quote_spanned!(span=> , #runtime::EventHub::new()));
    let body = quote_spanned! {span=>
        Self { service: ::std::sync::Arc::new(#dispatch(service #hub)) }
    };
    let with_events = events::constructor_body(service, names);
    let constructors = server::constructors(service, names, &bounds, &body, &with_events);
    quote_spanned!(span=> #definition #constructors)
}
