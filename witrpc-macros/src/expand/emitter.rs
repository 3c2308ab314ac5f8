//! `XEvents`: emits the events of a service.

use proc_macro2::TokenStream;
use quote::quote_spanned;

use super::names::Names;
use super::{argument, lints};
use crate::hygiene;
use crate::model::{self, Method, Service};

/// Returns the functions of `XEvents`, of which `emits` are those that emit.
pub(crate) fn functions(
    service: &Service<'_>,
    names: &Names,
    emits: impl Iterator<Item = TokenStream>,
) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let visibility = &service.item.vis;
    let events = &names.events;
    quote_spanned! {span=>
        impl #events {
            /// Emits to one client alone, by the number that `CallContext::client_id` gives.
            #[must_use]
            #visibility fn to(&self, client_id: ::core::primitive::u64) -> Self {
                Self { emitter: self.emitter.to(client_id) }
            }

            #(#emits)*
        }
    }
}

/// Returns the struct `XEvents`.
pub(crate) fn definition(service: &Service<'_>, names: &Names) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let lints = lints::allowed(service);
    let visibility = &service.item.vis;
    let Names { runtime, events, server, .. } = names;
    let docs = format!(
        " Emits the events of a [`{}`], to every client that has subscribed or, after \
         [`to`](Self::to), to one. [`{server}::with_events`] gives it to the service.\n\n Clones \
         emit the same. They do not keep the server running: once that has ended, emitting reaches no \
         client.",
        service.item.ident,
    );
    quote_spanned! {span=>
        #[doc = #docs]
        #lints
        #[derive(::core::clone::Clone, ::core::fmt::Debug)]
        #visibility struct #events {
            emitter: #runtime::Emitter,
        }
    }
}

/// Returns the function of `XEvents` that emits one event, up to its body.
pub(crate) fn emit_signature(
    service: &Service<'_>,
    event: &Method<'_>,
    names: &Names,
) -> TokenStream {
    let span = hygiene::at(event.place());
    let witrpc = &names.witrpc;
    let visibility = &service.item.vis;
    let name = event.name();
    let conditions = &event.carried.conditions;
    let notes = &event.carried.notes;
    let arguments = event.arguments().map(|argument| {
        let (name, ty) = (argument.ident(), &argument.source.ty);
        quote_spanned!(span=> #name: #ty)
    });
    quote_spanned! {span=>
        #(#conditions)*
        #(#notes)*
        ///
        /// Returns how many clients it is on its way to.
        ///
        /// # Errors
        ///
        /// It could not be encoded, or a client had no room for it in time. Those clients learn
        /// that they have missed one.
        #visibility fn #name(
            &self,
            #(#arguments),*
        ) -> ::core::result::Result<::core::primitive::usize, #witrpc::EmitError>
    }
}

/// Returns the body of that function.
pub(crate) fn emit_body(service: &Service<'_>, event: &Method<'_>) -> TokenStream {
    let span = hygiene::at(event.place());
    let item = model::item(&service.item.ident, event);
    let lent = event.arguments().map(argument::lent);
    quote_spanned!(span=> self.emitter.emit::<#item>((#(#lent,)*)))
}
