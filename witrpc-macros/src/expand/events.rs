//! Events: what emits them, what they are to a client, and how a client subscribes.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::ext::IdentExt;

use super::bounds;
use super::flavour::Flavour;
use super::names::Names;
use crate::hygiene;
use crate::model::{Form, Method, Parameter, Service};

/// The struct `XEvents`, which emits, and the structs of the items. Nothing for a service without
/// events.
pub(crate) fn definitions(service: &Service<'_>, names: &Names) -> TokenStream {
    if !service.has_events() {
        return TokenStream::new();
    }
    let emits = service.events.iter().map(|event| {
        let (signature, body) = (emit_signature(service, event, names), emit_body(event, names));
        quote_spanned!(event.name().span()=> #signature { #body })
    });
    let emitter = emitter(service, names, emits);
    let items = service.events.iter().map(|event| {
        let definition = item_definition(service, event);
        let debug = item_debug(service, event, names);
        let implementation = item_implementation(service, event, names);
        quote_spanned!(event.name().span()=> #definition #debug #implementation)
    });
    quote_spanned!(hygiene::at(service.item.ident.span())=> #emitter #(#items)*)
}

/// The struct `XEvents` with the functions that emit.
pub(crate) fn emitter(
    service: &Service<'_>,
    names: &Names,
    emits: impl Iterator<Item = TokenStream>,
) -> TokenStream {
    let definition = emitter_definition(service, names);
    let span = hygiene::at(service.item.ident.span());
    let visibility = &service.item.vis;
    let events = &names.events;
    quote_spanned! {span=>
        #definition

        #[allow(dead_code, deprecated, non_snake_case, unused_variables)]
        impl #events {
            /// Emits to one client alone, by the number that `CallContext::client_id` gives.
            #[must_use]
            #visibility fn to(&self, client_id: ::core::primitive::u64) -> Self {
                Self { emitter: self.emitter.to(client_id) }
            }

            #(#emits)*
        }
    }
}

fn emitter_definition(service: &Service<'_>, names: &Names) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let visibility = &service.item.vis;
    let Names { runtime, events, server, .. } = names;
    let docs = format!(
        " Emits the events of a [`{}`], to every client that has subscribed or, after \
         [`to`](Self::to), to one. [`{server}::with_events`] gives it to the service.\n\n Clones \
         emit the same. It does not keep the server running; when that has gone, nobody hears.",
        service.item.ident,
    );
    quote_spanned! {span=>
        #[doc = #docs]
        #[allow(dead_code, non_camel_case_types)]
        #[derive(::core::clone::Clone, ::core::fmt::Debug)]
        #visibility struct #events {
            emitter: #runtime::Emitter,
        }
    }
}

/// The function of `XEvents` that emits one event, up to its body.
pub(crate) fn emit_signature(
    service: &Service<'_>,
    event: &Method<'_>,
    names: &Names,
) -> TokenStream {
    let span = hygiene::at(event.place());
    let witrpc = &names.witrpc;
    let visibility = &service.item.vis;
    let name = event.name();
    let conditions = &event.carried.conditions;
    let notes = &event.carried.notes;
    let arguments = event.arguments().map(|argument| {
        let (name, ty) = (argument.ident(), &argument.source.ty);
        quote_spanned!(span=> #name: #ty)
    });
    quote_spanned! {span=>
        #(#conditions)*
        #(#notes)*
        ///
        /// Returns how many clients it is on its way to.
        ///
        /// # Errors
        ///
        /// It could not be encoded, or a client had no room for it in time. Those clients learn
        /// that they have missed one.
        #visibility fn #name(
            &self,
            #(#arguments),*
        ) -> ::core::result::Result<::core::primitive::usize, #witrpc::EmitError>
    }
}

