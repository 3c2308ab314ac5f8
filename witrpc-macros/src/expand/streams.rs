//! The server's side of methods that take or return a stream.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::Type;
use syn::spanned::Spanned;

use super::names::Names;
use super::server;
use crate::hygiene;
use crate::model::{Answer, Flow, Method, Projection};

/// The arm of such a method. Whatever it is declared as, it runs as a future, which holds what the
/// stream borrows: the service and the arguments.
pub(crate) fn reply(
    method: &Method<'_>,
    names: &Names,
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
    let drops = server::drops(method, span);
    let (reply, encoding, parameters, ending) = match &method.answer {
        Answer::Stream { flow, item, error, .. } => (
            quote_spanned!(span=> stream),
            Some(encoding(item, names)),
            quote_spanned!(span=> arguments, #context, out),
            hand_over(*flow, error.as_deref(), &returned, span),
        ),
        _ => {
            let answer = server::answer(method, &returned);
            (
                server::reply_later(method, span),
                None,
                quote_spanned!(span=> arguments, #context),
                quote_spanned!(span=> ::core::result::Result::Ok(#answer)),
            )
        }
    };
    let encoding = encoding.map(|encoding| quote_spanned!(span=> #encoding,));
    quote_spanned! {span=> {
        #bounds
        #here
        #drops
        #feed
        let service = ::core::clone::Clone::clone(&self.0);
        call.#reply(#encoding move |#parameters| async move {
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

/// How the items of a stream are encoded. The bounds of their types are asked for as the checks have
/// asked for them, and in nothing else here.
fn encoding(item: &Answer, names: &Names) -> TokenStream {
    match item {
        Answer::Value(item) => {
            let span = hygiene::at(item.span());
            let runtime = hygiene::relocated(names.runtime.clone(), span);
            quote_spanned!(span=> #runtime::encoding_of::<#item>())
        }
        Answer::Result { projected: Some(Projection { through, .. }), .. } => {
            quote_spanned!(hygiene::at(through.span())=> #through::encoding())
        }
        Answer::Result { ok, error, .. } => {
            let span = hygiene::at(ok.span());
            let runtime = hygiene::relocated(names.runtime.clone(), span);
            quote_spanned!(span=> #runtime::encoding_of_results::<#ok, #error>())
        }
        Answer::Stream { .. } => unreachable!("the checks refuse a stream in a stream"),
    }
}

/// Gives the stream that a method returned to the runtime.
fn hand_over(flow: Flow, error: Option<&Type>, returned: &TokenStream, span: Span) -> TokenStream {
    let send = match flow {
        Flow::Iterator => quote_spanned!(span=> iterate),
        Flow::Stream => quote_spanned!(span=> forward),
    };
    let Some(error) = error else {
        return quote_spanned! {span=>
            out.#send(#returned).await;
            ::core::result::Result::Ok(())
        };
    };
    quote_spanned! {span=>
        match #returned {
            ::core::result::Result::Ok(stream) => out.#send(stream).await,
            ::core::result::Result::Err(error) => out.refuse::<#error>(&error),
        }
        ::core::result::Result::Ok(())
    }
}
