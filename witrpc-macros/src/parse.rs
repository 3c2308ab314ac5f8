//! Tokens to syntax: what the attribute was written on, with the options it was given.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Item, ItemTrait};

use crate::model::Generated;
use crate::options::ServiceOptions;
use crate::report::Report;
use crate::{conditions, instance, links, spelling, wording};

/// A trait and the options of its service.
pub(crate) struct TraitInput {
    pub(crate) options: ServiceOptions,
    /// As written, but for [`conditions`], [`links`] and what the service's options say.
    pub(crate) written: ItemTrait,
    /// The same as it is served: each future is an `async fn`, and a generic trait has types in place of its
    /// parameters.
    pub(crate) item: ItemTrait,
    /// These types, as the arguments of the trait's path.
    pub(crate) arguments: TokenStream,
}

/// Reads what the compiler hands the macro.
///
/// # Errors
///
/// The item again, when it is not a trait, which has been reported then.
pub(crate) fn input(
    options: TokenStream,
    item: TokenStream,
    report: &mut Report,
) -> Result<TraitInput, TokenStream> {
    match syn::parse2::<Item>(item.clone()) {
        Ok(Item::Trait(mut item)) => {
            let options = ServiceOptions::read(options, report);
            conditions::spell_out(&mut item);
            spelling::mark_local(&mut item, &options.local, report);
            if options.add_self {
                spelling::add_receivers(&mut item);
            }
            links::lead_to(&Generated::of(&item.ident, &options).client, &mut item);
            let written = item.clone();
            spelling::spell_async(&mut item);
            let arguments = instance::choose(&mut item, &options.types, report);
            return Ok(TraitInput { options, written, item, arguments });
        }
        Ok(other) => {
            let (found, at) = described(&other);
            report.mistake(at, wording::not_a_trait(found));
        }
        Err(error) => report.unparsable(error),
    }
    Err(item)
}

/// Returns what an item is, in words, and its name or keyword to point at.
fn described(item: &Item) -> (&'static str, TokenStream) {
    match item {
        Item::Struct(item) => ("a struct", item.ident.to_token_stream()),
        Item::Enum(item) => ("an enum", item.ident.to_token_stream()),
        Item::Union(item) => ("a union", item.ident.to_token_stream()),
        Item::Fn(item) => ("a function", item.sig.ident.to_token_stream()),
        Item::Impl(item) => ("an `impl`", item.impl_token.to_token_stream()),
        Item::Mod(item) => ("a module", item.ident.to_token_stream()),
        Item::TraitAlias(item) => ("a trait alias", item.ident.to_token_stream()),
        other => ("something else", other.to_token_stream()),
    }
}
