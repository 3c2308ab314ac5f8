//! The trait itself: as written, but for what cannot stand in a trait that others implement.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned;
use syn::visit_mut::VisitMut;
use syn::{
    FnArg, ItemTrait, Pat, PatIdent, ReturnType, Signature, TraitItem, TraitItemFn, Type,
    TypeImplTrait, TypeParamBound,
};

use crate::model::{Flow, Service, bare, stream_in};
use crate::{attributes, hygiene};

/// Generates the trait, without options and events, with its `async fn`s spelled as functions that return
/// futures, and its streams as ones that may change threads.
pub(crate) fn expand(service: &Service<'_>) -> TokenStream {
    let mut item = expanded(service, service.written);
    if !service.is_no_service {
        link_events(&mut item, service);
    }
    item.into_token_stream()
}

/// Returns the trait, or its instance that is served, as it comes out.
pub(crate) fn expanded(service: &Service<'_>, item: &ItemTrait) -> ItemTrait {
    let mut item = ItemTrait::clone(item);
    // Before anything else is changed: an event is recognised by where it stands.
    let mut kept = service.item.items.iter().map(|item| !is_event(item, service));
    item.items.retain(|_| kept.next().unwrap_or(true));
    let local: Vec<bool> = item.items.iter().map(is_local).collect();
    attributes::strip_options(&mut item);
    if service.is_no_service {
        return item;
    }
    for (item, is_local) in item.items.iter_mut().zip(local) {
        if let TraitItem::Fn(method) = item
            && !is_local
        {
            tolerated(&mut method.sig, method.default.is_some());
            share_service(method);
            SendStreams.visit_signature_mut(&mut method.sig);
            spell_future(method);
        }
    }
    item
}

/// Returns whether an item is no part of the service.
fn is_local(item: &TraitItem) -> bool {
    matches!(item, TraitItem::Fn(method) if attributes::are_local(&method.attrs))
}

/// Says in the docs of a trait where its events have gone.
fn link_events(item: &mut ItemTrait, service: &Service<'_>) {
    if !service.has_events() || !item.attrs.iter().any(attributes::is_docs) {
        return;
    }
    let events = &service.generated.events;
    let span = hygiene::at(item.ident.span());
    let docs = format!("\n\nIts events are emitted by [`{events}`].");
    item.attrs.push(syn::parse_quote_spanned!(span=> #[doc = #docs]));
}

/// Returns whether an item is an event, which the service does not implement.
fn is_event(item: &TraitItem, service: &Service<'_>) -> bool {
    let TraitItem::Fn(function) = item else { return false };
    let left_out = service.left_out.iter().filter(|method| method.options.event);
    service.events.iter().chain(left_out).any(|event| std::ptr::eq(event.source, function))
}

/// Adds `+ Send` to each `impl Iterator`, `impl Stream` and `impl Future`, which cross threads.
struct SendStreams;

impl VisitMut for SendStreams {
    fn visit_type_impl_trait_mut(&mut self, opaque: &mut TypeImplTrait) {
        let crosses =
            |bound: &&TypeParamBound| Flow::named(bound).is_some() || names(bound, "Future");
        if let Some(crossing) = opaque.bounds.iter().find(crosses)
            && !opaque.bounds.iter().any(|bound| names(bound, "Send"))
        {
            let span = hygiene::at(crossing.span());
            opaque.bounds.push(syn::parse_quote_spanned!(span=> ::core::marker::Send));
        }
    }
}

/// Returns whether a bound is a trait of this name.
fn names(bound: &TypeParamBound, name: &str) -> bool {
    let TypeParamBound::Trait(bound) = bound else { return false };
    bound.path.segments.last().is_some_and(|last| last.ident == name)
}

/// Returns whether a method returns a future that is spelled out.
fn returns_future(method: &TraitItemFn) -> bool {
    let ReturnType::Type(_, ty) = &method.sig.output else { return false };
    matches!(bare(ty), Type::ImplTrait(of) if of.bounds.iter().any(|bound| names(bound, "Future")))
}

/// Spells `async fn f() -> T` as `fn f() -> impl Future<Output = T> + Send`, which an `async fn` may
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

/// Says of the service, where a default body keeps it in a future or a stream, that threads may share
/// it. Every handler is of that kind.
fn share_service(method: &mut TraitItemFn) {
    let streams = matches!(&method.sig.output, ReturnType::Type(_, ty) if stream_in(ty).is_some());
    let is_future = method.sig.asyncness.is_some() || returns_future(method);
    if method.default.is_some() && (is_future || streams) {
        let span = hygiene::at(method.sig.ident.span());
        let clause = method.sig.generics.make_where_clause();
        clause.predicates.push(syn::parse_quote_spanned!(span=> Self: ::core::marker::Sync));
        method.attrs.push(syn::parse_quote_spanned!(span=> #[allow(clippy::manual_async_fn)]));
    }
}

/// Takes out what the compiler would report: what the checks have reported before, and docs of arguments.
fn tolerated(signature: &mut Signature, has_body: bool) {
    signature.constness = None;
    for input in &mut signature.inputs {
        let FnArg::Typed(argument) = input else { continue };
        // What is said of an argument is for the generated code: the compiler takes none here.
        argument.attrs.retain(|attribute| !attributes::is_docs(attribute));
        match &mut *argument.pat {
            Pat::Wild(_) => {}
            Pat::Ident(PatIdent { by_ref, mutability, subpat, .. }) => {
                *by_ref = None;
                if !has_body {
                    *mutability = None;
                }
                *subpat = None;
            }
            pattern => *pattern = syn::parse_quote!(_),
        }
    }
}
