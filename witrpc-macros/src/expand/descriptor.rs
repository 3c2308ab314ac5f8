//! What a service is in words and shapes, and the numbers of its methods.

use proc_macro2::{Ident, TokenStream};
use quote::quote_spanned;

use super::names::{self, Names};
use crate::hygiene;
use crate::model::{self, Answer, Method, Overflow, Service};

/// Generates the descriptor.
pub(crate) fn expand(service: &Service<'_>, names: &Names) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let Names { runtime, descriptor, .. } = names;
    let (name, docs) = (&service.wire_name, &service.docs);
    let methods = service.methods.iter().map(|method| described(method, names));
    let events = service.events.iter().map(|event| described_event(service, event, names));
    quote_spanned! {span=>
        static #descriptor: #runtime::ServiceDescriptor = #runtime::ServiceDescriptor {
            name: #name,
            docs: #docs,
            methods: &[#(#methods),*],
            events: &[#(#events),*],
        };
    }
}

/// Generates the enums that number the methods and the events. A number is a place among those that are there
/// under the conditions in force, and an enum lets the compiler do that count.
pub(crate) fn numbers(service: &Service<'_>, names: &Names) -> TokenStream {
    let methods = numbered(service, &names.methods, &service.methods);
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
    let marker = names::marker(method);
    let of = match &method.answer {
        Answer::Stream { .. } => quote_spanned!(span=> of_stream),
        _ => quote_spanned!(span=> of),
    };
    let asynchronous = method.is_async().then(|| quote_spanned!(span=> .asynchronous()));
    let idempotent =
        method.options.idempotent.is_some().then(|| quote_spanned!(span=> .idempotent()));
    quote_spanned! {span=>
        #(#conditions)*
        #runtime::MethodDescriptor::#of::<#marker>(#name, #docs) #asynchronous #idempotent
    }
}

fn described_event(service: &Service<'_>, event: &Method<'_>, names: &Names) -> TokenStream {
    let span = hygiene::at(event.name().span());
    let runtime = &names.runtime;
    let conditions = &event.carried.conditions;
    let (name, docs) = (&event.wire_name, &event.carried.docs);
    let item = model::item(&service.item.ident, event);
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
        #runtime::EventDescriptor::of::<#item>(#name, #docs, #runtime::Overflow::#overflow)
    }
}
