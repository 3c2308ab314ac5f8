//! `#[wit_service(forward)]`: what refers to a handler is a handler too.

use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::spanned::Spanned;
use syn::{FnArg, Pat, TraitItem, TraitItemFn, Type, parse_quote_spanned};

use super::names::Names;
use super::service_trait;
use crate::hygiene;
use crate::model::Service;

/// Returns the implementations for `&T`, `Box<T>` and `Arc<T>`, if they are wanted.
pub(crate) fn expand(service: &Service<'_>, names: &Names) -> TokenStream {
    if service.options.forward.is_none() {
        return TokenStream::new();
    }
    let span = hygiene::at(service.item.ident.span());
    let handler = &names.handler;
    let item = service_trait::expanded(service, service.item);
    let methods: Vec<_> =
        item.items.iter().filter_map(|item| method(item, service, handler)).collect();
    let (path, supertraits) = (service.path(), &item.supertraits);
    let types: [Type; 3] = [
        parse_quote_spanned!(span=> &'handler #handler),
        parse_quote_spanned!(span=> ::std::boxed::Box<#handler>),
        parse_quote_spanned!(span=> ::std::sync::Arc<#handler>),
    ];
    let implementations = types.iter().map(|ty| {
        let supertraits =
            (!supertraits.is_empty()).then(|| quote_spanned!(span=> , #ty: #supertraits));
        let lifetime = matches!(ty, Type::Reference(_)).then(|| quote_spanned!(span=> 'handler,));
        quote_spanned! {span=>
            #[allow(deprecated, clippy::manual_async_fn)]
            impl<#lifetime #handler> #path for #ty
            where
                #handler: ?::core::marker::Sized + #path
                    + ::core::marker::Send + ::core::marker::Sync
                #supertraits
            {
                #(#methods)*
            }
        }
    });
    implementations.collect()
}

/// Returns the method that calls that of the handler; `None` for what has a body in the trait that every
/// implementation may keep.
fn method(item: &TraitItem, service: &Service<'_>, handler: &syn::Ident) -> Option<TraitItemFn> {
    let TraitItem::Fn(method) = item else { return None };
    if !service.methods.iter().any(|one| one.source.sig.ident == method.sig.ident) {
        return None;
    }
    let mut method = method.clone();
    let span = hygiene::at(method.sig.ident.span());
    method.attrs.retain(crate::attributes::is_condition);
    let mut names = Vec::new();
    for (number, input) in method.sig.inputs.iter_mut().enumerate() {
        let argument = match input {
            // Of the generated code, as the `self` of the body is.
            FnArg::Receiver(_) => {
                *input = parse_quote_spanned!(span=> &self);
                continue;
            }
            FnArg::Typed(argument) => argument,
        };
        argument.attrs.clear();
        let name = match &*argument.pat {
            Pat::Ident(pattern) => pattern.ident.clone(),
            other => quote::format_ident!("_unnamed_{number}", span = hygiene::at(other.span())),
        };
        argument.pat = parse_quote_spanned!(span=> #name);
        names.push(name);
    }
    let (name, path) = (&method.sig.ident, service.path());
    method.semi_token = None;
    method.default = Some(parse_quote_spanned!(span=> {
        <#handler as #path>::#name(&**self, #(#names),*)
    }));
    Some(method)
}
