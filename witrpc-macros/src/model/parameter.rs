//! What a method takes.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{GenericArgument, Pat, PatType, PathArguments, Type, TypeReference};

use super::Flow;
use crate::options::ArgumentOptions;
use crate::report::Report;

/// One declared argument of a method.
pub(crate) struct Parameter<'a> {
    /// As written.
    pub(crate) source: &'a PatType,
    /// Its name, if it has one.
    pub(crate) name: Option<&'a Ident>,
    pub(crate) form: Form<'a>,
}

/// How an argument crosses.
#[derive(Clone, Copy)]
pub(crate) enum Form<'a> {
    /// Not at all: the server makes it.
    Context,
    /// Handed over.
    Value(&'a Type),
    /// Lent: `&T`, also `&Path`.
    Shared(&'a Type),
    /// Lent, if at all: `Option<&T>`.
    Optional(&'a Type),
    /// `&str`.
    Str,
    /// `&[T]`, as raw bytes.
    Raw(&'a Type),
    /// `impl Iterator` or `impl Stream`, with the type of the items.
    Stream(Flow, &'a Type),
}

impl<'a> Parameter<'a> {
    pub(super) fn of(source: &'a PatType, report: &mut Report) -> Self {
        let options = ArgumentOptions::read(&source.attrs, report);
        let name = match &*source.pat {
            Pat::Ident(pattern) if pattern.subpat.is_none() => Some(&pattern.ident),
            _ => None,
        };
        let form = if options.context { Form::Context } else { Form::of(&source.ty) };
        Self { source, name, form }
    }

    /// Returns the name, with a stand-in for what the checks have refused.
    pub(crate) fn ident(&self) -> Ident {
        self.name.cloned().unwrap_or_else(|| Ident::new("_unnamed", self.source.pat.span()))
    }

    /// Returns the items, if it is a stream.
    pub(crate) fn stream(&self) -> Option<(Flow, &'a Type)> {
        match self.form {
            Form::Stream(flow, item) => Some((flow, item)),
            _ => None,
        }
    }

    /// Returns the name on the wire.
    pub(crate) fn wire_name(&self) -> String {
        self.ident().unraw().to_string()
    }
}

impl<'a> Form<'a> {
    fn of(ty: &'a Type) -> Self {
        if let Some((flow, item)) = Flow::of(ty) {
            return Form::Stream(flow, item);
        }
        if let Some(reference) = optional(ty) {
            return Form::Optional(&reference.elem);
        }
        let Type::Reference(reference) = bare(ty) else { return Form::Value(ty) };
        match bare(&reference.elem) {
            Type::Slice(slice) => Form::Raw(&slice.elem),
            Type::Path(path) if path.path.is_ident("str") => Form::Str,
            _ => Form::Shared(&reference.elem),
        }
    }
}

/// Returns the reference in an `Option<&T>`.
pub(crate) fn optional(ty: &Type) -> Option<&TypeReference> {
    let Type::Path(path) = bare(ty) else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Option")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match Vec::from_iter(&arguments.args)[..] {
        [GenericArgument::Type(Type::Reference(reference))] => Some(reference),
        _ => None,
    }
}

/// Returns a type without the parentheses and invisible groups around it.
pub(crate) fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        other => other,
    }
}

/// Returns whether a path's last segment is this name, without generic arguments.
pub(crate) fn ends_in(path: &syn::TypePath, name: &str) -> bool {
    let last = path.path.segments.last();
    last.is_some_and(|last| last.ident == name && last.arguments.is_none())
}
