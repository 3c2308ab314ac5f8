//! What a service is in words and shapes, and the numbers of its methods.

use proc_macro2::{Ident, TokenStream};
use quote::quote_spanned;
use syn::spanned::Spanned;

use super::bounds;
use super::names::{self, Names};
use crate::hygiene;
use crate::model::{Answer, Flow, Form, Method, Overflow, Parameter, Projection, Service};

/// The descriptor.
pub(crate) fn expand(service: &Service<'_>, names: &Names) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let Names { runtime, descriptor, .. } = names;
    let (name, docs) = (&service.wire_name, &service.docs);
    let methods = service.methods.iter().map(|method| described(method, names));
    let events = service.events.iter().map(|event| described_event(event, names));
    quote_spanned! {span=>
        #[allow(non_upper_case_globals, deprecated)]
        static #descriptor: #runtime::ServiceDescriptor = #runtime::ServiceDescriptor {
            name: #name,
            docs: #docs,
            methods: &[#(#methods),*],
            events: &[#(#events),*],
        };
    }
}

/// The enums that number the methods and the events. A number is a place among those that are there
/// under the conditions in force, and an enum lets the compiler do that count.
pub(crate) fn numbers(service: &Service<'_>, names: &Names) -> TokenStream {
    let methods = numbered(service, &names.numbers, &service.methods);
    let events =
        service.has_events().then(|| numbered(service, &names.event_numbers, &service.events));
    [Some(methods), events].into_iter().flatten().collect()
}

fn numbered(service: &Service<'_>, numbers: &Ident, numbered: &[Method<'_>]) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let variants = numbered.iter().map(|method| {
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
    let (is_async, idempotent) = (method.is_async(), method.options.idempotent.is_some());
    let arguments = method.arguments().map(|argument| described_argument(argument, names));
    let trace = |check: TokenStream, ty: &dyn quote::ToTokens| quote_spanned!(span=> { #check #runtime::trace::<#ty> });
    let (result, error) = match &method.answer {
        Answer::Value(ok) => (trace(bounds::travels(ok, names), ok), None),
        Answer::Result { ok, error, .. } => {
            let error = trace(bounds::wire(error, names), error);
            (trace(bounds::travels(ok, names), ok), Some(error))
        }
        Answer::Stream { item, error, .. } => {
            let error = error.as_ref().map(|error| trace(bounds::wire(error, names), error));
            (traced_item(item, names), error)
        }
    };
    let error = match error {
        Some(error) => quote_spanned!(span=> ::core::option::Option::Some(#error)),
        None => quote_spanned!(span=> ::core::option::Option::None),
    };
    let streams = matches!(method.answer, Answer::Stream { .. });
    quote_spanned! {span=>
        #(#conditions)*
        #runtime::MethodDescriptor {
            name: #name,
            docs: #docs,
            is_async: #is_async,
            idempotent: #idempotent,
            arguments: &[#(#arguments),*],
            streams: #streams,
            result: #result,
            error: #error,
        }
    }
}

/// What reports the shape of an item of a stream.
fn traced_item(item: &Answer, names: &Names) -> TokenStream {
    let check = bounds::of_item(item, names);
    let runtime = &names.runtime;
    match item {
        Answer::Value(item) => {
            quote_spanned!(hygiene::at(item.span())=> { #check #runtime::trace::<#item> })
        }
        Answer::Result { projected: Some(Projection { through, .. }), .. } => {
            quote_spanned!(hygiene::at(through.span())=> { #check #through::trace })
        }
        Answer::Result { ok, error, .. } => {
            let span = hygiene::at(ok.span());
            quote_spanned!(span=> { #check #runtime::trace_result::<#ok, #error> })
        }
        Answer::Stream { .. } => unreachable!("the checks refuse a stream in a stream"),
    }
}

fn described_event(event: &Method<'_>, names: &Names) -> TokenStream {
    let span = hygiene::at(event.name().span());
    let runtime = &names.runtime;
    let conditions = &event.carried.conditions;
    let (name, docs) = (&event.wire_name, &event.carried.docs);
    let arguments = event.arguments().map(|argument| described_argument(argument, names));
    let overflow = match event.overflow() {
        Overflow::DropOldest => quote_spanned!(span=> DropOldest),
        Overflow::DropNewest => quote_spanned!(span=> DropNewest),
        Overflow::Wait(time) => {
            let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
            quote_spanned!(span=> Wait(::core::time::Duration::from_micros(#micros)))
        }
    };
    quote_spanned! {span=>
        #(#conditions)*
        #runtime::EventDescriptor {
            name: #name,
            docs: #docs,
            arguments: &[#(#arguments),*],
            overflow: #runtime::Overflow::#overflow,
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
        Form::Stream(Flow::Iterator, ty) => {
            (quote_spanned!(span=> Iterator), quote_spanned!(span=> trace::<#ty>))
        }
        Form::Stream(Flow::Stream, ty) => {
            (quote_spanned!(span=> Stream), quote_spanned!(span=> trace::<#ty>))
        }
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
