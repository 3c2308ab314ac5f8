//! The dispatch: hands the calls that arrive to the user's implementation.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::Type;

use super::names::{self, Names};
use super::{argument, handler, result_alias};
use crate::hygiene;
use crate::model::{Answer, Flow, Method, Service};

/// Returns the struct that hands calls to a handler of a known type, and its dispatch.
pub(crate) fn expand(service: &Service<'_>, names: &Names) -> TokenStream {
    let trait_name = &service.item.ident;
    let span = hygiene::at(trait_name.span());
    let Names { runtime, dispatch, descriptor, .. } = names;
    let handler = hygiene::private("S", trait_name.span());
    let handler_bounds = handler::bounds(service);
    let arms = service.methods.iter().map(|method| {
        let name = method.name();
        let span = hygiene::at(name.span());
        arm(method, names, &quote_spanned!(span=> <#handler as #trait_name>::#name))
    });
    let (hub, events) = match service.has_events() {
        true => (
            quote_spanned!(span=> , ::std::sync::Arc<#runtime::EventHub>),
            quote_spanned! {span=>
                fn events(&self) -> ::core::option::Option<&::std::sync::Arc<#runtime::EventHub>> {
                    ::core::option::Option::Some(&self.1)
                }
            },
        ),
        false => (TokenStream::new(), TokenStream::new()),
    };
    quote_spanned! {span=>
        struct #dispatch<#handler: ?::core::marker::Sized>(::std::sync::Arc<#handler> #hub);

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

/// Returns the arm of one method: calls `function` with the arguments, and lets the runtime answer.
fn arm(method: &Method<'_>, names: &Names, function: &TokenStream) -> TokenStream {
    let span = hygiene::at(method.place());
    let runtime = &names.runtime;
    let conditions = &method.carried.conditions;
    let marker = names::marker(method);
    let reply = if method.is_async() || method.has_stream() {
        reply_from_future(method, names, function)
    } else {
        reply_at_once(method, names, function)
    };
    quote_spanned!(span=> #(#conditions)* <#marker as #runtime::Message>::NUMBER => #reply,)
}

/// Returns the answer of a method that runs where its call has come in.
fn reply_at_once(method: &Method<'_>, names: &Names, function: &TokenStream) -> TokenStream {
    let span = hygiene::at(method.place());
    let marker = names::marker(method);
    let taken = method.arguments().map(argument::taken);
    let context = quote_spanned!(span=> caller.context());
    let passed = method.parameters.iter().map(|of| argument::passed(of, &context));
    let caller = match method.has_context() {
        true => quote_spanned!(span=> caller),
        false => quote_spanned!(span=> _),
    };
    let reply = match &method.answer {
        Answer::Value(_) => quote_spanned!(span=> reply),
        _ => quote_spanned!(span=> reply_result),
    };
    let answer = answer(method, names, &quote_spanned!(span=> #function(&self.0, #(#passed),*)));
    quote_spanned!(span=> call.#reply::<#marker>(|(#(#taken,)*), #caller| #answer))
}

/// Returns the answer of a method that runs as a future: an `async fn`, or one with a stream, whatever
/// that is declared as. The future holds what the stream borrows: the service and the arguments.
fn reply_from_future(method: &Method<'_>, names: &Names, function: &TokenStream) -> TokenStream {
    let span = hygiene::at(method.place());
    let marker = names::marker(method);
    let asked = argument::held_by_future(method, names);
    let context = match method.has_context() {
        true => quote_spanned!(span=> context),
        false => quote_spanned!(span=> _),
    };
    let passed = method.parameters.iter().map(|of| argument::passed(of, &context));
    let wait = method.is_async().then(|| quote_spanned!(span=> .await));
    let returned = quote_spanned!(span=> #function(&service, #(#passed),*) #wait);
    let feed = method.stream_argument().and_then(|argument| argument.stream()).map(|(_, item)| {
        quote_spanned! {span=>
            let ::core::option::Option::Some((call, feed)) = call.feed::<#item>() else { return };
        }
    });
    // What may block a thread runs on the server's own.
    let here = (method.has_stream() && is_blocking(method))
        .then(|| quote_spanned!(span=> let call = call.on_server_threads();));
    let (reply, out, ending) = match &method.answer {
        Answer::Stream { flow, error, .. } => (
            quote_spanned!(span=> stream),
            Some(quote_spanned!(span=> , out)),
            hand_over(*flow, error.as_deref(), &marker, &returned, span),
        ),
        of => {
            let answer = answer(method, names, &returned);
            let reply = match of {
                Answer::Value(_) => quote_spanned!(span=> reply_async),
                _ => quote_spanned!(span=> reply_async_result),
            };
            (reply, None, quote_spanned!(span=> ::core::result::Result::Ok(#answer)))
        }
    };
    let read = quote_spanned!(span=> arguments.read::<#marker>()?);
    let read = if method.arguments().next().is_some() {
        let taken = method.arguments().map(argument::taken);
        quote_spanned!(span=> let (#(#taken,)*) = #read;)
    } else {
        quote_spanned!(span=> #read;)
    };
    quote_spanned! {span=> {
        #asked
        #here
        #feed
        let service = ::core::clone::Clone::clone(&self.0);
        call.#reply(#marker, move |arguments, #context #out| async move {
            #read
            #ending
        })
    }}
}

/// Returns what the method returned, as the runtime takes it.
fn answer(method: &Method<'_>, names: &Names, returned: &TokenStream) -> TokenStream {
    let span = hygiene::at(method.place());
    match &method.answer {
        Answer::Alias(alias) => {
            let into_result = result_alias::into_result(alias, names);
            quote_spanned!(span=> #into_result(#returned))
        }
        _ => returned.clone(),
    }
}

/// Whether a method blocks its thread, by itself or by its stream.
fn is_blocking(method: &Method<'_>) -> bool {
    let taken = method.stream_argument().and_then(|argument| argument.stream());
    if matches!(taken, Some((Flow::Iterator, _))) {
        return true;
    }
    let streams = matches!(method.answer, Answer::Stream { flow: Flow::Stream, .. });
    !method.is_async() && !streams
}

/// Gives the stream that a method returned to the runtime.
fn hand_over(
    flow: Flow,
    error: Option<&Type>,
    marker: &proc_macro2::Ident,
    returned: &TokenStream,
    span: Span,
) -> TokenStream {
    let send = match flow {
        Flow::Iterator => quote_spanned!(span=> iterate),
        Flow::Stream => quote_spanned!(span=> forward),
    };
    if error.is_none() {
        return quote_spanned! {span=>
            out.#send(#returned).await;
            ::core::result::Result::Ok(())
        };
    }
    quote_spanned! {span=>
        match #returned {
            ::core::result::Result::Ok(stream) => out.#send(stream).await,
            ::core::result::Result::Err(error) => out.refuse::<#marker>(&error),
        }
        ::core::result::Result::Ok(())
    }
}
