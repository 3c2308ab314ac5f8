//! `Result`s under another name: how generated code finds their types, and whether a return type is
//! one, which a macro cannot see behind an alias.
//!
//! An inherent constant hides a trait's of the same name. So where `ResultProbe<T>` has one for every
//! `Result`, and a trait has one for every type, the compiler picks by what the return type is.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned;

use super::names::Names;
use crate::hygiene;
use crate::model::{Alias, Answer, Method, Service};
use crate::wording;

/// Returns the value's and the error's type of an alias. All tokens point at one of the alias, so
/// that what the types lack is reported once.
pub(crate) fn types(alias: &Alias, names: &Names) -> (TokenStream, TokenStream) {
    let through = through(alias, names);
    let span = alias.span();
    (quote_spanned!(span=> #through::Ok), quote_spanned!(span=> #through::Err))
}

/// Returns the alias as the trait that its two types belong to.
fn through(alias: &Alias, names: &Names) -> TokenStream {
    let (ty, span) = (&alias.ty, alias.span());
    let runtime = names.runtime_at(span);
    let is_result = is_result(ty, &runtime, span);
    quote_spanned!(span=> <#ty as #runtime::ResultType<#is_result>>)
}

/// Returns the function that makes the `Result` of what the alias stands for.
pub(crate) fn into_result(alias: &Alias, names: &Names) -> TokenStream {
    let span = alias.span();
    let runtime = names.runtime_at(span);
    let is_result = is_result(&alias.ty, &runtime, span);
    quote_spanned!(span=> #runtime::ResultType::<#is_result>::into_result)
}

/// Returns the alias and whether it is a `Result`, as generic arguments.
pub(crate) fn arguments(alias: &Alias, names: &Names) -> TokenStream {
    let (ty, span) = (&alias.ty, alias.span());
    let is_result = is_result(ty, &names.runtime_at(span), span);
    quote_spanned!(span=> #ty, #is_result)
}

/// Returns whether a type is a `Result`, as a constant that the compiler finds.
fn is_result(ty: &impl ToTokens, runtime: &TokenStream, span: Span) -> TokenStream {
    quote_spanned!(span=> { #runtime::is_result!(#ty) })
}

/// Returns an assertion for each method whose return type, or whose items, do not spell what they
/// are.
pub(crate) fn assertions(service: &Service<'_>, names: &Names) -> TokenStream {
    let assertions = service.methods.iter().filter_map(|method| {
        let (ty, taken_for_result) = match value(method) {
            Answer::Value(ty) => (ty.to_token_stream(), false),
            Answer::Alias(alias) => (alias.ty.clone(), true),
            Answer::Result { .. } | Answer::Stream { .. } => return None,
        };
        let span = hygiene::at(ty.span());
        let is_result = is_result(&ty, &names.runtime_at(span), span);
        let message = message(service, method, taken_for_result);
        let conditions = &method.carried.conditions;
        Some(quote_spanned! {span=>
            #(#conditions)*
            const _: () = ::core::assert!(#is_result == #taken_for_result, #message);
        })
    });
    assertions.collect()
}

/// What a method answers, or the items of its stream.
fn value<'a>(method: &'a Method<'_>) -> &'a Answer {
    match &method.answer {
        Answer::Stream { item, .. } => item,
        answer => answer,
    }
}

fn message(service: &Service<'_>, method: &Method<'_>, taken_for_result: bool) -> String {
    let (service, name) = (&service.item.ident, method.name());
    let streams = matches!(method.answer, Answer::Stream { .. });
    match (taken_for_result, streams) {
        (false, false) => wording::hidden_result(service, name),
        (false, true) => wording::hidden_result_of_items(service, name),
        (true, false) => wording::no_result(service, name, method.options.result.is_some()),
        (true, true) => wording::no_result_of_items(service, name, method.options.result.is_some()),
    }
}
