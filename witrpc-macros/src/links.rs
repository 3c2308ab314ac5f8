//! Links in documentation. Events leave the trait, so a link to one, or from one to `Self`, means the
//! client.

use proc_macro2::Ident;
use syn::visit_mut::VisitMut;
use syn::{Attribute, Expr, ItemTrait, Lit, LitStr, Meta, TraitItem, TraitItemFn};

use crate::attributes;

/// Has the links of a trait lead to `client` where what they name is there alone.
pub(crate) fn lead_to(client: &Ident, item: &mut ItemTrait) {
    let events: Vec<String> = item.items.iter().filter_map(event).collect();
    if events.is_empty() {
        return;
    }
    let of_trait = events.iter().flat_map(|event| {
        ["Self", &item.ident.to_string()].map(|owner| format!("{owner}::{event}"))
    });
    let mut relink = Relink { client: client.to_string(), dead: of_trait.collect() };
    relink.visit_attributes_mut(&mut item.attrs);
    for item in &mut item.items {
        let is_event = event(item).is_some();
        if is_event {
            relink.dead.push("Self::".to_owned());
        }
        relink.visit_trait_item_mut(item);
        if is_event {
            relink.dead.pop();
        }
    }
}

/// Returns the name of an event.
fn event(item: &TraitItem) -> Option<String> {
    let TraitItem::Fn(TraitItemFn { attrs, sig, .. }) = item else { return None };
    attrs.iter().any(attributes::is_event).then(|| sig.ident.to_string())
}

struct Relink {
    client: String,
    /// Paths that name nothing, up to a whole word or `::`.
    dead: Vec<String>,
}

impl VisitMut for Relink {
    fn visit_attribute_mut(&mut self, attribute: &mut Attribute) {
        if attributes::is_docs(attribute)
            && let Meta::NameValue(pair) = &mut attribute.meta
            && let Expr::Lit(literal) = &mut pair.value
            && let Lit::Str(text) = &mut literal.lit
        {
            let relinked =
                self.dead.iter().fold(text.value(), |text, dead| self.relinked(&text, dead));
            *text = LitStr::new(&relinked, text.span());
        }
    }
}

impl Relink {
    fn relinked(&self, text: &str, dead: &str) -> String {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let mut relinked = String::new();
        let mut rest = text;
        while let Some(place) = rest.find(dead) {
            let (before, after) = (&rest[..place], &rest[place + dead.len()..]);
            let is_path = !before.ends_with(|c| is_word(c) || c == ':')
                && (dead.ends_with(':') || !after.starts_with(is_word));
            let name = dead.split_once("::").map_or("", |(_, name)| name);
            relinked.push_str(before);
            match is_path {
                true => relinked.extend([&self.client, "::", name]),
                false => relinked.push_str(dead),
            }
            rest = after;
        }
        relinked + rest
    }
}

#[cfg(test)]
mod tests {
    use quote::{ToTokens, format_ident};

    use super::*;

    #[test]
    fn links_to_and_from_events_lead_to_the_client() {
        let mut item: ItemTrait = syn::parse_quote! {
            #[doc = " See [`rang`](Self::rang) and [`Bell::rang`], not `Self::rang_twice` or `NoBell::rang`."]
            trait Bell {
                #[doc = " Tells [`Self::rang`], as [`Self::ring`]."]
                fn ring(&self);
                #[doc = " By [`Self::ring`]."]
                #[wit(event)]
                fn rang(&self);
            }
        };
        lead_to(&format_ident!("BellClient"), &mut item);
        let expected: ItemTrait = syn::parse_quote! {
            #[doc = " See [`rang`](BellClient::rang) and [`BellClient::rang`], not `Self::rang_twice` or `NoBell::rang`."]
            trait Bell {
                #[doc = " Tells [`BellClient::rang`], as [`Self::ring`]."]
                fn ring(&self);
                #[doc = " By [`BellClient::ring`]."]
                #[wit(event)]
                fn rang(&self);
            }
        };
        assert_eq!(item.to_token_stream().to_string(), expected.to_token_stream().to_string());
    }
}
