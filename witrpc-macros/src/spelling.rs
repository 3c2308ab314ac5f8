//! Other spellings of a method, written as the usual one: a future that is spelled out, a receiver that is
//! left out, and an option that the service has in its place.

use proc_macro2::{Ident, Span};
use syn::{
    FnArg, GenericArgument, ItemTrait, PathArguments, ReturnType, TraitItem, TraitItemFn, Type,
    TypeImplTrait, TypeParamBound, parse_quote, parse_quote_spanned,
};

use crate::model::bare;
use crate::report::Report;
use crate::{attributes, wording};

/// Gives `&self` to the methods that have no receiver.
pub(crate) fn add_receivers(item: &mut ItemTrait) {
    for method in methods(item) {
        if !matches!(method.sig.inputs.first(), Some(FnArg::Receiver(_))) {
            let place: Span = method.sig.ident.span();
            method.sig.inputs.insert(0, parse_quote_spanned!(place=> &self));
        }
    }
}

/// Marks as local what the service's option names.
pub(crate) fn mark_local(item: &mut ItemTrait, names: &[Ident], report: &mut Report) {
    for name in names {
        let mut found = false;
        for item in &mut item.items {
            let (ident, attributes) = match item {
                TraitItem::Fn(item) => (&item.sig.ident, &mut item.attrs),
                TraitItem::Type(item) => (&item.ident, &mut item.attrs),
                TraitItem::Const(item) => (&item.ident, &mut item.attrs),
                _ => continue,
            };
            if ident == name {
                found = true;
                let place: Span = name.span();
                attributes.push(parse_quote_spanned!(place=> #[wit(local)]));
            }
        }
        if !found {
            report.mistake(name, wording::no_such_item(&item.ident, name));
        }
    }
}

/// Writes `fn f(&self) -> impl Future<Output = T> + Send` as `async fn f(&self) -> T`.
pub(crate) fn spell_async(item: &mut ItemTrait) {
    for method in methods(item) {
        if method.sig.asyncness.is_some() {
            continue;
        }
        let ReturnType::Type(_, ty) = &method.sig.output else { continue };
        let Type::ImplTrait(opaque) = bare(ty) else { continue };
        let Some(output) = output_of(opaque) else { continue };
        method.sig.output = parse_quote!(-> #output);
        method.sig.asyncness = Some(syn::token::Async(method.sig.fn_token.span));
    }
}

/// Returns the methods that are part of the service.
fn methods(item: &mut ItemTrait) -> impl Iterator<Item = &mut TraitItemFn> {
    item.items.iter_mut().filter_map(|item| match item {
        TraitItem::Fn(method) if !attributes::are_local(&method.attrs) => Some(method),
        _ => None,
    })
}

/// Returns the output of a future that is nothing else, but for `Send` and the lifetime of the call.
fn output_of(opaque: &TypeImplTrait) -> Option<Type> {
    let mut output = None;
    for bound in &opaque.bounds {
        let bound = match bound {
            TypeParamBound::Trait(bound) => bound.path.segments.last()?,
            TypeParamBound::Lifetime(lifetime) if lifetime.ident == "_" => continue,
            _ => return None,
        };
        if bound.ident == "Send" {
            continue;
        }
        let PathArguments::AngleBracketed(arguments) = &bound.arguments else { return None };
        match (bound.ident == "Future", Vec::from_iter(&arguments.args).as_slice()) {
            (true, [GenericArgument::AssocType(ty)]) if ty.ident == "Output" => {
                output = Some(ty.ty.clone());
            }
            _ => return None,
        }
    }
    output
}
