//! What a method answers, and whether that is a `Result`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned;
use syn::{GenericArgument, PathArguments, ReturnType, Signature, Type};

use super::bare;
use crate::hygiene;

/// What a method answers.
pub(crate) enum Answer {
    /// A value of this type.
    Value(Type),
    /// A `Result` of these types.
    Result {
        /// The value's.
        ok: TokenStream,
        /// The application error's.
        error: TokenStream,
        /// The return type as the trait that they are projected through, unless it spells them.
        projected: Option<TokenStream>,
    },
}

impl Answer {
    /// Reads a return type; `marked` when the user says that it is a `Result`.
    pub(super) fn of(signature: &Signature, marked: bool, crate_path: &TokenStream) -> Self {
        let ReturnType::Type(_, ty) = &signature.output else {
            return Answer::Value(syn::parse_quote_spanned!(signature.ident.span()=> ()));
        };
        if let Type::Path(path) = bare(ty)
            && let Some(last) = path.path.segments.last()
            && last.ident == "Result"
        {
            if let PathArguments::AngleBracketed(arguments) = &last.arguments
                && let [GenericArgument::Type(ok), GenericArgument::Type(error)] =
                    Vec::from_iter(&arguments.args)[..]
            {
                let (ok, error) = (ok.to_token_stream(), error.to_token_stream());
                return Answer::Result { ok, error, projected: None };
            }
        } else if !marked {
            return Answer::Value(Type::clone(ty));
        }
        Answer::projected(ty, crate_path)
    }

    /// The types of what only the compiler can tell to be a `Result`. All tokens point at one, so
    /// that a type which is none is reported once.
    fn projected(ty: &Type, crate_path: &TokenStream) -> Self {
        let place = match bare(ty) {
            Type::Path(path) => path.path.segments.last().map(|last| last.ident.span()),
            _ => None,
        };
        let span = hygiene::at(place.unwrap_or_else(|| ty.span()));
        let ty = hygiene::relocated(ty.to_token_stream(), span);
        let result = quote_spanned!(span=> <#ty as #crate_path::__private::v1::ResultType>);
        Answer::Result {
            ok: quote_spanned!(span=> #result::Ok),
            error: quote_spanned!(span=> #result::Err),
            projected: Some(result),
        }
    }
}
