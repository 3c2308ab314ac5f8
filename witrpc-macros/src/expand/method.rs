//! The struct that stands for a method, and all that both sides and the contract ask of it.
//!
//! The bounds of the method's types are asked for here, where each function of the runtime that says
//! how a type crosses is named.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned;

use super::names::{self, Names};
use super::{argument, result_alias};
use crate::hygiene;
use crate::model::{Answer, Method};

/// Returns the structs of all methods with what they implement.
pub(crate) fn expand(methods: &[Method<'_>], names: &Names) -> TokenStream {
    let methods = methods.iter().map(|method| {
        let span = hygiene::at(method.place());
        let conditions = &method.carried.conditions;
        let marker = names::marker(method);
        let message = message(method, &marker, names);
        let answer = answer(method, names);
        let items = items(method, names);
        quote_spanned! {span=>
            #(#conditions)*
            struct #marker;
            #message
            #answer
            #items
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
            type Arguments = (#(#kinds,)*);
            const NUMBER: ::core::primitive::u16 = #number;
            const ARGUMENTS: Self::Arguments = (#(#arguments,)*);
        }
    }
}

/// Returns what a method answers.
fn answer(method: &Method<'_>, names: &Names) -> TokenStream {
    let span = hygiene::at(method.place());
    let runtime = &names.runtime;
    let conditions = &method.carried.conditions;
    let marker = names::marker(method);
    let (ok, error) = match &method.answer {
        Answer::Value(ok) => (ok.to_token_stream(), None),
        Answer::Result { ok, error } => (ok.clone(), Some(error.clone())),
        Answer::Alias(alias) => {
            let (ok, error) = result_alias::types(alias, names);
            (ok, Some(error))
        }
        Answer::Stream { error, .. } => {
            (quote_spanned!(span=> ()), error.as_ref().map(ToTokens::to_token_stream))
        }
    };
    let is_alias = matches!(method.answer, Answer::Alias(_));
    let how_ok = at(&ok, names, |span, runtime| match is_alias {
        true => quote_spanned!(span=> #runtime::value::<Self::Ok>("result")),
        false => quote_spanned!(span=> #runtime::value::<#ok>("result")),
    });
    let (error, err) = match error {
        Some(error) => {
            let how = at(&error, names, |span, runtime| match is_alias {
                true => quote_spanned!(span=> #runtime::error::<Self::Err>()),
                false => quote_spanned!(span=> #runtime::error::<#error>()),
            });
            let err = quote_spanned! {span=>
                const ERR: #runtime::Error<Self::Err> = #how;
            };
            (error, Some(err))
        }
        None => (quote_spanned!(span=> #runtime::NoAppError), None),
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
            const OK: #runtime::Value<Self::Ok> = #how_ok;
            #err
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
    let (made, ok, error, how) = match &**item {
        Answer::Value(item) => {
            let how =
                at(item, names, |span, runtime| quote_spanned!(span=> #runtime::items::<#item>()));
            let error = quote_spanned!(span=> #runtime::NoAppError);
            (item.to_token_stream(), item.to_token_stream(), error, how)
        }
        Answer::Result { ok, error } => {
            let how = at(
                ok,
                names,
                |span, runtime| quote_spanned!(span=> #runtime::items_of_results::<#ok, #error>()),
            );
            let made = quote_spanned!(span=> ::core::result::Result<#ok, #error>);
            (made, ok.clone(), error.clone(), how)
        }
        Answer::Alias(alias) => {
            let (ok, error) = result_alias::types(alias, names);
            let arguments = result_alias::arguments(alias, names);
            let how = at(
                &alias.ty,
                names,
                |span, runtime| quote_spanned!(span=> #runtime::items_of_alias::<#arguments>()),
            );
            (alias.ty.clone(), ok, error, how)
        }
        Answer::Stream { .. } => unreachable!("the checks refuse a stream in a stream"),
    };
    Some(quote_spanned! {span=>
        #(#conditions)*
        impl #runtime::StreamMethod for #marker {
            type Made = #made;
            type Item = #ok;
            type ItemErr = #error;
            const ITEMS: #runtime::Items<Self::Made, Self::Item, Self::ItemErr> = #how;
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
