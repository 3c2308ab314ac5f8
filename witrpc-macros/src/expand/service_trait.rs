//! The trait itself: as written, but for what cannot stand in a trait that others implement.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote_spanned};
use syn::{FnArg, ItemTrait, Pat, PatIdent, ReturnType, Signature, TraitItem, TraitItemFn, Type};

use crate::attributes;
use crate::hygiene;
use crate::model::Service;

/// The trait, without options and with its `async fn`s spelled as functions that return futures.
pub(crate) fn expand(service: &Service<'_>) -> TokenStream {
    let mut item = ItemTrait::clone(service.item);
    attributes::strip_options(&mut item);
    item.items.retain(|item| !is_event(item, service));
    for item in &mut item.items {
        if let TraitItem::Fn(method) = item {
            tolerated(&mut method.sig);
            spell_future(method);
        }
    }
    item.into_token_stream()
}

/// Whether an item is an event, which nobody implements.
fn is_event(item: &TraitItem, service: &Service<'_>) -> bool {
    let TraitItem::Fn(function) = item else { return false };
    let mut events = service.methods.iter().filter(|method| method.options.event);
    events.any(|event| *event.name() == function.sig.ident)
}

/// `async fn f() -> T` as `fn f() -> impl Future<Output = T> + Send`, which an `async fn` may
/// implement.
fn spell_future(method: &mut TraitItemFn) {
    let Some(token) = method.sig.asyncness.take() else { return };
    let span = hygiene::at(token.span);
    let output: Type = match &method.sig.output {
        ReturnType::Default => syn::parse_quote_spanned!(span=> ()),
        ReturnType::Type(_, ty) => Type::clone(ty),
    };
    method.sig.output = syn::parse_quote_spanned! {span=>
        -> impl ::core::future::Future<Output = #output> + ::core::marker::Send
    };
    if let Some(body) = &method.default {
        let future = quote_spanned!(span=> { async move #body });
        method.default = syn::parse2(future).ok();
    }
}

/// Takes out what the checks have reported and the compiler would report once more.
fn tolerated(signature: &mut Signature) {
    signature.constness = None;
    for input in &mut signature.inputs {
        let FnArg::Typed(argument) = input else { continue };
        match &mut *argument.pat {
            Pat::Wild(_) => {}
            Pat::Ident(PatIdent { by_ref, mutability, subpat, .. }) => {
                *by_ref = None;
                *mutability = None;
                *subpat = None;
            }
            pattern => *pattern = syn::parse_quote!(_),
        }
    }
}
