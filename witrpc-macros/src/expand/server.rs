//! `XServer`: hands the calls that arrive to the user's implementation.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::ext::IdentExt;

use super::names::Names;
use super::{bounds, events, streams};
use crate::hygiene;
use crate::model::{Answer, Flow, Form, Method, Parameter, Projection, Service};

/// The struct.
pub(crate) fn definition(service: &Service<'_>, names: &Names) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let visibility = &service.item.vis;
    let trait_name = &service.item.ident;
    let Names { runtime, server, .. } = names;
    let events = if service.has_events() {
        " One that is to emit events is made by `with_events`: from any other, whoever subscribes \
         hears nothing."
    } else {
        ""
    };
    let docs = format!(
        " Serves a [`{trait_name}`]: give one to the builder of a `WitServer`, which answers the \
         calls of every client with it.\n\n Clones serve the same.{events}"
    );
    quote_spanned! {span=>
        #[doc = #docs]
        #[must_use = "a service answers nobody until it is given to a `WitServer`"]
        #[allow(dead_code, non_camel_case_types)]
        #[derive(::core::clone::Clone)]
        #visibility struct #server {
            service: ::std::sync::Arc<dyn #runtime::Service>,
        }
    }
}

/// How to make one from a handler of these bounds. They are asked for here alone: the type that
/// comes out does not mention the handler, so what it lacks is not reported again by whoever takes
/// the server.
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
    let with_events = events::constructor(service, names, handler_bounds, body_with_events);
    quote_spanned! {span=>
        #[allow(dead_code)]
        impl #server {
            /// Serves `service`.
            #visibility fn new<#handler>(service: #handler) -> Self
            where
                #handler: ::core::marker::Sized #handler_bounds,
            {
                Self::from_arc(::std::sync::Arc::new(service))
            }

            /// Serves what others have a hold of too.
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

/// What makes it a service to the runtime.
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

/// What a handler must be.
pub(crate) fn handler_bounds(service: &Service<'_>) -> TokenStream {
    let trait_name = &service.item.ident;
    let span = hygiene::at(trait_name.span());
    quote_spanned! {span=>
        + #trait_name + ::core::marker::Send + ::core::marker::Sync + 'static
    }
}

/// The struct that hands calls to a handler of a known type.
pub(crate) fn dispatch_definition(service: &Service<'_>, names: &Names) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let Names { runtime, dispatch, handler, .. } = names;
    let hub =
        service.has_events().then(|| quote_spanned!(span=> , ::std::sync::Arc<#runtime::EventHub>));
    quote_spanned! {span=>
        #[allow(non_camel_case_types)]
        struct #dispatch<#handler: ?::core::marker::Sized>(::std::sync::Arc<#handler> #hub);
    }
}

/// The dispatch of calls to methods.
pub(crate) fn dispatch_implementation(service: &Service<'_>, names: &Names) -> TokenStream {
    let trait_name = &service.item.ident;
    let span = hygiene::at(trait_name.span());
    let Names { runtime, dispatch, descriptor, .. } = names;
    let handler = hygiene::private("S", trait_name.span());
    let handler_bounds = handler_bounds(service);
    // A number is an expression, and a pattern must be a constant.
    let numbers = service.methods.iter().map(|method| {
        let conditions = &method.carried.conditions;
        let (constant, number) = (constant(method), names.number(method));
        quote_spanned! {span=>
            #(#conditions)*
            #[allow(non_upper_case_globals)]
            const #constant: ::core::primitive::u16 = #number;
        }
    });
    let arms = service.methods.iter().map(|method| {
        let conditions = &method.carried.conditions;
        let number = constant(method);
        let name = method.name();
        let span = hygiene::at(name.span());
        let function = quote_spanned!(span=> <#handler as #trait_name>::#name);
        let reply = reply(method, names, &function);
        quote_spanned!(span=> #(#conditions)* #number => #reply)
    });
    let events = service.has_events().then(|| {
        quote_spanned! {span=>
            fn events(&self) -> ::core::option::Option<&::std::sync::Arc<#runtime::EventHub>> {
                ::core::option::Option::Some(&self.1)
            }
        }
    });
    quote_spanned! {span=>
        #(#numbers)*

        #[allow(deprecated, non_camel_case_types, non_snake_case)]
        impl<#handler: ?::core::marker::Sized #handler_bounds> #runtime::Service
            for #dispatch<#handler>
        {
            fn descriptor(&self) -> &'static #runtime::ServiceDescriptor {
                &#descriptor
            }

            fn dispatch(&self, call: #runtime::ServerCall<'_>) {
                match call.method() {
                    #(#arms)*
                    _ => call.unknown_method(),
                }
            }

            #events
        }
    }
}

/// The constant that a method's number is matched with.
fn constant(method: &Method<'_>) -> Ident {
    let name = method.name();
    hygiene::private(&format!("number_{}", name.unraw()), name.span())
}

/// The arm of one method: decode, call, and let the runtime encode.
fn reply(method: &Method<'_>, names: &Names, function: &TokenStream) -> TokenStream {
    let span = hygiene::at(method.place());
    let bounds = bounds::checks(method, names);
    let takes = method.arguments().map(take);
    let passed = method.parameters.iter().map(passed);
    let has_context = method.parameters.len() > method.arguments().count();
    let context =
        if has_context { quote_spanned!(span=> context) } else { quote_spanned!(span=> _) };
    let (caller, make_context) = if has_context {
        let make = quote_spanned!(span=> let context = caller.context(););
        (quote_spanned!(span=> caller), make)
    } else {
        (quote_spanned!(span=> _), TokenStream::new())
    };
    let decode = quote_spanned!(span=> #(#takes)* arguments.finish()?;);
    if method.has_stream() {
        let returned = quote_spanned!(span=> #function(&service, #(#passed),*));
        return streams::reply(method, names, &bounds, &context, &decode, &returned);
    }
    let reply = reply_function(method, span);
    if method.is_async() {
        let returned = quote_spanned!(span=> #function(&service, #(#passed),*).await);
        let answer = answer(method, &returned);
        let drops = drops(method, span);
        quote_spanned! {span=> {
            #bounds
            #drops
            let service = ::core::clone::Clone::clone(&self.0);
            call.#reply(move |arguments, #context| async move {
                let mut arguments = arguments.open();
                #decode
                ::core::result::Result::Ok(#answer)
            })
        }}
    } else {
        let answer = answer(method, &quote_spanned!(span=> #function(&self.0, #(#passed),*)));
        quote_spanned! {span=> {
            #bounds
            call.#reply(|arguments, #caller| {
                #decode
                #make_context
                ::core::result::Result::Ok(#answer)
            })
        }}
    }
}

/// The function of the runtime that answers such a call, with its type arguments.
fn reply_function(method: &Method<'_>, span: Span) -> TokenStream {
    match (&method.answer, method.is_async()) {
        (Answer::Value(ok), false) => quote_spanned!(span=> reply::<#ok>),
        (Answer::Result { ok, error, .. }, false) => {
            quote_spanned!(span=> reply_result::<#ok, #error>)
        }
        (_, true) => reply_later(method, span),
        (Answer::Stream { .. }, _) => unreachable!("streams are answered elsewhere"),
    }
}

/// The function of the runtime that answers with what a future comes to.
pub(super) fn reply_later(method: &Method<'_>, span: Span) -> TokenStream {
    match &method.answer {
        Answer::Value(ok) => quote_spanned!(span=> reply_async::<#ok, _>),
        Answer::Result { ok, error, .. } => {
            quote_spanned!(span=> reply_async_result::<#ok, #error, _>)
        }
        Answer::Stream { .. } => unreachable!("streams are answered elsewhere"),
    }
}

/// What the method returned, as the runtime takes it.
pub(super) fn answer(method: &Method<'_>, returned: &TokenStream) -> TokenStream {
    let span = hygiene::at(method.place());
    match &method.answer {
        Answer::Result { projected: Some(Projection { through, .. }), .. } => {
            quote_spanned!(span=> #through::into_result(#returned))
        }
        _ => returned.clone(),
    }
}

/// Has the runtime drop the method's future with its client, if the user wants that.
pub(super) fn drops(method: &Method<'_>, span: Span) -> Option<TokenStream> {
    let wanted = method.options.drop_on_disconnect.is_some();
    wanted.then(|| quote_spanned!(span=> let call = call.drop_on_disconnect();))
}

/// Decodes one argument.
fn take(argument: &Parameter<'_>) -> TokenStream {
    let name = argument.ident();
    let wire_name = argument.wire_name();
    let span = hygiene::at(name.span());
    match argument.form {
        Form::Value(ty) | Form::Shared(ty) => {
            quote_spanned!(span=> let #name = arguments.value::<#ty>(#wire_name)?;)
        }
        Form::Str => quote_spanned!(span=> let #name = arguments.str(#wire_name)?;),
        Form::Path => quote_spanned!(span=> let #name = arguments.path(#wire_name)?;),
        Form::Raw(ty) => quote_spanned!(span=> let #name = arguments.raw::<#ty>(#wire_name)?;),
        Form::Stream(Flow::Iterator, _) => quote_spanned!(span=> let #name = feed.iterator();),
        Form::Stream(Flow::Stream, _) => quote_spanned!(span=> let #name = feed.stream();),
        Form::Context => TokenStream::new(),
    }
}

/// One argument as the method takes it.
fn passed(parameter: &Parameter<'_>) -> TokenStream {
    let name = parameter.ident();
    let span = hygiene::at(name.span());
    match parameter.form {
        Form::Value(_) | Form::Stream(..) => quote_spanned!(span=> #name),
        Form::Context => quote_spanned!(span=> &context),
        Form::Shared(_) | Form::Str | Form::Path | Form::Raw(_) => quote_spanned!(span=> &#name),
    }
}
