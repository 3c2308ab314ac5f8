//! `#[cfg_attr(P, wit(..))]`: a method with options under a condition is two methods, one under the
//! condition and one under its opposite. Which of them there is, the compiler knows alone.

use proc_macro2::TokenStream;
use syn::{Attribute, FnArg, ItemTrait, TraitItem, TraitItemFn, parse_quote_spanned};

use crate::attributes::{conditional_options, without_options};
use crate::hygiene;

/// Writes each such method as the two that it is.
pub(crate) fn spell_out(item: &mut ItemTrait) {
    let items = std::mem::take(&mut item.items);
    for item_of_trait in items {
        match item_of_trait {
            TraitItem::Fn(method) => item.items.extend(spelled(method).map(TraitItem::Fn)),
            other => item.items.push(other),
        }
    }
}

/// Returns the methods that a method is. Each condition is on one attribute, so it ends.
fn spelled(method: TraitItemFn) -> Box<dyn Iterator<Item = TraitItemFn>> {
    let (mut with, mut without) = (method.clone(), method);
    let Some((list, place)) = find(&with) else { return Box::new(std::iter::once(with)) };
    let attribute = &attributes(&mut without)[list][place];
    let Some((predicate, options)) = conditional_options(attribute) else {
        return Box::new(std::iter::once(with));
    };
    let span = hygiene::at(syn::spanned::Spanned::span(attribute));
    let rest = without_options(attribute);
    for (method, options) in [(&mut with, options), (&mut without, Vec::new())] {
        let options = options.into_iter().map(|meta| parse_quote_spanned!(span=> #[#meta]));
        let options: Vec<Attribute> = options.chain(rest.clone()).collect();
        attributes(method)[list].splice(place..=place, options);
    }
    let opposite: TokenStream = quote::quote_spanned!(span=> not(#predicate));
    with.attrs.push(parse_quote_spanned!(span=> #[cfg(#predicate)]));
    without.attrs.push(parse_quote_spanned!(span=> #[cfg(#opposite)]));
    Box::new([with, without].into_iter().flat_map(spelled))
}

/// Returns where the first options under a condition stand: in which list of attributes, at which place.
fn find(method: &TraitItemFn) -> Option<(usize, usize)> {
    let mut method = method.clone();
    attributes(&mut method).iter().enumerate().find_map(|(list, attributes)| {
        let place = attributes.iter().position(|one| conditional_options(one).is_some())?;
        Some((list, place))
    })
}

/// Returns the lists of attributes that options stand in: the method's and its arguments'.
fn attributes(method: &mut TraitItemFn) -> Vec<&mut Vec<Attribute>> {
    let of_arguments = method.sig.inputs.iter_mut().map(|input| match input {
        FnArg::Receiver(receiver) => &mut receiver.attrs,
        FnArg::Typed(argument) => &mut argument.attrs,
    });
    std::iter::once(&mut method.attrs).chain(of_arguments).collect()
}
