//! How a client subscribes to an event.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::ext::IdentExt;

use super::client_kind::ClientKind;
use super::names::Names;
use super::notes;
use crate::hygiene;
use crate::model::{self, Method, Service};

/// Returns the name of a client's function that takes a closure.
pub(crate) fn on_name(event: &Method<'_>) -> Ident {
    format_ident!("on_{}", event.name().unraw(), span = event.name().span())
}

/// Returns the two functions of a client for one event.
pub(crate) fn functions(
    service: &Service<'_>,
    event: &Method<'_>,
    names: &Names,
    kind: ClientKind,
) -> TokenStream {
    let span = hygiene::at(event.place());
    let runtime = &names.runtime;
    let item = model::item(&service.item.ident, event);
    let subscribe = kind.function("subscribe", span);
    let subscribed = quote_spanned!(span=> #runtime::#subscribe::<#item>(&self.connection));
    let attach = kind.function("attach", span);
    let attached = quote_spanned!(span=> #runtime::#attach::<#item>(&self.connection, react));
    let iterate = kind.body(&kind.awaited(&subscribed, span), span);
    let react = kind.body(&kind.awaited(&attached, span), span);
    let [first, second] = signatures(service, event, names, kind);
    quote_spanned!(span=> #first #iterate #second #react)
}

/// Returns the signatures of the two functions of a client for one event.
pub(crate) fn signatures(
    service: &Service<'_>,
    event: &Method<'_>,
    names: &Names,
    kind: ClientKind,
) -> [TokenStream; 2] {
    let span = hygiene::at(event.place());
    let Names { witrpc, .. } = names;
    let visibility = &service.item.vis;
    let conditions = &event.carried.conditions;
    let notes = notes::of_subscription(event);
    let name = event.name();
    let on_name = on_name(event);
    let item = model::item(&service.item.ident, event);
    let subscription = kind.subscription(span);
    let lifetime = kind.lifetime(span);
    let generics = lifetime.as_ref().map(|lifetime| quote_spanned!(span=> <#lifetime>));
    let bound = lifetime.as_ref().map(|lifetime| quote_spanned!(span=> + #lifetime));
    let fallible = |ok: TokenStream| {
        let result = quote_spanned!(span=> ::core::result::Result<#ok, #witrpc::CallError>);
        kind.returns(&result, span)
    };
    let stream = fallible(quote_spanned!(span=> #witrpc::#subscription<#item>));
    let guard = fallible(quote_spanned!(span=> #witrpc::EventGuard));
    let line = format!(
        " Has `react` called for each event that [`{}`](Self::{}) would give, until the guard is \
         dropped. All such closures of a connection run on one thread, one after the other.",
        name, name
    );
    [
        quote_spanned! {span=>
            #(#conditions)*
            #notes
            #visibility fn #name #generics(& #lifetime self) -> #stream #bound
        },
        quote_spanned! {span=>
            #(#conditions)*
            #[doc = #line]
            #visibility fn #on_name #generics(
                & #lifetime self,
                react: impl ::core::ops::FnMut(
                    ::core::result::Result<#item, #witrpc::EventError>,
                ) + ::core::marker::Send + 'static,
            ) -> #guard #bound
        },
    ]
}
