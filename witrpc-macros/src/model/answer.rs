//! What a method answers: a value, a `Result`, a stream.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{GenericArgument, PathArguments, ReturnType, Signature, Type};

use super::{Flow, bare};
use crate::hygiene;

/// What a method answers.
pub(crate) enum Answer {
    /// A value of this type.
    Value(Type),
    /// A `Result` that spells its types.
    Result {
        /// The value's.
        ok: TokenStream,
        /// The application error's.
        error: TokenStream,
    },
    /// A `Result` under another name, whose types the compiler finds.
    Alias(Alias),
    /// A stream of items, one after the other.
    Stream {
        flow: Flow,
        /// What each item is: a value or a `Result`.
        item: Box<Answer>,
        /// The error of the method itself, if it returns a `Result` of a stream.
        error: Option<Box<Type>>,
    },
}

/// A `Result` under another name. All its tokens point at one.
pub(crate) struct Alias {
    pub(crate) ty: TokenStream,
}

impl Alias {
    fn of(ty: &Type) -> Self {
        let place = match bare(ty) {
            Type::Path(path) => path.path.segments.last().map(|last| last.ident.span()),
            _ => None,
        };
        let span = hygiene::at(place.unwrap_or_else(|| ty.span()));
        Self { ty: hygiene::relocated(ty.to_token_stream(), span) }
    }

    /// Where its tokens point.
    pub(crate) fn span(&self) -> Span {
        hygiene::at(self.ty.span())
    }
}

impl Answer {
    /// Reads a return type; `marked` when the user says that it, or each of its items, is a
    /// `Result`.
    pub(super) fn of(signature: &Signature, marked: bool) -> Self {
        let ReturnType::Type(_, ty) = &signature.output else {
            return Answer::Value(syn::parse_quote_spanned!(signature.ident.span()=> ()));
        };
        if let Some((stream, error)) = stream_in(ty)
            && let Some((flow, item)) = Flow::of(stream)
        {
            let item = Box::new(Answer::of_type(item, marked));
            let error = error.cloned().map(Box::new);
            return Answer::Stream { flow, item, error };
        }
        Answer::of_type(ty, marked)
    }

    /// Reads the type of a value or an item.
    fn of_type(ty: &Type, marked: bool) -> Self {
        if let Type::Path(path) = bare(ty)
            && let Some(last) = path.path.segments.last()
            && last.ident == "Result"
        {
            if let PathArguments::AngleBracketed(arguments) = &last.arguments
                && let [GenericArgument::Type(ok), GenericArgument::Type(error)] =
                    Vec::from_iter(&arguments.args)[..]
            {
                let (ok, error) = (ok.to_token_stream(), error.to_token_stream());
                return Answer::Result { ok, error };
            }
        } else if !marked {
            return Answer::Value(Type::clone(ty));
        }
        Answer::Alias(Alias::of(ty))
    }
}

/// The type that may be a stream in a return type, with the error beside it: the type itself, or the
/// first one of `Result<.., ..>`.
pub(crate) fn stream_in(ty: &Type) -> Option<(&Type, Option<&Type>)> {
    let Type::Path(path) = bare(ty) else { return Some((ty, None)) };
    let last = path.path.segments.last().filter(|last| last.ident == "Result")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    let mut types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    Some((types.next()?, Some(types.next()?)))
}
