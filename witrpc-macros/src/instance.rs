//! A generic trait, as the one instance of it that is served.

use std::collections::HashMap;

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::visit_mut::{self, VisitMut};
use syn::{GenericParam, ItemTrait, Type};

use crate::report::Report;
use crate::{hygiene, wording};

/// Writes the types in place of the trait's parameters: those that the options give, or that the trait has as
/// defaults. Returns them as the arguments of the trait's path. A trait whose parameters are not all given
/// stays generic.
pub(crate) fn choose(
    item: &mut ItemTrait,
    given: &[(Ident, Type)],
    report: &mut Report,
) -> TokenStream {
    let mut chosen: HashMap<&Ident, &Type> = HashMap::new();
    for (name, ty) in given {
        if !item.generics.type_params().any(|parameter| parameter.ident == *name) {
            report.mistake(name, wording::no_such_parameter(&item.ident, name));
        }
        chosen.insert(name, ty);
    }
    let generics = std::mem::take(&mut item.generics);
    let types = generics.params.iter().map(|parameter| match parameter {
        GenericParam::Type(parameter) => {
            let default = parameter.default.as_ref().map(|(_, ty)| ty);
            let ty = chosen.get(&parameter.ident).copied().or(default)?;
            Some((parameter.ident.clone(), ty.clone()))
        }
        _ => None,
    });
    let Some(types) = types.collect::<Option<Vec<_>>>() else {
        item.generics = generics;
        return TokenStream::new();
    };
    if types.is_empty() {
        return TokenStream::new();
    }
    let arguments = types.iter().map(|(_, ty)| ty);
    let span = hygiene::at(item.ident.span());
    let arguments = quote_spanned!(span=> ::<#(#arguments),*>);
    let mut instance = Instance { types: types.into_iter().collect() };
    item.items.iter_mut().for_each(|item| instance.visit_trait_item_mut(item));
    arguments
}

/// Writes types in place of parameters.
struct Instance {
    types: HashMap<Ident, Type>,
}

impl VisitMut for Instance {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if let Type::Path(path) = &*ty
            && path.qself.is_none()
            && let Some(first) = path.path.segments.first()
            && first.arguments.is_none()
            && let Some(chosen) = self.types.get(&first.ident)
        {
            let rest: Vec<_> = path.path.segments.iter().skip(1).collect();
            *ty = match rest.is_empty() {
                true => chosen.clone(),
                false => syn::parse2(quote!(<#chosen> #(::#rest)*)).unwrap_or_else(|_| ty.clone()),
            };
            return;
        }
        visit_mut::visit_type_mut(self, ty);
    }
}
