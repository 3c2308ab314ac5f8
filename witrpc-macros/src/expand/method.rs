//! The struct that stands for a method, and all that both sides and the contract ask of it.
//!
//! The bounds of the method's types are asked for here, where each function of the runtime that says
//! how a type crosses is named.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use super::names::{self, Names};
use super::{argument, result_alias};
use crate::hygiene;
use crate::model::{Answer, Method, Service};

/// Returns the structs of all methods with what they implement.
pub(crate) fn expand(service: &Service<'_>, names: &Names) -> TokenStream {
    let methods = service.methods.iter().map(|method| {
        let span = hygiene::at(method.place());
        let conditions = &method.carried.conditions;
        let marker = names::marker(method);
        let message = message(method, &marker, names);
        let answer = answer(method, names);
        let items = items(method, names);
        let upload = upload(method, names);
        let is_result = result_alias::constant(service, method, names);
        quote_spanned! {span=>
            #is_result
            #(#conditions)*
            struct #marker;
            #message
            #answer
            #items
            #upload
        }
    });
    methods.collect()
}

/// Returns what a method or an event sends.
pub(crate) fn message(
    method: &Method<'_>,
    marker: &proc_macro2::Ident,
    names: &Names,
) -> TokenStream {
    let span = hygiene::at(method.name().span());
    let runtime = &names.runtime;
    let conditions = &method.carried.conditions;
    let number = names.number(method);
    let kinds = method.arguments().map(|argument| argument::kind(argument, names));
    let arguments = method.arguments().map(|argument| {
        let how = argument::how(argument, method.options.event, names);
        let name = argument.wire_name();
        quote_spanned!(how.span()=> #how(#name))
    });
    quote_spanned! {span=>
        #(#conditions)*
        impl #runtime::Message for #marker {
            type Args = (#(#kinds,)*);
            const NUMBER: ::core::primitive::u16 = #number;
            const ARGS: Self::Args = (#(#arguments,)*);
        }
    }
}

/// Returns what a method answers.
fn answer(method: &Method<'_>, names: &Names) -> TokenStream {
    let span = hygiene::at(method.place());
    let runtime = &names.runtime;
    let conditions = &method.carried.conditions;
    let marker = names::marker(method);
    let unit = syn::parse_quote_spanned!(span=> ());
    let or_error = |ok: TokenStream, error: TokenStream, place: Span| {
        let span = hygiene::at(place);
        let runtime = names.runtime_at(span);
        let how = quote_spanned!(span=> #runtime::answer_or_error::<#ok, #error>());
        (ok, error, how)
    };
    let value = |ok: &Type| {
        let how = at(ok, names, |span, runtime| quote_spanned!(span=> #runtime::answer::<#ok>()));
        (ok.to_token_stream(), quote_spanned!(span=> #runtime::NoAppError), how)
    };
    let (ok, error, how) = match &method.answer {
        Answer::Value(ok) => value(ok),
        Answer::Stream { error: None, .. } => value(&unit),
        Answer::Stream { error: Some(error), .. } => {
            or_error(unit.into_token_stream(), error.to_token_stream(), error.span())
        }
        Answer::Result { ok, error } => or_error(ok.clone(), error.clone(), ok.span()),
        Answer::Alias(alias) => {
            let (ok, error) = result_alias::types(method, alias, names);
            let arguments = result_alias::arguments(method, alias);
            let how = at(
                &alias.ty,
                names,
                |span, runtime| quote_spanned!(span=> #runtime::alias::<#arguments>()),
            );
            (ok, error, how)
        }
    };
    let drops =
        method.options.drop_on_disconnect.is_some().then(
            || quote_spanned!(span=> const DROP_ON_DISCONNECT: ::core::primitive::bool = true;),
        );
    quote_spanned! {span=>
        #(#conditions)*
        impl #runtime::Method for #marker {
            type Ok = #ok;
            type Err = #error;
            const ANSWER: #runtime::AnswerOf<Self> = #how;
            #drops
        }
    }
}

/// Returns what a method streams, if it does.
fn items(method: &Method<'_>, names: &Names) -> Option<TokenStream> {
    let Answer::Stream { item, .. } = &method.answer else { return None };
    let span = hygiene::at(method.place());
    let runtime = &names.runtime;
    let conditions = &method.carried.conditions;
    let marker = names::marker(method);
    let (types, how) = match &**item {
        Answer::Value(item) => {
            let how =
                at(item, names, |span, runtime| quote_spanned!(span=> #runtime::items::<#item>()));
            (quote_spanned!(span=> #runtime::ValueItems<#item>), how)
        }
        Answer::Result { ok, error } => {
            let how = at(
                ok,
                names,
                |span, runtime| quote_spanned!(span=> #runtime::items_of_results::<#ok, #error>()),
            );
            (quote_spanned!(span=> #runtime::ResultItems<#ok, #error>), how)
        }
        Answer::Alias(alias) => {
            let arguments = result_alias::arguments(method, alias);
            let how = at(
                &alias.ty,
                names,
                |span, runtime| quote_spanned!(span=> #runtime::items_of_alias::<#arguments>()),
            );
            (quote_spanned!(span=> #runtime::AliasItems<#arguments>), how)
        }
        Answer::Stream { .. } => unreachable!("the checks refuse a stream in a stream"),
    };
    Some(quote_spanned! {span=>
        #(#conditions)*
        impl #runtime::StreamMethod for #marker {
            type Items = #types;
            const ITEMS: Self::Items = #how;
        }
    })
}

/// Returns the items of the stream that a method takes, if it does.
fn upload(method: &Method<'_>, names: &Names) -> Option<TokenStream> {
    let (_, item) = method.stream_argument()?.stream()?;
    let span = hygiene::at(method.place());
    let runtime = &names.runtime;
    let conditions = &method.carried.conditions;
    let marker = names::marker(method);
    Some(quote_spanned! {span=>
        #(#conditions)*
        impl #runtime::UploadMethod for #marker {
            type Item = #item;
        }
    })
}

/// Returns code that points at a type, with the runtime's path there.
fn at(
    ty: &impl Spanned,
    names: &Names,
    code: impl FnOnce(Span, TokenStream) -> TokenStream,
) -> TokenStream {
    let span = hygiene::at(ty.span());
    code(span, names.runtime_at(span))
}
