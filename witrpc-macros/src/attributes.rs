//! Attributes of the user's: which are ours, and which travel to generated code.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::visit_mut::VisitMut;
use syn::{Attribute, Expr, ItemTrait, Lit, Meta, MetaList, Token};

/// Returns whether this is `#[wit ..]`.
pub(crate) fn is_options(attribute: &Attribute) -> bool {
    attribute.path().is_ident("wit")
}

/// Returns whether this is `#[serde(..)]`, which has no meaning in a trait.
pub(crate) fn is_of_serde(attribute: &Attribute) -> bool {
    attribute.path().is_ident("serde")
}

/// Returns whether this says that a method is an event.
pub(crate) fn is_event(attribute: &Attribute) -> bool {
    has_option(attribute, "event")
}

/// Returns whether these say that an item of the trait is no part of the service.
pub(crate) fn are_local(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| has_option(attribute, "local"))
}

fn has_option(attribute: &Attribute, name: &str) -> bool {
    let Meta::List(list) = &attribute.meta else { return false };
    let is_it = |meta: Meta| meta.path().is_ident(name);
    is_options(attribute) && parts(list).is_some_and(|mut options| options.any(is_it))
}

/// Returns whether this is documentation.
pub(crate) fn is_docs(attribute: &Attribute) -> bool {
    attribute.path().is_ident("doc")
}

/// Returns the condition and the options of a `#[cfg_attr(P, wit(..))]`.
pub(crate) fn conditional_options(attribute: &Attribute) -> Option<(Meta, Vec<Meta>)> {
    if !attribute.path().is_ident("cfg_attr") {
        return None;
    }
    let Meta::List(list) = filtered(&attribute.meta, &is_wit)? else { return None };
    let mut parts = parts(&list)?;
    Some((parts.next()?, parts.collect()))
}

/// Returns what is left of an attribute without its options.
pub(crate) fn without_options(attribute: &Attribute) -> Option<Attribute> {
    let meta = filtered(&attribute.meta, &|meta| !is_wit(meta))?;
    Some(Attribute { meta, ..attribute.clone() })
}

/// Returns whether this decides about the presence of what it is on.
pub(crate) fn is_condition(attribute: &Attribute) -> bool {
    filtered(&attribute.meta, &is_cfg).is_some()
}

/// The attributes of a method that its generated counterparts have too.
#[derive(Default)]
pub(crate) struct Carried {
    /// `#[cfg]`: for everything that mentions the method.
    pub(crate) conditions: Vec<TokenStream>,
    /// Documentation and the like: for the client's methods.
    pub(crate) notes: Vec<TokenStream>,
    /// Whether the user has documented the method.
    pub(crate) documented: bool,
    /// An expression for the documentation's text.
    pub(crate) docs: TokenStream,
}

impl Carried {
    pub(crate) fn of(attributes: &[Attribute]) -> Self {
        let carry = |keep: &dyn Fn(&Meta) -> bool| {
            let metas = attributes.iter().filter_map(|attribute| filtered(&attribute.meta, keep));
            metas.map(|meta| quote!(#[#meta])).collect::<Vec<_>>()
        };
        Self {
            conditions: carry(&is_cfg),
            notes: [carry(&is_note), allowed(attributes)].concat(),
            documented: attributes.iter().any(is_docs),
            docs: docs(attributes),
        }
    }
}

/// Returns the lints that the user allows or expects, as allowed ones. An expected one is found where the
/// attribute stands.
pub(crate) fn allowed(attributes: &[Attribute]) -> Vec<TokenStream> {
    let is_lint = |meta: &Meta| meta.path().is_ident("allow") || meta.path().is_ident("expect");
    let metas = attributes.iter().filter_map(|attribute| filtered(&attribute.meta, &is_lint));
    metas.map(|meta| allow_in(quote!(#[#meta]))).collect()
}

/// Writes `allow` for each `expect`.
fn allow_in(tokens: TokenStream) -> TokenStream {
    let allow = |token| match token {
        TokenTree::Ident(name) if name == "expect" => Ident::new("allow", name.span()).into(),
        TokenTree::Group(group) => Group::new(group.delimiter(), allow_in(group.stream())).into(),
        other => other,
    };
    tokens.into_iter().map(allow).collect()
}

/// Takes every `#[wit]` out of the trait, wherever it stands, and what the checks have reported.
pub(crate) fn strip_options(item: &mut ItemTrait) {
    struct Strip;
    impl VisitMut for Strip {
        fn visit_attributes_mut(&mut self, attributes: &mut Vec<Attribute>) {
            attributes.retain(|attribute| !is_options(attribute) && !is_of_serde(attribute));
        }
    }
    Strip.visit_item_trait_mut(item);
}

fn is_wit(meta: &Meta) -> bool {
    meta.path().is_ident("wit")
}

fn is_cfg(meta: &Meta) -> bool {
    meta.path().is_ident("cfg")
}

fn is_note(meta: &Meta) -> bool {
    ["doc", "deprecated"].iter().any(|name| meta.path().is_ident(name))
}

/// Returns what is left of an attribute when only some kinds are kept; looks into `cfg_attr`.
fn filtered(meta: &Meta, keep: &dyn Fn(&Meta) -> bool) -> Option<Meta> {
    let Meta::List(list) = meta else { return keep(meta).then(|| meta.clone()) };
    if !list.path.is_ident("cfg_attr") {
        return keep(meta).then(|| meta.clone());
    }
    let mut parts = parts(list)?;
    let predicate = parts.next()?;
    let kept: Vec<Meta> = parts.filter_map(|part| filtered(&part, keep)).collect();
    if kept.is_empty() {
        return None;
    }
    let mut list = list.clone();
    list.tokens = quote!(#predicate, #(#kept),*);
    Some(Meta::List(list))
}

/// Returns the condition of a `cfg_attr` and what is under it. What cannot be parsed here is rustc's to
/// complain about, where it stands in the trait.
fn parts(list: &MetaList) -> Option<impl Iterator<Item = Meta>> {
    let parser = Punctuated::<Meta, Token![,]>::parse_terminated;
    Some(parser.parse2(list.tokens.clone()).ok()?.into_iter())
}

/// Returns the text of the `#[doc = ..]` attributes as one expression. A text that is itself a macro, such
/// as `include_str!`, is left for the compiler to put in.
fn docs(attributes: &[Attribute]) -> TokenStream {
    let mut parts: Vec<TokenStream> = Vec::new();
    let mut text = String::new();
    for attribute in attributes.iter().filter(|attribute| is_docs(attribute)) {
        let Meta::NameValue(pair) = &attribute.meta else { continue };
        if let Expr::Lit(literal) = &pair.value
            && let Lit::Str(line) = &literal.lit
        {
            let line = line.value();
            text.push_str(line.strip_prefix(' ').unwrap_or(&line));
        } else {
            parts.push(std::mem::take(&mut text).into_token_stream());
            parts.push(pair.value.to_token_stream());
        }
        text.push('\n');
    }
    let text = text.trim_end();
    if parts.is_empty() {
        return text.into_token_stream();
    }
    quote!(::core::concat!(#(#parts,)* #text))
}
