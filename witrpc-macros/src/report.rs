//! Collects every mistake of a trait, so that the user sees them all at once.

use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::ToTokens;

/// The mistakes found so far, each a `compile_error!`.
#[derive(Default)]
pub(crate) struct Report {
    mistakes: Vec<TokenStream>,
}

impl Report {
    /// Adds a mistake on the tokens at fault.
    pub(crate) fn mistake(&mut self, at: impl ToTokens, message: impl Display) {
        self.unparsable(syn::Error::new_spanned(at, message));
    }

    /// Adds what syn could not parse.
    pub(crate) fn unparsable(&mut self, error: syn::Error) {
        self.mistakes.push(error.into_compile_error());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.mistakes.is_empty()
    }

    /// How many there are, to see whether some piece added one.
    pub(crate) fn len(&self) -> usize {
        self.mistakes.len()
    }

    /// The `compile_error!` of one mistake, by its number.
    pub(crate) fn nth(&self, mistake: usize) -> &TokenStream {
        &self.mistakes[mistake]
    }

    /// One `compile_error!` a mistake.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.mistakes.into_iter().collect()
    }

    /// The mistakes, with the item they are about left in place so that nothing else breaks.
    pub(crate) fn beside(self, item: TokenStream) -> TokenStream {
        let mistakes = self.into_tokens();
        quote::quote!(#item #mistakes)
    }
}
