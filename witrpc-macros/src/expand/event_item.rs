//! What an event is to its subscribers: a struct `XEvent`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote_spanned};
use syn::Type;

use super::names::Names;
use super::{argument, lints, method, notes};
use crate::model::{self, Form, Method, Parameter, Service, bare, ends_in};
use crate::{attributes, hygiene};

/// Returns the struct: the arguments, owned.
pub(crate) fn definition(service: &Service<'_>, event: &Method<'_>, names: &Names) -> TokenStream {
    let span = hygiene::at(event.name().span());
    let lints = lints::allowed(service);
    let visibility = &service.item.vis;
    let conditions = &event.carried.conditions;
    let notes = notes::of_event(service, event);
    let item = model::item(&service.item.ident, event);
    let fields = event.arguments().map(|argument| {
        let name = argument.ident();
        let docs = docs(argument);
        let ty = owned(argument, names);
        quote_spanned!(span=> #docs #visibility #name: #ty)
    });
    quote_spanned! {span=>
        #(#conditions)*
        #notes
        #lints
        #visibility struct #item {
            #(#fields),*
        }
    }
}

/// Returns the documentation of a field: the user's of the argument, or a line in its place.
fn docs(argument: &Parameter<'_>) -> TokenStream {
    let span = hygiene::at(argument.ident().span());
    let docs = argument.source.attrs.iter().filter(|attribute| attributes::is_docs(attribute));
    let docs: TokenStream = docs.map(ToTokens::to_token_stream).collect();
    if !docs.is_empty() {
        return docs;
    }
    let line = format!(" What it was emitted with as `{}`.", argument.wire_name());
    quote_spanned!(span=> #[doc = #line])
}

/// Returns how it is shown. It has no derived traits, which would ask for them of all arguments.
pub(crate) fn debug(service: &Service<'_>, event: &Method<'_>, names: &Names) -> TokenStream {
    let span = hygiene::at(event.name().span());
    let runtime = &names.runtime;
    let conditions = &event.carried.conditions;
    let item = model::item(&service.item.ident, event);
    let title = item.to_string();
    let fields = event.arguments().map(|argument| {
        let (name, ty, label) = (argument.ident(), owned(argument, names), argument.wire_name());
        quote_spanned!(span=> .field(#label, #runtime::DebugProbe::<#ty>::new(&self.#name).shown()))
    });
    quote_spanned! {span=>
        #(#conditions)*
        #[allow(deprecated)]
        impl ::core::fmt::Debug for #item {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                #[allow(unused_imports)]
                use #runtime::NotDebug as _;
                f.debug_struct(#title) #(#fields)* .finish()
            }
        }
    }
}

/// Returns how it crosses.
pub(crate) fn implementation(
    service: &Service<'_>,
    event: &Method<'_>,
    names: &Names,
) -> TokenStream {
    let span = hygiene::at(event.name().span());
    let runtime = &names.runtime;
    let conditions = &event.carried.conditions;
    let item = model::item(&service.item.ident, event);
    let message = method::message(event, &item, names);
    let taken = event.arguments().map(argument::taken);
    let fields = event.arguments().map(|argument| field(argument, names));
    quote_spanned! {span=>
        #message
        #(#conditions)*
        impl #runtime::EventItem for #item {
            fn of((#(#taken,)*): #runtime::TakenBy<'_, Self>) -> Self {
                Self { #(#fields),* }
            }
        }
    }
}

/// Returns the type of a field: what the argument's value is when it is not lent.
fn owned(argument: &Parameter<'_>, names: &Names) -> TokenStream {
    let span = hygiene::at(argument.ident().span());
    let runtime = &names.runtime;
    match argument.form {
        Form::Shared(ty) if is_named_path(ty) => quote_spanned!(span=> #runtime::Owned<#ty>),
        Form::Value(ty) | Form::Shared(ty) => quote_spanned!(span=> #ty),
        Form::Optional(ty) => {
            quote_spanned!(span=> ::core::option::Option<#runtime::Owned<#ty>>)
        }
        Form::Str => quote_spanned!(span=> ::std::string::String),
        Form::Raw(ty) => quote_spanned!(span=> ::std::vec::Vec<#ty>),
        Form::Context | Form::Stream(..) => unreachable!("the checks refuse these in an event"),
    }
}

/// Returns one field, of the argument that has come.
fn field(argument: &Parameter<'_>, names: &Names) -> TokenStream {
    let name = argument.ident();
    let span = hygiene::at(name.span());
    let runtime = &names.runtime;
    match argument.form {
        Form::Shared(ty) if is_named_path(ty) => {
            quote_spanned!(span=> #name: <#ty as #runtime::LentType>::own(#name))
        }
        Form::Value(_) | Form::Shared(_) | Form::Optional(_) => quote_spanned!(span=> #name),
        _ => quote_spanned!(span=> #name: #name.into_owned()),
    }
}

/// Returns whether a type is named as `Path` is, which is only ever lent. The compiler finds what it is.
fn is_named_path(ty: &Type) -> bool {
    matches!(bare(ty), Type::Path(path) if ends_in(path, "Path"))
}
