//! Writes the code of a service.
//!
//! It stands beside the trait: the three structs `XServer`, `XClient` and `XAsyncClient`, and the
//! enum that numbers the methods. All else is in one unnamed constant, so that nothing more is
//! added to the user's names. Tokens resolve by [`hygiene`].

mod bounds;
mod client;
mod descriptor;
mod fallback;
mod flavour;
mod hygiene;
mod names;
mod result_alias;
mod server;
mod service_trait;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote_spanned};

use self::flavour::Flavour;
use self::names::Names;
use crate::model::Service;

pub(crate) use self::fallback::fallback;

/// The code of a service without mistakes.
pub(crate) fn service(service: &Service<'_>) -> TokenStream {
    let names = &Names::of(service);
    let descriptor_name = &names.descriptor;
    let item = service_trait::expand(service);
    let numbers = descriptor::numbers(service, names);
    let server = server::definition(service, names, &server::handler_bounds(service));
    let server_impl = server::implementation(service, names);
    let descriptor = descriptor::expand(service, names);
    let aliases = result_alias::expand(service, names);
    let span = hygiene::at(service.item.ident.span());
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
        const _: () = {
            #descriptor
            #server_impl
            #(#client_impls)*
        };
        #aliases
    }
}
