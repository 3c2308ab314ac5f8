//! The server's side of methods that take or return a stream.

use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::spanned::Spanned;

use super::server;
use crate::hygiene;
use crate::model::{Answer, Flow, Method};

/// The arm of such a method. Whatever it is declared as, it runs as a future, which holds what the
/// stream borrows: the service and the arguments.
pub(crate) fn reply(
    method: &Method<'_>,
    bounds: &TokenStream,
    context: &TokenStream,
    decode: &TokenStream,
    returned: &TokenStream,
) -> TokenStream {
    let span = hygiene::at(method.place());
    let returned = match method.is_async() {
        true => quote_spanned!(span=> #returned.await),
        false => returned.clone(),
    };
    let feed = method.stream_argument().and_then(|argument| argument.stream()).map(|(_, item)| {
        quote_spanned! {span=>
            let ::core::option::Option::Some((call, feed)) = call.feed::<#item>() else { return };
        }
    });
    // What may block a thread runs on the server's own.
    let here =
        is_blocking(method).then(|| quote_spanned!(span=> let call = call.on_server_threads();));
    let reply = server::reply_later(method, span);
    let (parameters, ending) = match &method.answer {
        Answer::Stream { flow, item_type, error, .. } => (
            quote_spanned!(span=> arguments, #context, out),
            hand_over(*flow, error.is_some(), &returned, hygiene::at(item_type.span())),
        ),
        _ => {
            let answer = server::answer(method, &returned);
            (
                quote_spanned!(span=> arguments, #context),
                quote_spanned!(span=> ::core::result::Result::Ok(#answer)),
            )
        }
    };
    quote_spanned! {span=> {
        #bounds
        #here
        #feed
        let service = ::core::clone::Clone::clone(&self.0);
        call.#reply(move |#parameters| async move {
            let mut arguments = arguments.open();
            #decode
            #ending
        })
    }}
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
    may_fail: bool,
    returned: &TokenStream,
    span: proc_macro2::Span,
) -> TokenStream {
    let send = match flow {
        Flow::Iterator => quote_spanned!(span=> iterate),
        Flow::Stream => quote_spanned!(span=> forward),
    };
    if !may_fail {
        return quote_spanned! {span=>
            out.#send(#returned).await;
            ::core::result::Result::Ok(())
        };
    }
    quote_spanned! {span=>
        match #returned {
            ::core::result::Result::Ok(stream) => out.#send(stream).await,
            ::core::result::Result::Err(error) => out.refuse(&error),
        }
        ::core::result::Result::Ok(())
    }
}
