//! The clients, blocking and async: one renderer for both.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::Type;

use super::flavour::Flavour;
use super::names::Names;
use super::{bounds, events, server};
use crate::hygiene;
use crate::model::{Answer, Form, Method, Parameter, Service, bare};

/// The struct.
pub(crate) fn definition(service: &Service<'_>, names: &Names, flavour: Flavour) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let visibility = &service.item.vis;
    let Names { witrpc, .. } = names;
    let client = flavour.client(names);
    let other = flavour.other(names);
    let trait_name = &service.item.ident;
    let docs = format!(
        " Calls a [`{trait_name}`] in another process. Its methods {}; [`{other}`] is the other \
         flavour.\n\n Clones share one connection.",
        flavour.manner(),
    );
    quote_spanned! {span=>
        #[doc = #docs]
        #[allow(dead_code, non_camel_case_types)]
        #[derive(::core::clone::Clone, ::core::fmt::Debug)]
        #visibility struct #client {
            connection: #witrpc::Connection,
        }
    }
}

/// The `impl` with the methods of the service.
pub(crate) fn methods(service: &Service<'_>, names: &Names, flavour: Flavour) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let client = flavour.client(names);
    let frame = frame(service, names, &server::handler_bounds(service), flavour);
    let methods = service.methods.iter().map(|method| {
        let body = body(method, names, flavour);
        let signature = signature(service, method, names, flavour);
        quote_spanned!(span=> #signature #body)
    });
    let events = service.events.iter().map(|event| events::client(service, event, names, flavour));
    quote_spanned! {span=>
        #[allow(dead_code, deprecated, non_snake_case)]
        impl #client {
            #frame
            #(#methods)*
            #(#events)*
        }
    }
}

/// What makes it a client to the runtime.
pub(crate) fn implementation(
    service: &Service<'_>,
    names: &Names,
    descriptor: &TokenStream,
    flavour: Flavour,
) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let Names { witrpc, runtime, .. } = names;
    let client = flavour.client(names);
    quote_spanned! {span=>
        impl #runtime::Client for #client {
            const DESCRIPTOR: &'static #runtime::ServiceDescriptor = &#descriptor;

            fn from_connection(connection: #witrpc::Connection) -> Self {
                Self { connection }
            }
        }
    }
}

/// What every client has, whatever the service's methods.
pub(crate) fn frame(
    service: &Service<'_>,
    names: &Names,
    handler_bounds: &TokenStream,
    flavour: Flavour,
) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let visibility = &service.item.vis;
    let Names { witrpc, runtime, server, handler, .. } = names;
    let marker = flavour.marker(span);
    let connect = flavour.connect(span);
    let connected = quote_spanned! {span=>
        ::core::result::Result<Self, #witrpc::ConnectError>
    };
    let connected = flavour.returns(&connected, span);
    quote_spanned! {span=>
        /// Connects to the server at an endpoint, usually its name, with the defaults of
        /// [`builder`](Self::builder).
        ///
        /// # Errors
        ///
        /// When nobody serves there, or the server turns this client away.
        #visibility fn connect(
            endpoint: impl ::core::convert::Into<#witrpc::Endpoint>,
        ) -> #connected {
            #runtime::#connect::<Self>(::core::convert::Into::into(endpoint))
        }

        /// Prepares a connection to the server at an endpoint: codec, timeouts, waiting.
        #visibility fn builder(
            endpoint: impl ::core::convert::Into<#witrpc::Endpoint>,
        ) -> #witrpc::ClientBuilder<Self, #runtime::#marker> {
            #witrpc::ClientBuilder::new(::core::convert::Into::into(endpoint))
        }

        /// Serves `service` within this process, for tests: calls are encoded and dispatched as
        /// between two processes.
        #visibility fn in_process<#handler>(service: #handler) -> Self
        where
            #handler: ::core::marker::Sized #handler_bounds,
        {
            #runtime::in_process::<Self>(#server::new(service))
        }

        /// This client with `options` for each of its calls: a deadline, a token that cancels them. It
        /// shares the connection.
        #[must_use]
        #visibility fn with(&self, options: #witrpc::CallOptions) -> Self {
            Self { connection: self.connection.with(options) }
        }

        /// The connection, which says how it stands and can be closed.
        #visibility fn connection(&self) -> &#witrpc::Connection {
            &self.connection
        }
    }
}

