//! Finds out whether a return type is a `Result`, which a macro cannot see behind an alias.
//!
//! An inherent constant hides a trait's of the same name. So where `ResultProbe<T>` has one for every
//! `Result`, and a trait has one for every type, the compiler picks by what the return type is.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned;

use super::names::Names;
use crate::hygiene;
use crate::model::{Answer, Method, Projection, Service, is_result};
use crate::wording;

/// An assertion for each method whose return type, or whose items, do not spell what they are.
pub(crate) fn expand(service: &Service<'_>, names: &Names) -> TokenStream {
    let assertions = service.methods.iter().filter_map(|method| {
        let (ty, taken_for_result) = match value(method) {
            Answer::Value(ty) => (ty.to_token_stream(), false),
            Answer::Result { projected: Some(Projection { ty, .. }), .. } => (ty.clone(), true),
            Answer::Result { .. } | Answer::Stream { .. } => return None,
        };
        let span = hygiene::at(ty.span());
        let runtime = hygiene::relocated(names.runtime.clone(), span);
        let is_result = is_result(&ty, &runtime, span);
        let message = message(service, method, taken_for_result);
        let conditions = &method.carried.conditions;
        Some(quote_spanned! {span=>
            #(#conditions)*
            const _: () = {
                const IS_RESULT: ::core::primitive::bool = #is_result;
                ::core::assert!(IS_RESULT == #taken_for_result, #message);
            };
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
