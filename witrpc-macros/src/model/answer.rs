//! What a method answers: a value, a `Result`, a stream.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{GenericArgument, PathArguments, ReturnType, Signature, Type};

use super::{Flow, bare};
use crate::hygiene;

/// What a method answers.
pub(crate) enum Answer {
    /// A value of this type.
    Value(Box<Type>),
    /// A `Result` that spells its types.
    Result {
        /// The value's.
        ok: TokenStream,
        /// The application error's.
        error: TokenStream,
    },
    /// What may be a `Result` under another name: the compiler finds what it is.
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

/// The type that may be a `Result` under another name. All its tokens point at one.
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

    /// Returns where its tokens point.
    pub(crate) fn span(&self) -> Span {
        hygiene::at(self.ty.span())
    }
}

impl Answer {
    /// Reads a return type; `marked` when the user says that it, or each of its items, is a `Result`,
    /// `results` when any may be one.
    pub(super) fn of(signature: &Signature, marked: bool, results: bool) -> Self {
        let ReturnType::Type(_, ty) = &signature.output else {
            let unit = syn::parse_quote_spanned!(signature.ident.span()=> ());
            return Answer::Value(Box::new(unit));
        };
        if let Some((stream, error)) = stream_in(ty)
            && let Some((flow, item)) = Flow::of(stream)
        {
            let item = Box::new(Answer::of_type(item, marked, results));
            let error = error.cloned().map(Box::new);
            return Answer::Stream { flow, item, error };
        }
        Answer::of_type(ty, marked, results)
    }

    /// Reads the type of a value or an item.
    fn of_type(ty: &Type, marked: bool, results: bool) -> Self {
        if let Type::Path(path) = bare(ty)
            && let Some(last) = path.path.segments.last()
            && last.ident == "Result"
            && let PathArguments::AngleBracketed(arguments) = &last.arguments
            && let [GenericArgument::Type(ok), GenericArgument::Type(error)] =
                Vec::from_iter(&arguments.args)[..]
            && !is_like_io(error)
        {
            let (ok, error) = (ok.to_token_stream(), error.to_token_stream());
            return Answer::Result { ok, error };
        }
        if marked || may_be_alias(ty) && (results || is_like_alias(ty)) {
            return Answer::Alias(Alias::of(ty));
        }
        Answer::Value(Box::new(Type::clone(ty)))
    }
}

/// Returns whether an error is written as that of `std::io`, which does not cross as it is. Whether it is that
/// one, the compiler finds.
fn is_like_io(error: &Type) -> bool {
    let Type::Path(path) = bare(error) else { return false };
    let mut last = path.path.segments.iter().rev();
    last.next().is_some_and(|last| last.ident == "Error")
        && last.next().is_some_and(|module| module.ident == "io")
}

/// Returns the type that may be a stream in a return type, with the error beside it: the type itself, or the
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

/// The types that every program has under these names. None of them is a `Result`.
const KNOWN: &[&str] = &[
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "u8", "u16", "u32", "u64",
    "u128", "usize", "isize", "String", "Vec", "Option", "Box", "Arc", "Cow", "HashMap",
    "BTreeMap", "HashSet", "BTreeSet", "VecDeque", "Shared",
];

/// Returns whether a type may be a `Result` under another name, as far as its own name shows.
pub(crate) fn may_be_alias(ty: &Type) -> bool {
    let Type::Path(path) = bare(ty) else { return false };
    let last = path.path.segments.last();
    last.is_some_and(|last| !KNOWN.iter().any(|known| last.ident == known))
}

/// Returns whether a type looks as aliases of `Result` do: it is named so, or takes types.
///
/// Of others the compiler is asked only if the user says so. Clients then have the type in their
/// signatures with the question around it, which is harder to read.
fn is_like_alias(ty: &Type) -> bool {
    let Type::Path(path) = bare(ty) else { return false };
    let last = path.path.segments.last();
    last.is_some_and(|last| {
        !last.arguments.is_none() || last.ident.unraw().to_string().ends_with("Result")
    })
}
