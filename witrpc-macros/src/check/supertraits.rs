//! Checks of the options that concern supertraits and references to a handler.

use quote::ToTokens;
use syn::{TraitItem, TypeParamBound};

use crate::model::Service;
use crate::report::Report;
use crate::{attributes, wording};

/// Reports what is named as a supertrait and is none, and methods whose names are taken by these.
pub(super) fn extends(service: &mut Service<'_>, report: &mut Report) {
    let item = service.item;
    for supertrait in service.supertraits() {
        let written = |bound: &TypeParamBound| match bound {
            TypeParamBound::Trait(bound) => last(&bound.path) == last(supertrait.path),
            _ => false,
        };
        if !item.supertraits.iter().any(written) {
            let path = supertrait.path.to_token_stream().to_string().replace(' ', "");
            report.mistake(supertrait.path, wording::no_supertrait(&item.ident, path));
        }
        let function = supertrait.function();
        for method in service.methods.iter_mut().chain(&mut service.events) {
            if *method.name() == function {
                let before = report.len();
                report.mistake(method.name(), wording::taken_by_supertrait(&function));
                report.under(&method.carried.conditions, before);
                method.mistake.get_or_insert(before);
            }
        }
    }
}

/// Returns the trait's own name. The path to it may be another one.
fn last(path: &syn::Path) -> Option<&syn::Ident> {
    path.segments.last().map(|last| &last.ident)
}

/// Reports items that `forward` has nothing to make of.
pub(super) fn forward(service: &Service<'_>, report: &mut Report) {
    if service.options.forward.is_none() {
        return;
    }
    for item in &service.item.items {
        let (name, is_left_out) = match item {
            TraitItem::Fn(item) => {
                (&item.sig.ident, attributes::are_local(&item.attrs) && item.default.is_none())
            }
            TraitItem::Type(item) => (&item.ident, attributes::are_local(&item.attrs)),
            TraitItem::Const(item) => {
                (&item.ident, attributes::are_local(&item.attrs) && item.default.is_none())
            }
            _ => continue,
        };
        if is_left_out {
            report.mistake(name, wording::not_forwarded(name));
        }
    }
}