fn emit_body(event: &Method<'_>, names: &Names) -> TokenStream {
    let span = hygiene::at(event.place());
    let runtime = &names.runtime;
    let number = names.number(event);
    let bounds = bounds::checks(event, names);
    let puts = event.arguments().map(put);
    let writer = match event.arguments().next() {
        Some(_) => quote_spanned!(span=> writer),
        None => quote_spanned!(span=> _),
    };
    quote_spanned! {span=>
        #bounds
        self.emitter.emit(#number, &|#writer: &mut #runtime::EventWriter<'_>| { #(#puts)* })
    }
}

/// Hands one argument of an event to the writer.
fn put(argument: &Parameter<'_>) -> TokenStream {
    let name = argument.ident();
    let wire_name = argument.wire_name();
    let span = hygiene::at(name.span());
    match argument.form {
        Form::Value(ty) => quote_spanned!(span=> writer.value::<#ty>(#wire_name, &#name);),
        Form::Shared(ty) => quote_spanned!(span=> writer.value::<#ty>(#wire_name, #name);),
        Form::Str => quote_spanned!(span=> writer.str(#wire_name, #name);),
        Form::Path => quote_spanned!(span=> writer.path(#wire_name, #name);),
        Form::Raw(ty) => quote_spanned!(span=> writer.raw::<#ty>(#wire_name, #name);),
        Form::Context | Form::Stream(..) => TokenStream::new(),
    }
}

/// What an event is to a client: a struct of its arguments, owned.
pub(crate) fn item_definition(service: &Service<'_>, event: &Method<'_>) -> TokenStream {
    let span = hygiene::at(event.name().span());
    let visibility = &service.item.vis;
    let conditions = &event.carried.conditions;
    let notes = &event.carried.notes;
    let line = (!event.carried.documented).then(|| {
        let line = format!(" The event `{}` of a [`{}`].", event.name(), service.item.ident);
        quote_spanned!(span=> #[doc = #line])
    });
    let item = item_name(service, event);
    let fields = event.arguments().map(|argument| {
        let name = argument.ident();
        let docs = format!(" What it was emitted with as `{}`.", argument.wire_name());
        let ty = owned(argument);
        quote_spanned!(span=> #[doc = #docs] #visibility #name: #ty)
    });
    quote_spanned! {span=>
        #(#conditions)*
        #line
        #(#notes)*
        #[allow(dead_code, deprecated, non_snake_case)]
        #visibility struct #item {
            #(#fields),*
        }
    }
}

/// How it is shown. It has no derived traits, which would ask for them of all arguments.
pub(crate) fn item_debug(service: &Service<'_>, event: &Method<'_>, names: &Names) -> TokenStream {
    let span = hygiene::at(event.name().span());
    let runtime = &names.runtime;
    let conditions = &event.carried.conditions;
    let item = item_name(service, event);
    let title = item.to_string();
    let fields = event.arguments().map(|argument| {
        let (name, ty, label) = (argument.ident(), owned(argument), argument.wire_name());
        quote_spanned!(span=> .field(#label, #runtime::DebugProbe::<#ty>::new(&self.#name).shown()))
    });
    quote_spanned! {span=>
        #(#conditions)*
        #[allow(deprecated)]
        impl ::core::fmt::Debug for #item {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                #[allow(unused_imports)]
                use #runtime::NotDebug as _;
                f.debug_struct(#title) #(#fields)* .finish()
            }
        }
    }
}

/// How it is read from a message.
fn item_implementation(service: &Service<'_>, event: &Method<'_>, names: &Names) -> TokenStream {
    let span = hygiene::at(event.name().span());
    let runtime = &names.runtime;
    let conditions = &event.carried.conditions;
    let item = item_name(service, event);
    let field_names = event.arguments().map(Parameter::ident);
    let takes = event.arguments().map(take);
    let bounds = bounds::checks(event, names);
    quote_spanned! {span=>
        #(#conditions)*
        #[allow(deprecated)]
        impl #runtime::EventItem for #item {
            fn read(
                arguments: &mut #runtime::Arguments<'_>,
            ) -> ::core::result::Result<Self, #runtime::BadArguments> {
                #bounds
                #(#takes)*
                arguments.finish()?;
                ::core::result::Result::Ok(Self { #(#field_names),* })
            }
        }
    }
}

/// The name of its struct.
fn item_name(service: &Service<'_>, event: &Method<'_>) -> Ident {
    format_ident!(
        "{}{}",
        service.item.ident.unraw(),
        event.in_camel_case(),
        span = event.name().span()
    )
}

/// The type of a field: what the argument's value is when nobody lends it.
fn owned(argument: &Parameter<'_>) -> TokenStream {
    let span = hygiene::at(argument.ident().span());
    match argument.form {
        Form::Value(ty) | Form::Shared(ty) => quote_spanned!(span=> #ty),
        Form::Str => quote_spanned!(span=> ::std::string::String),
        Form::Path => quote_spanned!(span=> ::std::path::PathBuf),
        Form::Raw(ty) => quote_spanned!(span=> ::std::vec::Vec<#ty>),
        Form::Context | Form::Stream(..) => unreachable!("the checks refuse these in an event"),
    }
}

/// Reads one field.
fn take(argument: &Parameter<'_>) -> TokenStream {
    let name = argument.ident();
    let wire_name = argument.wire_name();
    let span = hygiene::at(name.span());
    let read = match argument.form {
        Form::Value(ty) | Form::Shared(ty) => quote_spanned!(span=> value::<#ty>(#wire_name)?),
        Form::Str => quote_spanned!(span=> str(#wire_name)?.into_owned()),
        Form::Path => quote_spanned!(span=> path(#wire_name)?.into_owned()),
        Form::Raw(ty) => quote_spanned!(span=> raw::<#ty>(#wire_name)?.into_owned()),
        Form::Context | Form::Stream(..) => unreachable!("the checks refuse these in an event"),
    };
    quote_spanned!(span=> let #name = arguments.#read;)
}

/// `XServer::with_events`; nothing for a service without events.
pub(crate) fn constructor(
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

/// The body of that constructor.
pub(crate) fn constructor_body(service: &Service<'_>, names: &Names) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let Names { runtime, events, dispatch, .. } = names;
    quote_spanned! {span=>
        let hub = #runtime::EventHub::new();
        let service = make(#events { emitter: hub.emitter() });
        Self { service: ::std::sync::Arc::new(#dispatch(::std::sync::Arc::new(service), hub)) }
    }
}

/// The name of a client's function that takes a closure.
pub(crate) fn on_name(event: &Method<'_>) -> Ident {
    format_ident!("on_{}", event.name().unraw(), span = event.name().span())
}

/// The two functions of a client for one event.
pub(crate) fn client(
    service: &Service<'_>,
    event: &Method<'_>,
    names: &Names,
    flavour: Flavour,
) -> TokenStream {
    let span = hygiene::at(event.place());
    let runtime = &names.runtime;
    let number = names.number(event);
    let item = item_name(service, event);
    let subscribe = flavour.subscribe("subscribe", span);
    let subscribed =
        quote_spanned!(span=> #runtime::#subscribe::<#item>(&self.connection, #number));
    let attach = flavour.subscribe("attach", span);
    let attached =
        quote_spanned!(span=> #runtime::#attach::<#item>(&self.connection, #number, react));
    let iterate = flavour.body(&flavour.awaited(&subscribed, span), span);
    let react = flavour.body(&flavour.awaited(&attached, span), span);
    let [first, second] = client_signatures(service, event, names, flavour);
    quote_spanned!(span=> #first #iterate #second #react)
}

/// The signatures of the two functions of a client for one event.
pub(crate) fn client_signatures(
    service: &Service<'_>,
    event: &Method<'_>,
    names: &Names,
    flavour: Flavour,
) -> [TokenStream; 2] {
    let span = hygiene::at(event.place());
    let Names { witrpc, .. } = names;
    let visibility = &service.item.vis;
    let conditions = &event.carried.conditions;
    let notes = super::client::notes(service, event);
    let name = event.name();
    let on_name = on_name(event);
    let item = item_name(service, event);
    let subscription = flavour.subscription(span);
    let lifetime = flavour.lifetime(span);
    let generics = lifetime.as_ref().map(|lifetime| quote_spanned!(span=> <#lifetime>));
    let bound = lifetime.as_ref().map(|lifetime| quote_spanned!(span=> + #lifetime));
    let fallible = |ok: TokenStream| {
        let result = quote_spanned!(span=> ::core::result::Result<#ok, #witrpc::CallError>);
        flavour.returns(&result, span)
    };
    let stream = fallible(quote_spanned!(span=> #witrpc::#subscription<#item>));
    let guard = fallible(quote_spanned!(span=> #witrpc::EventGuard));
    let line = format!(
        " Has `react` called for each event that [`{}`](Self::{}) would give, until the guard is \
         dropped. All such closures of a connection run on one thread, one after the other.",
        name, name
    );
    [
        quote_spanned! {span=>
            #(#conditions)*
            #notes
            #visibility fn #name #generics(& #lifetime self) -> #stream #bound
        },
        quote_spanned! {span=>
            #(#conditions)*
            #[doc = #line]
            #visibility fn #on_name #generics(
                & #lifetime self,
                react: impl ::core::ops::FnMut(
                    ::core::result::Result<#item, #witrpc::EventError>,
                ) + ::core::marker::Send + 'static,
            ) -> #guard #bound
        },
    ]
}
