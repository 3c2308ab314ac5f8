//! `Result`s under another name: how generated code finds their types, and whether a return type is
//! one, which a macro cannot see behind an alias.
//!
//! An inherent constant hides a trait's of the same name. So where `Probe<T>` has one for every
//! `Result`, and a trait has one for every type, the compiler picks by what the return type is.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned;

use super::names::{self, Names};
use crate::hygiene;
use crate::model::{Alias, Answer, Method, Service, may_be_alias};
use crate::wording;

/// Returns the value's and the error's type of an alias. All tokens point at one of the alias, so
/// that what the types lack is reported once.
pub(crate) fn types(
    method: &Method<'_>,
    alias: &Alias,
    names: &Names,
) -> (TokenStream, TokenStream) {
    let (ty, span) = (&alias.ty, alias.span());
    let (runtime, is_result) = (names.runtime_at(span), names::is_result(method, span));
    let through = quote_spanned!(span=> <#ty as #runtime::ResultType<#is_result>>);
    (quote_spanned!(span=> #through::Ok), quote_spanned!(span=> #through::Err))
}

/// Returns the `Result` that `returned`, of the alias' type, is or stands for.
pub(crate) fn result(
    method: &Method<'_>,
    alias: &Alias,
    returned: &TokenStream,
    names: &Names,
) -> TokenStream {
    let span = alias.span();
    let (runtime, is_result) = (names.runtime_at(span), names::is_result(method, span));
    quote_spanned!(span=> #runtime::result::<#is_result, _>(#returned))
}

/// Returns the alias and whether it is a `Result`, as generic arguments.
pub(crate) fn arguments(method: &Method<'_>, alias: &Alias) -> TokenStream {
    let (ty, span) = (&alias.ty, alias.span());
    let is_result = names::is_result(method, span);
    quote_spanned!(span=> #ty, #is_result)
}

/// Returns the import of the trait by which a type is told not to be a `Result`, if one is asked about.
pub(crate) fn import(service: &Service<'_>, names: &Names) -> Option<TokenStream> {
    let span = hygiene::at(service.item.ident.span());
    let runtime = &names.runtime;
    service.methods.iter().any(|method| asked(method).is_some()).then(|| {
        quote_spanned! {span=>
            #[allow(unused_imports)]
            use #runtime::NotResult as _;
        }
    })
}

/// Returns the type that the compiler is asked about, if there is one: a method's, or its items'.
fn asked(method: &Method<'_>) -> Option<TokenStream> {
    match value(method) {
        Answer::Value(ty) => may_be_alias(ty).then(|| ty.to_token_stream()),
        Answer::Alias(alias) => Some(alias.ty.clone()),
        Answer::Result { .. } | Answer::Stream { .. } => None,
    }
}

/// Returns the constant that says whether the type of a method, or of its items, is a `Result`, and
/// what is asserted of that.
pub(crate) fn constant(service: &Service<'_>, method: &Method<'_>, names: &Names) -> TokenStream {
    let Some(ty) = asked(method) else { return TokenStream::new() };
    let span = hygiene::at(ty.span());
    let (runtime, is_result) = (names.runtime_at(span), names::is_result(method, span));
    let conditions = &method.carried.conditions;
    // The items of a stream are encoded as they are.
    let kind = match method.answer {
        Answer::Alias(_) => quote_spanned!(span=> #runtime::result_kind!(#ty)),
        _ => quote_spanned!(span=> #runtime::Probe::<#ty>::IS_RESULT),
    };
    let assertion = message(service, method).map(|message| {
        let asserted = match value(method) {
            Answer::Value(_) => quote_spanned!(span=> #is_result == 0),
            _ => quote_spanned!(span=> #is_result != 0),
        };
        quote_spanned! {span=>
            #(#conditions)*
            const _: () = ::core::assert!(#asserted, #message);
        }
    });
    quote_spanned! {span=>
        #(#conditions)*
        const #is_result: #runtime::u8 = #kind;
        #assertion
    }
}

/// Returns whether the types in a method's signature are the compiler's to find.
pub(crate) fn is_needed(method: &Method<'_>) -> bool {
    matches!(value(method), Answer::Alias(_))
}

/// Returns what a method answers, or the items of its stream.
fn value<'a>(method: &'a Method<'_>) -> &'a Answer {
    match &method.answer {
        Answer::Stream { item, .. } => item,
        answer => answer,
    }
}

/// Returns what is said if the type is not what it was taken for. One that is not marked may be either.
fn message(service: &Service<'_>, method: &Method<'_>) -> Option<String> {
    let (service, name) = (&service.item.ident, method.name());
    let streams = matches!(method.answer, Answer::Stream { .. });
    match value(method) {
        Answer::Value(_) if streams => Some(wording::hidden_result_of_items(service, name)),
        Answer::Value(_) => Some(wording::hidden_result(service, name)),
        _ if method.options.result.is_none() => None,
        _ if streams => Some(wording::no_result_of_items(service, name)),
        _ => Some(wording::no_result(service, name)),
    }
}
