//! Finds everything in a trait that cannot be a service, and says so at the token at fault.

mod method;
mod names;
mod supertraits;
mod types;

use std::collections::{HashMap, HashSet};

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Attribute, FnArg, ItemTrait, TraitItem};

use crate::model::{Method, Service};
use crate::report::Report;
use crate::{attributes, wording};

/// Reports what is wrong with the trait and its methods.
pub(crate) fn service(service: &mut Service<'_>, report: &mut Report) {
    let item = service.item;
    if let Some(at) = async_trait(item) {
        service.is_no_service = true;
        return report.mistake(at, wording::ASYNC_TRAIT);
    }
    if !item.generics.params.is_empty() {
        service.is_no_service = true;
        return report.mistake(&item.generics.params, wording::generic_trait(item));
    }
    if let Some(token) = item.unsafety {
        report.mistake(token, wording::UNSAFE_TRAIT);
    }
    if let Some(token) = item.modifiers.auto_token {
        report.mistake(token, wording::AUTO_TRAIT);
    }
    no_options(&item.attrs, wording::TRAIT_OPTIONS, report);
    for item in &item.items {
        other_item(item, report);
    }
    receivers(service, report);
    for method in &mut service.methods {
        let before = report.len();
        method::method(method, report);
        report.under(&method.carried.conditions, before);
    }
    for event in &mut service.events {
        let before = report.len();
        method::event(event, report);
        report.under(&event.carried.conditions, before);
    }
    wire_names(&mut service.methods, report);
    wire_names(&mut service.events, report);
    clashes(service, report);
    supertraits::extends(service, report);
    supertraits::forward(service, report);
    names::generated(service, report);
}

/// Returns where to say that `#[async_trait]` is on the trait. Above ours it has been at work, and has
/// given the methods a lifetime that is called like it.
fn async_trait(item: &ItemTrait) -> Option<TokenStream> {
    let is_it = |attribute: &&Attribute| {
        attribute.path().segments.last().is_some_and(|last| last.ident == "async_trait")
    };
    if let Some(attribute) = item.attrs.iter().find(is_it) {
        return Some(attribute.to_token_stream());
    }
    let at_work = item.items.iter().any(|item| match item {
        TraitItem::Fn(method) => {
            method.sig.generics.lifetimes().any(|one| one.lifetime.ident == "async_trait")
        }
        _ => false,
    });
    at_work.then(|| item.ident.to_token_stream())
}

/// Reports methods without a receiver. They are one mistake, as one option mends them all, unless some may be
/// configured out.
fn receivers(service: &mut Service<'_>, report: &mut Report) {
    let is_missing = |method: &&mut Method<'_>| {
        !matches!(method.source.sig.inputs.first(), Some(FnArg::Receiver(_)))
    };
    let all = service.methods.iter_mut().chain(&mut service.events);
    let (always, conditional): (Vec<_>, Vec<_>) =
        all.filter(is_missing).partition(|method| method.carried.conditions.is_empty());
    let (before, count) = (report.len(), always.len());
    if let Some(first) = always.first() {
        report.mistake(first.name(), wording::receiver_missing(first.name(), count - 1));
    }
    for method in always {
        method.mistake.get_or_insert(before);
    }
    for method in conditional {
        let before = report.len();
        report.mistake(method.name(), wording::receiver_missing(method.name(), 0));
        report.under(&method.carried.conditions, before);
        method.mistake.get_or_insert(before);
    }
}

/// Reports events whose functions in clients have the names of others.
fn clashes(service: &mut Service<'_>, report: &mut Report) {
    let mut owners: HashMap<String, String> = HashMap::new();
    let mut under_conditions = HashSet::new();
    for method in &service.methods {
        let name = method.name().unraw().to_string();
        owners.insert(name.clone(), format!("the method `{name}`"));
        if !method.carried.conditions.is_empty() {
            under_conditions.insert(name);
        }
    }
    for number in 0..service.events.len() {
        let (earlier, later) = service.events.split_at_mut(number);
        let Some(event) = later.first_mut() else { continue };
        let before = report.len();
        let name = event.name().unraw().to_string();
        let functions = [name.clone(), format!("on_{name}")];
        if earlier.iter().any(|other| other.clashes_with(event)) {
            report.mistake(event.name(), wording::event_twice(&name));
            event.taken.extend(functions);
        } else {
            for function in functions {
                let itself = format!("the event `{name}`");
                match owners.get(&function) {
                    // Two events of one name under opposite conditions.
                    Some(owner) if *owner == itself => {}
                    // An event and a method of one name under opposite conditions.
                    Some(_)
                        if function == name
                            && under_conditions.contains(&name)
                            && !event.carried.conditions.is_empty() => {}
                    Some(owner) => {
                        report.mistake(event.name(), wording::event_clash(&name, &function, owner));
                        event.taken.push(function);
                    }
                    None => drop(owners.insert(function, itself)),
                }
            }
        }
        if report.len() > before {
            report.under(&event.carried.conditions, before);
            event.mistake.get_or_insert(before);
        }
    }
}

/// Reports an item of the trait that is not a method.
fn other_item(item: &TraitItem, report: &mut Report) {
    match item {
        TraitItem::Fn(_) => {}
        TraitItem::Const(item) if attributes::are_local(&item.attrs) => {}
        TraitItem::Type(item) if attributes::are_local(&item.attrs) => {}
        TraitItem::Const(item) => report.mistake(&item.ident, wording::NOT_A_METHOD),
        TraitItem::Type(item) => report.mistake(&item.ident, wording::NOT_A_METHOD),
        TraitItem::Macro(item) => report.mistake(&item.mac.path, wording::NOT_A_METHOD),
        other => report.mistake(other, wording::NOT_A_METHOD),
    }
}

/// Reports `#[wit(..)]` where it means nothing.
fn no_options(attributes: &[Attribute], message: &str, report: &mut Report) {
    for attribute in attributes {
        if attributes::is_options(attribute) {
            report.mistake(&attribute.meta, message);
        }
    }
}

/// Reports two methods of one wire name, unless conditions may keep them apart.
fn wire_names(methods: &mut [Method<'_>], report: &mut Report) {
    let mut seen: HashMap<String, (String, bool)> = HashMap::new();
    for method in methods {
        let conditional = !method.carried.conditions.is_empty();
        let name = method.name().to_string();
        let wire_name = &method.wire_name;
        match seen.get(wire_name) {
            // Two functions of one name are reported as that.
            Some((first, _)) if *first == name => {}
            Some((first, first_conditional)) if !(conditional && *first_conditional) => {
                let before = report.len();
                let message = wording::duplicate_wire_name(wire_name, first);
                match &method.options.rename {
                    Some(rename) => report.mistake(rename, message),
                    None => report.mistake(method.name(), message),
                }
                report.under(&method.carried.conditions, before);
                method.mistake.get_or_insert(before);
            }
            _ => {
                seen.insert(wire_name.clone(), (name, conditional));
            }
        }
    }
}