/// A method up to its body.
pub(crate) fn signature(
    service: &Service<'_>,
    method: &Method<'_>,
    names: &Names,
    flavour: Flavour,
) -> TokenStream {
    let name = method.name();
    let span = hygiene::at(method.place());
    let visibility = &service.item.vis;
    let conditions = &method.carried.conditions;
    let notes = notes(service, method);
    let lifetime = flavour.lifetime(span);
    let generics = lifetime.as_ref().map(|lifetime| quote_spanned!(span=> <#lifetime>));
    let bound = lifetime.as_ref().map(|lifetime| quote_spanned!(span=> + #lifetime));
    let arguments = method.arguments().map(|argument| match argument.stream() {
        Some((_, item)) => {
            let name = argument.ident();
            let fed = flavour.fed_with(item, names, span);
            quote_spanned!(span=> #name: #fed)
        }
        None => declaration(argument, lifetime.as_ref()),
    });
    let output = flavour.returns(&output(&method.answer, names, flavour, span), span);
    quote_spanned! {span=>
        #(#conditions)*
        #notes
        #visibility fn #name #generics(& #lifetime self, #(#arguments),*) -> #output #bound
    }
}

/// The documentation of a client's method: the user's, or a line in its place.
pub(crate) fn notes(service: &Service<'_>, method: &Method<'_>) -> TokenStream {
    let span = hygiene::at(method.name().span());
    let notes = &method.carried.notes;
    let line = (!method.carried.documented).then(|| {
        let line = format!(" Calls [`{}::{}`].", service.item.ident, method.name());
        quote_spanned!(span=> #[doc = #line])
    });
    quote_spanned!(span=> #line #(#notes)*)
}

/// An argument as the client declares it.
fn declaration(argument: &Parameter<'_>, lifetime: Option<&syn::Lifetime>) -> TokenStream {
    let name = argument.ident();
    let span = hygiene::at(name.span());
    let mut ty = bare(&argument.source.ty).clone();
    if let (Type::Reference(reference), Some(lifetime)) = (&mut ty, lifetime) {
        reference.lifetime = Some(lifetime.clone());
    }
    quote_spanned!(span=> #name: #ty)
}

/// The outcome of a call, as a type.
fn output(answer: &Answer, names: &Names, flavour: Flavour, span: Span) -> TokenStream {
    let Names { witrpc, .. } = names;
    match answer {
        Answer::Stream { item, error, .. } => {
            let stream = flavour.stream(span);
            let items = match &**item {
                Answer::Result { ok, error, .. } => quote_spanned!(span=> #ok, #error),
                Answer::Value(item) => quote_spanned!(span=> #item),
                Answer::Stream { .. } => unreachable!("the checks refuse a stream in a stream"),
            };
            let error = error.as_ref().map(|error| quote_spanned!(span=> <#error>));
            quote_spanned! {span=>
                ::core::result::Result<#witrpc::#stream<#items>, #witrpc::CallError #error>
            }
        }
        Answer::Value(ok) => quote_spanned! {span=>
            ::core::result::Result<#ok, #witrpc::CallError>
        },
        Answer::Result { ok, error, .. } => quote_spanned! {span=>
            ::core::result::Result<#ok, #witrpc::CallError<#error>>
        },
    }
}

fn body(method: &Method<'_>, names: &Names, flavour: Flavour) -> TokenStream {
    let span = hygiene::at(method.place());
    let runtime = &names.runtime;
    let number = names.number(method);
    let bounds = bounds::checks(method, names);
    let puts = method.arguments().map(put);
    let call = quote_spanned!(span=> call);
    let answered = match method.stream_argument().and_then(|a| Some((a.ident(), a.stream()?.1))) {
        None => flavour.finish(&call, span),
        Some((stream, item)) => flavour.finish_feeding(&call, &stream, item, span),
    };
    let outcome = match &method.answer {
        Answer::Value(ok) => quote_spanned!(span=> #answered.value::<#ok>()),
        Answer::Result { ok, error, .. } => {
            quote_spanned!(span=> #answered.result::<#ok, #error>())
        }
        Answer::Stream { item, error, .. } => {
            opened(&call, &answered, item, error.as_deref(), flavour, span)
        }
    };
    let opens = method.has_stream().then(|| quote_spanned!(span=> #call.opens();));
    let statements = quote_spanned! {span=>
        #bounds
        let mut #call = #runtime::ClientCall::new(&self.connection, #number);
        #opens
        #(#puts)*
        #outcome
    };
    flavour.body(&statements, span)
}

/// The stream that a call has opened, if it has.
fn opened(
    call: &TokenStream,
    answered: &TokenStream,
    item: &Answer,
    error: Option<&Type>,
    flavour: Flavour,
    span: Span,
) -> TokenStream {
    let outcome = match error {
        Some(error) => quote_spanned!(span=> result::<(), #error>()),
        None => quote_spanned!(span=> value::<()>()),
    };
    let take = flavour.take_stream(item, span);
    quote_spanned! {span=>
        let opened = #answered.#outcome;
        opened.map(|()| #call.#take)
    }
}

/// Hands one argument to the call.
fn put(argument: &Parameter<'_>) -> TokenStream {
    let name = argument.ident();
    let wire_name = argument.wire_name();
    // The receiver `call` has the hygiene of the body, whatever the argument is called.
    let span = hygiene::at(name.span());
    match argument.form {
        Form::Value(ty) => quote_spanned!(span=> call.value::<#ty>(#wire_name, &#name);),
        Form::Shared(ty) => quote_spanned!(span=> call.value::<#ty>(#wire_name, #name);),
        Form::Str => quote_spanned!(span=> call.str(#wire_name, #name);),
        Form::Path => quote_spanned!(span=> call.path(#wire_name, #name);),
        Form::Raw(ty) => quote_spanned!(span=> call.raw::<#ty>(#wire_name, #name);),
        Form::Context | Form::Stream(..) => TokenStream::new(),
    }
}
