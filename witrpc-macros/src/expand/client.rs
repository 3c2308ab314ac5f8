//! The clients, blocking and async: one renderer for both.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::visit_mut::VisitMut;
use syn::{Lifetime, TypeReference};

use super::client_kind::ClientKind;
use super::names::{self, Names};
use super::{argument, handler, lints, notes, result_alias, subscribe, supertraits};
use crate::hygiene;
use crate::model::{Answer, Method, Parameter, Service, bare};

/// Generates the struct of the client.
pub(crate) fn definition(service: &Service<'_>, names: &Names, kind: ClientKind) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let lints = lints::allowed(service);
    let visibility = &service.item.vis;
    let Names { witrpc, .. } = names;
    let client = kind.client(names);
    let other = kind.other(names);
    let trait_name = &service.item.ident;
    let docs = format!(
        " Calls a [`{trait_name}`] in another process. Its methods {}; [`{other}`] is the other \
         kind of client.\n\n Clones share one connection.",
        kind.manner(),
    );
    quote_spanned! {span=>
        #[doc = #docs]
        #lints
        #[derive(::core::clone::Clone, ::core::fmt::Debug)]
        #visibility struct #client {
            connection: #witrpc::Connection,
        }
    }
}

/// Returns the `impl` with the methods of the service.
pub(crate) fn methods(service: &Service<'_>, names: &Names, kind: ClientKind) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let client = kind.client(names);
    let frame = frame(service, names, &handler::bounds(service), kind);
    let methods = service.methods.iter().map(|method| {
        let body = body(method, names, kind);
        let signature = signature(service, method, names, kind);
        quote_spanned!(span=> #signature #body)
    });
    let supertraits = supertraits::functions(service, names, kind);
    let events =
        service.events.iter().map(|event| subscribe::functions(service, event, names, kind));
    quote_spanned! {span=>
        impl #client {
            #frame
            #supertraits
            #(#methods)*
            #(#events)*
        }
    }
}

/// Returns what makes it a client to the runtime.
pub(crate) fn implementation(
    service: &Service<'_>,
    names: &Names,
    descriptor: &TokenStream,
    kind: ClientKind,
) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let Names { witrpc, runtime, .. } = names;
    let client = kind.client(names);
    quote_spanned! {span=>
        impl #runtime::Client for #client {
            const DESCRIPTOR: &'static #runtime::ServiceDescriptor = &#descriptor;

            fn from_connection(connection: #witrpc::Connection) -> Self {
                Self { connection }
            }
        }
    }
}

/// Returns what every client has, whatever the service's methods.
pub(crate) fn frame(
    service: &Service<'_>,
    names: &Names,
    handler_bounds: &TokenStream,
    kind: ClientKind,
) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let visibility = &service.item.vis;
    let Names { witrpc, runtime, server, handler, .. } = names;
    let marker = kind.marker(span);
    let connect = kind.function("connect", span);
    let connected = quote_spanned! {span=>
        ::core::result::Result<Self, #witrpc::ConnectError>
    };
    let connected = kind.returns(&connected, span);
    quote_spanned! {span=>
        /// Connects to the server at an endpoint, usually its name, with the defaults of
        /// [`builder`](Self::builder).
        ///
        /// # Errors
        ///
        /// No server has the name, or the server refuses this client.
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
            #runtime::in_process::<Self>(#server::from_arc(::std::sync::Arc::new(service)))
        }

        /// Starts a server within this process, for tests, and returns a client of it. `server` is given
        /// the service, events and hooks included; it needs no place to listen at.
        ///
        /// # Panics
        ///
        /// When the server does not start, or does not accept the client, as one that asks for a token.
        #visibility fn in_process_with(server: #witrpc::WitServerBuilder) -> Self {
            #runtime::in_process_with::<Self>(server)
        }

        /// Returns this client with `options` for each of its calls: a deadline, a token that cancels
        /// them. It shares the connection.
        #[must_use]
        #visibility fn with(&self, options: #witrpc::CallOptions) -> Self {
            Self { connection: self.connection.with(options) }
        }

        /// Returns the connection, which says how it stands and can be closed.
        #visibility fn connection(&self) -> &#witrpc::Connection {
            &self.connection
        }
    }
}

