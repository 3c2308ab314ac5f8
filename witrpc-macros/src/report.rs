//! Collects every mistake of a trait, so that the user sees them all at once.

use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

/// The mistakes found so far.
#[derive(Default)]
pub(crate) struct Report {
    mistakes: Vec<Mistake>,
}

struct Mistake {
    /// A `compile_error!`.
    error: TokenStream,
    /// The `#[cfg]`s of the method that it is in: without that method there is no mistake.
    conditions: Vec<TokenStream>,
}

impl Report {
    /// Adds a mistake on the tokens at fault.
    pub(crate) fn mistake(&mut self, at: impl ToTokens, message: impl Display) {
        self.unparsable(syn::Error::new_spanned(at, message));
    }

    /// Adds what syn could not parse.
    pub(crate) fn unparsable(&mut self, error: syn::Error) {
        let error = error.into_compile_error();
        self.mistakes.push(Mistake { error, conditions: Vec::new() });
    }

    /// Puts the mistakes from this number on under the conditions of their method.
    pub(crate) fn under(&mut self, conditions: &[TokenStream], from: usize) {
        for mistake in &mut self.mistakes[from..] {
            mistake.conditions = conditions.to_vec();
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.mistakes.is_empty()
    }

    /// Returns whether all mistakes are in methods that may be configured out.
    pub(crate) fn is_conditional(&self) -> bool {
        self.mistakes.iter().all(|mistake| !mistake.conditions.is_empty())
    }

    /// Returns how many mistakes there are, to see whether some piece added one.
    pub(crate) fn len(&self) -> usize {
        self.mistakes.len()
    }

    /// Returns the `compile_error!` of one mistake, by its number.
    pub(crate) fn nth(&self, mistake: usize) -> &TokenStream {
        &self.mistakes[mistake].error
    }

    /// Returns one `compile_error!` a mistake.
    pub(crate) fn into_tokens(self) -> TokenStream {
        let mistakes = self.mistakes.into_iter();
        mistakes.map(|Mistake { error, conditions }| quote!(#(#conditions)* #error)).collect()
    }

    /// Returns the mistakes, with the item they are about left in place so that nothing else breaks.
    pub(crate) fn beside(self, item: TokenStream) -> TokenStream {
        let mistakes = self.into_tokens();
        quote!(#item #mistakes)
    }
}
