//! Asks for the bounds of a method's types, at the types, in every body that uses them.
//!
//! The compiler drops an error that says the same of the same place as an earlier one. Asked for
//! first and always in the same words, a missing bound is therefore reported once, and what the
//! calls into the runtime would add is not.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned;

use super::names::Names;
use crate::hygiene;
use crate::model::{Answer, Form, Method};

/// Statements for all that crosses in a method.
pub(crate) fn checks(method: &Method<'_>, names: &Names) -> TokenStream {
    let arguments = method.arguments().map(|argument| of_form(argument.form, names));
    arguments.chain([of_answer(&method.answer, names)]).collect()
}

fn of_answer(answer: &Answer, names: &Names) -> TokenStream {
    match answer {
        Answer::Value(ok) => travels(ok, names),
        Answer::Result { ok, error, .. } => {
            let checks = [travels(ok, names), wire(error, names)];
            checks.into_iter().collect()
        }
        Answer::Stream { item, error, .. } => {
            let error = error.as_ref().map(|error| wire(error, names));
            [of_item(item, names)].into_iter().chain(error).collect()
        }
    }
}

/// The check of one item: nothing is lent with it.
pub(crate) fn of_item(item: &Answer, names: &Names) -> TokenStream {
    match item {
        Answer::Value(ok) => wire(ok, names),
        Answer::Result { ok, error, .. } => {
            [wire(ok, names), wire(error, names)].into_iter().collect()
        }
        Answer::Stream { .. } => unreachable!("the items of a stream are no streams"),
    }
}

/// The check of one argument.
pub(crate) fn of_form(form: Form<'_>, names: &Names) -> TokenStream {
    match form {
        Form::Value(ty) => travels(ty, names),
        Form::Shared(ty) => {
            let span = hygiene::at(ty.span());
            let runtime = hygiene::relocated(names.runtime.clone(), span);
            let travels = travels(ty, names);
            quote_spanned!(span=> #travels #runtime::assert_lent::<#ty>();)
        }
        Form::Stream(_, ty) => wire(ty, names),
        Form::Raw(ty) => {
            let span = hygiene::at(ty.span());
            let runtime = hygiene::relocated(names.runtime.clone(), span);
            quote_spanned!(span=> #runtime::assert_raw::<#ty>();)
        }
        Form::Context | Form::Str | Form::Path => TokenStream::new(),
    }
}

/// The check of the type of a value: an argument, a result or its `Ok`.
pub(crate) fn travels(ty: &(impl ToTokens + Spanned), names: &Names) -> TokenStream {
    let span = hygiene::at(ty.span());
    let runtime = hygiene::relocated(names.runtime.clone(), span);
    quote_spanned!(span=> #runtime::assert_travels::<#ty>();)
}

/// The check of a type that serde carries.
pub(crate) fn wire(ty: &(impl ToTokens + Spanned), names: &Names) -> TokenStream {
    let span = hygiene::at(ty.span());
    let runtime = hygiene::relocated(names.runtime.clone(), span);
    quote_spanned!(span=> #runtime::assert_wire::<#ty>();)
}
