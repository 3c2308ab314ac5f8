//! Writes the code of a service.
//!
//! All of it stands beside the trait: the three structs in the open, all else in one unnamed
//! constant, so that nothing but `XServer`, `XClient` and `XAsyncClient` is added to the user's
//! names. Tokens resolve by [`hygiene`].

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
use quote::quote_spanned;

use self::flavour::Flavour;
use self::names::Names;
use crate::model::Service;

pub(crate) use self::fallback::fallback;

/// The code of a service without mistakes.
pub(crate) fn service(service: &Service<'_>) -> TokenStream {
    let names = Names::of(service);
    let item = service_trait::expand(service);
    let server = server::definition(service, &names, &server::handler_bounds(service));
    let blocking = client::definition(service, &names, Flavour::Blocking);
    let asynchronous = client::definition(service, &names, Flavour::Async);
    let descriptor = descriptor::expand(service, &names);
    let server_impl = server::implementation(service, &names);
    let blocking_impl = client::implementation(service, &names, Flavour::Blocking);
    let asynchronous_impl = client::implementation(service, &names, Flavour::Async);
    let aliases = result_alias::expand(service, &names);
    let span = hygiene::at(service.item.ident.span());
    quote_spanned! {span=>
        #item
        #server
        #blocking
        #asynchronous
        const _: () = {
            #descriptor
            #server_impl
            #blocking_impl
            #asynchronous_impl
        };
        #aliases
    }
}
