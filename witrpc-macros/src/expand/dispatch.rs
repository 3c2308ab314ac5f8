//! The dispatch: hands the calls that arrive to the user's implementation.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;

use super::names::{self, Names};
use super::{argument, handler, result_alias, supertraits};
use crate::hygiene;
use crate::model::{Answer, Flow, Method, Service};

/// Returns the struct that hands calls to a handler of a known type, and its dispatch.
pub(crate) fn expand(service: &Service<'_>, names: &Names) -> TokenStream {
    let trait_name = &service.item.ident;
    let span = hygiene::at(trait_name.span());
    let Names { runtime, dispatch, descriptor, .. } = names;
    let handler = hygiene::private("S", trait_name.span());
    let handler_bounds = handler::bounds(service);
    let path = service.path();
    let supertraits = supertraits::servers(service, names);
    let arms = service.methods.iter().map(|method| {
        let name = method.name();
        let span = hygiene::at(name.span());
        arm(method, names, &quote_spanned!(span=> #path::#name))
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
            #supertraits
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
    let passed = method.parameters.iter().map(|of| argument::passed(of, &context, names));
    let caller = match method.has_context() {
        true => quote_spanned!(span=> caller),
        false => quote_spanned!(span=> _),
    };
    let reply = match &method.answer {
        Answer::Value(_) => quote_spanned!(span=> reply),
        _ => quote_spanned!(span=> reply_result),
    };
    let returned = quote_spanned!(span=> #function(&*self.0, #(#passed),*));
    let answer = match &method.answer {
        Answer::Alias(alias) => {
            let returned_here = quote_spanned!(span=> returned);
            let result = result_alias::result(method, alias, &returned_here, names);
            quote_spanned!(span=> { let returned = #returned; #result })
        }
        _ => returned,
    };
    quote_spanned!(span=> call.#reply::<#marker>(|(#(#taken,)*), #caller| #answer))
}

/// Returns the answer of a method that runs as a future: an `async fn`, or one with a stream, whatever
/// that is declared as. The future holds what the stream borrows: the service and the arguments.
fn reply_from_future(method: &Method<'_>, names: &Names, function: &TokenStream) -> TokenStream {
    let span = hygiene::at(method.place());
    let Names { runtime, .. } = names;
    let marker = names::marker(method);
    let asked = argument::held_by_future(method, names);
    let context = match method.has_context() {
        true => quote_spanned!(span=> cx),
        false => quote_spanned!(span=> _),
    };
    let passed = method.parameters.iter().map(|of| argument::passed(of, &context, names));
    let wait = method.is_async().then(|| quote_spanned!(span=> .await));
    let called = quote_spanned!(span=> #function(&*service, #(#passed),*));
    // What may block a thread runs on the server's own.
    let of = match method.has_stream() && is_blocking(method) {
        true => quote_spanned!(span=> of_blocking),
        false => quote_spanned!(span=> of),
    };
    let upload = method.stream_argument().map(
        |_| quote_spanned!(span=> let #runtime::Some((call, upload)) = call.open_upload() else { return };),
    );
    let (reply, out, ending) = match &method.answer {
        Answer::Stream { flow, error, .. } => {
            let send = hand_over(*flow, error.is_some(), span);
            let ending = quote_spanned! {span=>
                let stream = #called #wait;
                #runtime::Ok(out.#send(stream).await)
            };
            (quote_spanned!(span=> stream), Some(quote_spanned!(span=> , out)), ending)
        }
        of => {
            let reply = match of {
                Answer::Value(_) => quote_spanned!(span=> reply_async),
                _ => quote_spanned!(span=> reply_async_result),
            };
            let ending = match of {
                Answer::Alias(alias) => {
                    let returned = quote_spanned!(span=> returned #wait);
                    let result = result_alias::result(method, alias, &returned, names);
                    quote_spanned!(span=> let returned = #called; #runtime::Ok(#result))
                }
                _ => quote_spanned!(span=> #runtime::Ok(#called #wait)),
            };
            (reply, None, ending)
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
        let (call, service) = call.#of::<#marker, _>(&self.0);
        #upload
        call.#reply(move |arguments, #context #out| async move {
            #read
            #ending
        })
    }}
}

/// Returns whether a method blocks its thread, by itself or by its stream.
fn is_blocking(method: &Method<'_>) -> bool {
    let taken = method.stream_argument().and_then(|argument| argument.stream());
    if matches!(taken, Some((Flow::Iterator, _))) {
        return true;
    }
    let streams = matches!(method.answer, Answer::Stream { flow: Flow::Stream, .. });
    !method.is_async() && !streams
}

/// Returns the function of the runtime that sends the stream that a method returned.
fn hand_over(flow: Flow, is_fallible: bool, span: Span) -> Ident {
    let name = match (flow, is_fallible) {
        (Flow::Iterator, false) => "iterate",
        (Flow::Iterator, true) => "iterate_or_refuse",
        (Flow::Stream, false) => "forward",
        (Flow::Stream, true) => "forward_or_refuse",
    };
    Ident::new(name, span)
}
