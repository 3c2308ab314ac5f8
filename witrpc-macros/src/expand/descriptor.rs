//! What a service is in words and shapes, and the numbers of its methods.

use proc_macro2::TokenStream;
use quote::quote_spanned;

use super::bounds;
use super::names::{self, Names};
use crate::hygiene;
use crate::model::{Answer, Form, Method, Parameter, Service};

/// The descriptor.
pub(crate) fn expand(service: &Service<'_>, names: &Names) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let Names { runtime, descriptor, .. } = names;
    let (name, docs) = (&service.wire_name, &service.docs);
    let methods = service.methods.iter().map(|method| described(method, names));
    quote_spanned! {span=>
        #[allow(non_upper_case_globals, deprecated)]
        static #descriptor: #runtime::ServiceDescriptor = #runtime::ServiceDescriptor {
            name: #name,
            docs: #docs,
            methods: &[#(#methods),*],
        };
    }
}

/// The enum that numbers the methods. A number is a place among the methods that are there under
/// the conditions in force, and an enum lets the compiler do that count.
pub(crate) fn numbers(service: &Service<'_>, names: &Names) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let numbers = &names.numbers;
    let variants = service.methods.iter().map(|method| {
        let (conditions, name) = (&method.carried.conditions, names::variant(method));
        quote_spanned!(span=> #(#conditions)* #name)
    });
    quote_spanned! {span=>
        #[allow(dead_code, non_camel_case_types)]
        enum #numbers {
            #(#variants),*
        }
    }
}

fn described(method: &Method<'_>, names: &Names) -> TokenStream {
    let span = hygiene::at(method.name().span());
    let runtime = &names.runtime;
    let conditions = &method.carried.conditions;
    let (name, docs) = (&method.wire_name, &method.carried.docs);
    let (is_async, idempotent) = (method.is_async(), method.options.idempotent);
    let arguments = method.arguments().map(|argument| described_argument(argument, names));
    let trace = |check: TokenStream, ty: &dyn quote::ToTokens| quote_spanned!(span=> { #check #runtime::trace::<#ty> });
    let (result, error) = match &method.answer {
        Answer::Value(ok) => {
            let none = quote_spanned!(span=> ::core::option::Option::None);
            (trace(bounds::travels(ok, names), ok), none)
        }
        Answer::Result { ok, error, .. } => {
            let error = trace(bounds::wire(error, names), error);
            let some = quote_spanned!(span=> ::core::option::Option::Some(#error));
            (trace(bounds::travels(ok, names), ok), some)
        }
    };
    quote_spanned! {span=>
        #(#conditions)*
        #runtime::MethodDescriptor {
            name: #name,
            docs: #docs,
            is_async: #is_async,
            idempotent: #idempotent,
            arguments: &[#(#arguments),*],
            result: #result,
            error: #error,
        }
    }
}

fn described_argument(argument: &Parameter<'_>, names: &Names) -> TokenStream {
    let span = hygiene::at(argument.ident().span());
    let runtime = &names.runtime;
    let name = argument.wire_name();
    let check = bounds::of_form(argument.form, names);
    let (kind, trace) = match argument.form {
        Form::Value(ty) | Form::Shared(ty) => {
            (quote_spanned!(span=> Value), quote_spanned!(span=> trace::<#ty>))
        }
        Form::Raw(ty) => (quote_spanned!(span=> Raw), quote_spanned!(span=> trace_raw::<#ty>)),
        Form::Str => (quote_spanned!(span=> Str), quote_spanned!(span=> trace_str)),
        Form::Path => (quote_spanned!(span=> Path), quote_spanned!(span=> trace_path)),
        Form::Context => return TokenStream::new(),
    };
    quote_spanned! {span=>
        #runtime::ArgumentDescriptor {
            name: #name,
            kind: #runtime::ArgumentKind::#kind,
            shape: { #check #runtime::#trace },
        }
    }
}
