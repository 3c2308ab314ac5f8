//! What becomes of a trait with mistakes: they are reported, and all names are there, so that the
//! user's other code gives no errors of its own.

use proc_macro2::{Ident, TokenStream};
use quote::quote_spanned;
use syn::ext::IdentExt;

use super::client_kind::ClientKind;
use super::names::Names;
use super::{
    client, emitter, event_item, handler, notes, result_alias, server, service_trait, subscribe,
};
use crate::hygiene;
use crate::model::{Method, Service};
use crate::report::Report;

/// Returns the trait, its mistakes, and stand-ins for what would have been generated.
pub(crate) fn fallback(service: &Service<'_>, report: Report) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let names = Names::of(service);
    let item = service_trait::expand(service);
    let server = server(service, &names);
    let events = events(service, &names, &report);
    let blocking = client(service, &names, &report, ClientKind::Blocking);
    let asynchronous = client(service, &names, &report, ClientKind::Async);
    let mistakes = report.into_tokens();
    quote_spanned! {span=>
        #mistakes
        #item
        #server
        #events
        #blocking
        #asynchronous
    }
}

/// Returns the code of a service whose mistakes are in methods that may be configured out: that of all
/// others, with stand-ins for these.
pub(crate) fn without_mistakes(service: &Service<'_>, report: Report) -> TokenStream {
    let names = Names::of(service);
    let code = super::service(service);
    let clients = ClientKind::ALL.map(|kind| {
        let client = kind.client(&names);
        let left_out = service.left_out.iter().filter(|method| !method.is_reserved());
        let methods = left_out.map(|method| match method.options.event {
            true => subscribers(service, method, &names, &report, kind),
            false => stand_in(service, method, &report),
        });
        quote_spanned!(client.span()=> #[allow(dead_code)] impl #client { #(#methods)* })
    });
    report.beside(quote_spanned!(hygiene::at(service.item.ident.span())=> #code #(#clients)*))
}

/// Returns a method of a client that could not be made out.
fn stand_in(service: &Service<'_>, method: &Method<'_>, report: &Report) -> TokenStream {
    let arguments = method.arguments().count();
    let mistake = report.nth(method.mistake.unwrap_or_default());
    unknown(service, method, method.name(), arguments, mistake)
}

/// Generates a server that takes any handler and serves nothing.
fn server(service: &Service<'_>, names: &Names) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let definition = server::definition(service, names);
    let body = quote_spanned!(span=> let _ = service; ::core::unreachable!());
    let with_events = quote_spanned!(span=> let _ = make; ::core::unreachable!());
    let bounds = handler::any_bounds(service);
    let constructors = server::constructors(service, names, &bounds, &body, &with_events);
    let implementation = server::implementation(service, names);
    quote_spanned! {span=>
        #definition
        #[allow(dead_code)]
        #constructors
        #implementation
    }
}

/// Returns what emits the events, and their items, as far as they could be made out.
fn events(service: &Service<'_>, names: &Names, report: &Report) -> TokenStream {
    if !service.has_events() {
        return TokenStream::new();
    }
    let emits = service.events.iter().enumerate().filter_map(|(number, event)| {
        let Some(mistake) = event.mistake else {
            let signature = emitter::emit_signature(service, event, names);
            return Some(
                quote_spanned!(event.name().span()=> #signature { ::core::unreachable!() }),
            );
        };
        if service.events[..number].iter().any(|earlier| earlier.clashes_with(event)) {
            return None;
        }
        let arguments = event.arguments().count();
        Some(unknown(service, event, event.name(), arguments, report.nth(mistake)))
    });
    let definition = emitter::definition(service, names);
    let functions = emitter::functions(service, names, emits);
    let sound = service.events.iter().filter(|event| event.mistake.is_none());
    let items = sound.map(|event| {
        let definition = event_item::definition(service, event, names);
        let debug = event_item::debug(service, event, names);
        quote_spanned!(event.name().span()=> #definition #debug)
    });
    let span = hygiene::at(service.item.ident.span());
    quote_spanned! {span=>
        #definition
        #[allow(unused_variables, dead_code, deprecated, non_snake_case)]
        #functions
        #(#items)*
    }
}

/// Returns the two functions of a client for one event.
fn subscribers(
    service: &Service<'_>,
    event: &Method<'_>,
    names: &Names,
    report: &Report,
    kind: ClientKind,
) -> TokenStream {
    let span = hygiene::at(event.name().span());
    if let Some(mistake) = event.mistake {
        let functions = [(event.name().clone(), 0), (subscribe::on_name(event), 1)];
        let free = functions.iter().filter(|(name, _)| {
            let name = name.unraw().to_string();
            !event.taken.contains(&name)
        });
        return free
            .map(|(name, arguments)| unknown(service, event, name, *arguments, report.nth(mistake)))
            .collect();
    }
    let body = kind.body(&quote_spanned!(span=> ::core::unreachable!()), span);
    let [stream, react] = subscribe::signatures(service, event, names, kind);
    quote_spanned!(span=> #stream #body #react #body)
}

/// Returns a client with every method that could be made out.
fn client(service: &Service<'_>, names: &Names, report: &Report, kind: ClientKind) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let client = kind.client(names);
    let definition = client::definition(service, names, kind);
    let frame = client::frame(service, names, &handler::any_bounds(service), kind);
    let nothing = nothing(service, names);
    let implementation = client::implementation(service, names, &nothing, kind);
    let methods = service.methods.iter().filter(|method| !method.is_reserved());
    let methods = methods.map(|method| match method.mistake {
        Some(_) => stand_in(service, method, report),
        // Nothing is there that the compiler could be asked by.
        None if service.is_no_service || result_alias::is_needed(method) => {
            stand_in(service, method, report)
        }
        None => {
            let signature = client::signature(service, method, names, kind);
            let name = method.name();
            let span = hygiene::at(name.span());
            let body = kind.body(&quote_spanned!(span=> ::core::unreachable!()), span);
            quote_spanned!(span=> #signature #body)
        }
    });
    let events = service.events.iter().filter(|event| !event.is_reserved());
    let events = events.map(|event| subscribers(service, event, names, report, kind));
    quote_spanned! {span=>
        #definition

        #[allow(unused_variables, dead_code, deprecated)]
        impl #client {
            #frame
            #(#methods)*
            #(#events)*
        }

        #implementation
    }
}

/// Generates the description of no service.
fn nothing(service: &Service<'_>, names: &Names) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let runtime = &names.runtime;
    quote_spanned!(span=> #runtime::ServiceDescriptor {
        name: "",
        docs: "",
        methods: &[],
        events: &[],
    })
}

/// Generates a method that could not be made out. Its types are a mistake that has been reported, which the
/// compiler says once, and then takes any call of the method for right.
fn unknown(
    service: &Service<'_>,
    method: &Method<'_>,
    name: &Ident,
    arguments: usize,
    mistake: &TokenStream,
) -> TokenStream {
    let span = hygiene::at(name.span());
    let visibility = &service.item.vis;
    let conditions = &method.carried.conditions;
    let notes = notes::of_call(service, method);
    // A macro that fails is an error as an expression, but `()` as a type; the way from one to the
    // other is the length of an array.
    let wrong = quote_spanned! {span=>
        <[(); { #mistake }] as ::core::iter::IntoIterator>::Item
    };
    let arguments = (0..arguments).map(|_| quote_spanned!(span=> _: #wrong));
    quote_spanned! {span=>
        #(#conditions)*
        #notes
        #visibility fn #name(&self, #(#arguments),*) -> #wrong {
            ::core::unreachable!()
        }
    }
}