/// Returns a method up to its body.
pub(crate) fn signature(
    service: &Service<'_>,
    method: &Method<'_>,
    names: &Names,
    kind: ClientKind,
) -> TokenStream {
    let name = method.name();
    let span = hygiene::at(method.place());
    let visibility = &service.item.vis;
    let conditions = &method.carried.conditions;
    let notes = notes::of_call(service, method);
    let lifetime = kind.lifetime(span);
    let generics = lifetime.as_ref().map(|lifetime| quote_spanned!(span=> <#lifetime>));
    let bound = lifetime.as_ref().map(|lifetime| quote_spanned!(span=> + #lifetime));
    let arguments = method.arguments().map(|argument| match argument.stream() {
        Some((_, item)) => {
            let name = argument.ident();
            let upload = kind.upload_with(item, names, span);
            quote_spanned!(span=> #name: #upload)
        }
        None => declaration(argument, lifetime.as_ref()),
    });
    let output = kind.returns(&output(method, names, kind, span), span);
    quote_spanned! {span=>
        #(#conditions)*
        #notes
        #visibility fn #name #generics(& #lifetime self, #(#arguments),*) -> #output #bound
    }
}

/// Gives each reference a lifetime.
struct LiveFor<'a>(&'a Lifetime);

impl VisitMut for LiveFor<'_> {
    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        reference.lifetime = Some(self.0.clone());
    }
}

/// Returns an argument as the client declares it.
fn declaration(argument: &Parameter<'_>, lifetime: Option<&Lifetime>) -> TokenStream {
    let name = argument.ident();
    let span = hygiene::at(name.span());
    let mut ty = bare(&argument.source.ty).clone();
    if let Some(lifetime) = lifetime {
        LiveFor(lifetime).visit_type_mut(&mut ty);
    }
    quote_spanned!(span=> #name: #ty)
}

/// Returns the outcome of a call, as a type.
fn output(method: &Method<'_>, names: &Names, kind: ClientKind, span: Span) -> TokenStream {
    let Names { witrpc, runtime, .. } = names;
    let (value, error) = match &method.answer {
        Answer::Alias(alias) => {
            let arguments = result_alias::arguments(method, alias);
            return quote_spanned!(span=> #runtime::AliasOutcome<#arguments>);
        }
        Answer::Stream { item, error, .. } => {
            let stream = kind.stream(span);
            let items = match &**item {
                Answer::Value(item) => quote_spanned!(span=> #item),
                Answer::Result { ok, error } => quote_spanned!(span=> #ok, #error),
                Answer::Alias(alias) => {
                    let (ok, error) = result_alias::types(method, alias, names);
                    quote_spanned!(span=> #ok, #error)
                }
                Answer::Stream { .. } => unreachable!("the checks refuse a stream in a stream"),
            };
            let error = error.as_ref().map(|error| quote_spanned!(span=> <#error>));
            (quote_spanned!(span=> #witrpc::#stream<#items>), error)
        }
        Answer::Value(ok) => (quote_spanned!(span=> #ok), None),
        Answer::Result { ok, error } => {
            (quote_spanned!(span=> #ok), Some(quote_spanned!(span=> <#error>)))
        }
    };
    quote_spanned!(span=> ::core::result::Result<#value, #witrpc::CallError #error>)
}

/// Returns the body of a method: the call, made of what stands for the method.
fn body(method: &Method<'_>, names: &Names, kind: ClientKind) -> TokenStream {
    let span = hygiene::at(method.place());
    let runtime = &names.runtime;
    let marker = names::marker(method);
    let lent = method.arguments().map(argument::lent);
    let upload = method.stream_argument().map(|argument| {
        let name = argument.ident();
        quote_spanned!(span=> , #name)
    });
    let does = match (&upload, &method.answer) {
        (Some(_), _) => "upload",
        (None, Answer::Stream { .. }) => "open",
        (None, _) => "call",
    };
    let function = kind.function(does, span);
    let lent = quote_spanned!(span=> (#(#lent,)*));
    let is_plain_future = does == "call" && kind == ClientKind::Async;
    let call = if is_plain_future {
        quote_spanned!(span=> #runtime::#function!(#marker, &self.connection, #lent))
    } else {
        let call =
            quote_spanned!(span=> #runtime::#function::<#marker>(&self.connection, #lent #upload));
        kind.awaited(&call, span)
    };
    let asked = match kind {
        ClientKind::Blocking => TokenStream::new(),
        ClientKind::Async => argument::held_by_future(method, names),
    };
    kind.body(&quote_spanned!(span=> #asked #call), span)
}
