//! Lints in generated code. What they find there the user cannot mend, and has been told of at the trait.

use proc_macro2::TokenStream;
use quote::quote_spanned;

use crate::attributes;
use crate::hygiene;
use crate::model::Service;

/// Returns the attributes of a generated item that keep lints off it: for all that a lint may dislike
/// about names and signatures, and for what the user allows in the trait.
pub(crate) fn allowed(service: &Service<'_>) -> TokenStream {
    let span = hygiene::at(service.item.ident.span());
    let of_trait = attributes::allowed(&service.item.attrs);
    quote_spanned! {span=>
        #[allow(
            dead_code, deprecated, non_camel_case_types, non_snake_case, non_upper_case_globals,
            clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction
        )]
        #(#of_trait)*
    }
}
