//! Writes the code of a service.
//!
//! It stands beside the trait: the three structs `XServer`, `XClient` and `XAsyncClient`, and two
//! private items that they share. All else is in one unnamed constant, so that nothing more is
//! added to the user's names. Tokens resolve by [`hygiene`](crate::hygiene).

mod bounds;
mod client;
mod descriptor;
mod fallback;
mod flavour;
mod names;
mod result_alias;
mod server;
mod service_trait;

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
    let Names { dispatch, .. } = names;
    let definition = server::definition(service, names);
    let bounds = server::handler_bounds(service);
    let body = quote_spanned! {span=>
        Self { service: ::std::sync::Arc::new(#dispatch(service)) }
    };
    let constructors = server::constructors(service, names, &bounds, &body);
    quote_spanned!(span=> #definition #constructors)
}
