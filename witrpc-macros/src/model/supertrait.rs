//! The supertraits that are services of their own.

use proc_macro2::{Ident, Span};
use quote::format_ident;
use syn::ext::IdentExt;

use super::Service;
use crate::hygiene;

/// A supertrait that is a service of its own.
pub(crate) struct Supertrait<'a> {
    /// As the option names it.
    pub(crate) path: &'a syn::Path,
    /// Its own name.
    name: &'a Ident,
}

impl<'a> Service<'a> {
    /// Returns the supertraits that are services.
    pub(crate) fn supertraits(&self) -> impl Iterator<Item = Supertrait<'a>> + use<'a> {
        self.options.extends.iter().filter_map(|path| {
            let name = &path.segments.last()?.ident;
            Some(Supertrait { path, name })
        })
    }
}

impl Supertrait<'_> {
    pub(crate) fn span(&self) -> Span {
        hygiene::at(self.name.span())
    }

    /// Returns the function of a client that makes a client of the supertrait: `as_health` for `Health`.
    pub(crate) fn function(&self) -> Ident {
        let mut words = String::new();
        for letter in self.name.unraw().to_string().chars() {
            if letter.is_uppercase() && !words.is_empty() {
                words.push('_');
            }
            words.extend(letter.to_lowercase());
        }
        format_ident!("as_{words}", span = self.span())
    }

    /// Returns the path of what is generated of it under its name and this ending.
    pub(crate) fn generated(&self, ending: &str) -> syn::Path {
        let mut path = self.path.clone();
        if let Some(last) = path.segments.last_mut() {
            let span = last.ident.span();
            last.ident = format_ident!("{}{ending}", last.ident.unraw(), span = span);
        }
        path
    }

    /// Returns the name of that within the unnamed constant.
    pub(crate) fn alias(&self, ending: &str) -> Ident {
        let name = format!("{}{ending}", self.name.unraw());
        hygiene::private(&name, self.name.span())
    }
}
