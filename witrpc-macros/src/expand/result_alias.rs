//! Finds a `Result` that hides behind an alias, which a macro cannot see.
//!
//! An inherent constant hides a trait's of the same name. So where `Probe<T>` has one for every
//! `Result`, and a trait has one for every type, the compiler picks by what the return type is.

use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::spanned::Spanned;

use super::names::Names;
use crate::hygiene;
use crate::model::{Answer, Service};
use crate::wording;

/// An assertion for each method whose return type does not look like a `Result`.
pub(crate) fn expand(service: &Service<'_>, names: &Names) -> TokenStream {
    let assertions = service.methods.iter().filter_map(|method| {
        let (service, name) = (&service.item.ident, method.name());
        let (ty, message) = match &method.answer {
            Answer::Value(ty) => (ty, wording::hidden_result(service, name)),
            Answer::Stream { item, .. } => match &**item {
                Answer::Value(ty) => (ty, wording::hidden_result_of_items(service, name)),
                _ => return None,
            },
            Answer::Result { .. } => return None,
        };
        let conditions = &method.carried.conditions;
        let span = hygiene::at(ty.span());
        let runtime = hygiene::relocated(names.runtime.clone(), span);
        Some(quote_spanned! {span=>
            #(#conditions)*
            const _: () = {
                #[allow(unused_imports)]
                use #runtime::NotResult as _;
                ::core::assert!(!#runtime::ResultProbe::<#ty>::IS_RESULT, #message);
            };
        })
    });
    assertions.collect()
}
