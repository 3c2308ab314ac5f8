//! `XServer`: hands the calls that arrive to the user's implementation.

use proc_macro2::TokenStream;
use quote::quote_spanned;

use super::names::Names;
use super::{handler, lints};
use crate::hygiene;
use crate::model::Service;

/// Generates the struct of the server.
pub(crate) fn definition(service: &Service<'_>, names: &Names) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let lints = lints::allowed(service);
    let visibility = &service.item.vis;
    let trait_name = &service.item.ident;
    let Names { runtime, server, .. } = names;
    let events = if service.has_events() {
        " One that is to emit events is made by `with_events`: subscribers \
         of any other hear nothing."
    } else {
        ""
    };
    let docs = format!(
        " Serves a [`{trait_name}`]: give one to the builder of a `WitServer`, which answers the \
         calls of every client with it.\n\n Clones serve the same.{events}"
    );
    quote_spanned! {span=>
        #[doc = #docs]
        #[must_use = "a service answers no call until it is given to a `WitServer`"]
        #lints
        #[derive(::core::clone::Clone)]
        #visibility struct #server {
            service: ::std::sync::Arc<dyn #runtime::Service>,
        }
    }
}

/// Generates the constructors, which take a handler of these bounds. They are asked for here alone: the type
/// that comes out does not mention the handler, so what it lacks is not reported again where the server is
/// used.
pub(crate) fn constructors(
    service: &Service<'_>,
    names: &Names,
    handler_bounds: &TokenStream,
    body: &TokenStream,
    body_with_events: &TokenStream,
) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let visibility = &service.item.vis;
    let Names { server, handler, .. } = names;
    let new = new(service, names, handler_bounds);
    let with_events = with_events(service, names, handler_bounds, body_with_events);
    quote_spanned! {span=>
        impl #server {
            #new

            /// Serves what others have a hold of too, or a trait object: an `Arc<dyn .. + Send + Sync>`.
            #visibility fn from_arc<#handler>(service: ::std::sync::Arc<#handler>) -> Self
            where
                #handler: ?::core::marker::Sized #handler_bounds,
            {
                #body
            }

            #with_events
        }
    }
}

/// Returns how to make one that serves.
pub(crate) fn serving_constructors(service: &Service<'_>, names: &Names) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let Names { runtime, dispatch, events, .. } = names;
    let hub = service.has_events().then(|| quote_spanned!(span=> , #runtime::EventHub::new()));
    let body = quote_spanned! {span=>
        Self { service: ::std::sync::Arc::new(#dispatch(service #hub)) }
    };
    let body_with_events = quote_spanned! {span=>
        let hub = #runtime::EventHub::new();
        let service = make(#events { emitter: hub.emitter() });
        Self { service: ::std::sync::Arc::new(#dispatch(::std::sync::Arc::new(service), hub)) }
    };
    constructors(service, names, &handler::bounds(service), &body, &body_with_events)
}

/// Returns what makes it a service to the runtime.
pub(crate) fn implementation(service: &Service<'_>, names: &Names) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let Names { runtime, server, .. } = names;
    quote_spanned! {span=>
        impl #runtime::IntoService for #server {
            fn into_service(self) -> ::std::sync::Arc<dyn #runtime::Service> {
                self.service
            }
        }
    }
}

/// Returns `XServer::new`. That of a service with events takes no service: the compiler then says what does.
fn new(service: &Service<'_>, names: &Names, handler_bounds: &TokenStream) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let visibility = &service.item.vis;
    let Names { runtime, handler, .. } = names;
    if service.has_events() {
        return quote_spanned! {span=>
            #[doc(hidden)]
            #visibility fn new(service: impl #runtime::NeedsNoEvents) -> Self {
                let _ = service;
                ::core::unreachable!()
            }
        };
    }
    quote_spanned! {span=>
        /// Serves `service`.
        #visibility fn new<#handler>(service: #handler) -> Self
        where
            #handler: ::core::marker::Sized #handler_bounds,
        {
            Self::from_arc(::std::sync::Arc::new(service))
        }
    }
}

/// Generates `XServer::with_events`; nothing for a service without events.
fn with_events(
    service: &Service<'_>,
    names: &Names,
    handler_bounds: &TokenStream,
    body: &TokenStream,
) -> TokenStream {
    if !service.has_events() {
        return TokenStream::new();
    }
    let span = hygiene::at(service.item.ident.span());
    let visibility = &service.item.vis;
    let Names { events, handler, .. } = names;
    quote_spanned! {span=>
        /// Serves what `make` makes, which is given what emits the events of the service.
        #visibility fn with_events<#handler>(
            make: impl ::core::ops::FnOnce(#events) -> #handler,
        ) -> Self
        where
            #handler: ::core::marker::Sized #handler_bounds,
        {
            #body
        }
    }
}
