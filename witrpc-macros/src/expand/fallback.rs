//! What becomes of a trait with mistakes: they are reported, and all names are there, so that the
//! user's other code gives no errors of its own.

use proc_macro2::TokenStream;
use quote::quote_spanned;

use super::flavour::Flavour;
use super::names::Names;
use super::{client, server, service_trait};
use crate::hygiene;
use crate::model::{Method, Service};
use crate::report::Report;

/// The trait, its mistakes, and stand-ins for what would have been generated.
pub(crate) fn fallback(service: &Service<'_>, report: Report) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let names = Names::of(service);
    let item = service_trait::expand(service);
    let server = server(service, &names);
    let blocking = client(service, &names, &report, Flavour::Blocking);
    let asynchronous = client(service, &names, &report, Flavour::Async);
    let mistakes = report.into_tokens();
    quote_spanned! {span=>
        #mistakes
        #item
        #server
        #blocking
        #asynchronous
    }
}

/// A server that takes any handler and serves nothing.
fn server(service: &Service<'_>, names: &Names) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let definition = server::definition(service, names);
    let body = quote_spanned!(span=> let _ = service; ::core::unreachable!());
    let constructors = server::constructors(service, names, &any_handler(service), &body);
    let implementation = server::implementation(service, names);
    quote_spanned!(span=> #definition #constructors #implementation)
}

/// A client with every method that could be made out.
fn client(service: &Service<'_>, names: &Names, report: &Report, flavour: Flavour) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let client = flavour.client(names);
    let definition = client::definition(service, names, flavour);
    let frame = client::frame(service, names, &any_handler(service), flavour);
    let nothing = nothing(service, names);
    let implementation = client::implementation(service, names, &nothing, flavour);
    let whole_trait = !service.item.generics.params.is_empty();
    let methods = service.methods.iter().filter(|method| !method.is_reserved());
    let methods = methods.map(|method| match method.mistake {
        Some(mistake) => unknown(service, method, report.nth(mistake)),
        None if whole_trait => unknown(service, method, report.nth(0)),
        None => {
            let signature = client::signature(service, method, names, flavour);
            let name = method.name();
            let span = hygiene::at(name.span());
            let body = flavour.body(&quote_spanned!(span=> ::core::unreachable!()), span);
            quote_spanned!(span=> #signature #body)
        }
    });
    quote_spanned! {span=>
        #definition

        #[allow(unused_variables, dead_code, deprecated)]
        impl #client {
            #frame
            #(#methods)*
        }

        #implementation
    }
}

/// The description of no service.
fn nothing(service: &Service<'_>, names: &Names) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let runtime = &names.runtime;
    quote_spanned!(span=> #runtime::ServiceDescriptor { name: "", docs: "", methods: &[] })
}

/// What any handler is: no mention of the trait, which may be at fault.
fn any_handler(service: &Service<'_>) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    quote_spanned!(span=> + ::core::marker::Send + ::core::marker::Sync + 'static)
}

/// A method that could not be made out. Its types are a mistake that has been reported, which the
/// compiler says once, and then takes any call of the method for right.
fn unknown(service: &Service<'_>, method: &Method<'_>, mistake: &TokenStream) -> TokenStream {
    let name = method.name();
    let span = hygiene::at(name.span());
    let visibility = &service.item.vis;
    let conditions = &method.carried.conditions;
    let notes = client::notes(service, method);
    // A macro that fails is an error as an expression, but `()` as a type; the way from one to the
    // other is the length of an array.
    let wrong = quote_spanned! {span=>
        <[(); { #mistake }] as ::core::iter::IntoIterator>::Item
    };
    // Clients subscribe to an event, whatever it brings.
    let arguments = method.arguments().filter(|_| !method.options.event);
    let arguments = arguments.map(|_| quote_spanned!(span=> _: #wrong));
    quote_spanned! {span=>
        #(#conditions)*
        #notes
        #visibility fn #name(&self, #(#arguments),*) -> #wrong {
            ::core::unreachable!()
        }
    }
}
