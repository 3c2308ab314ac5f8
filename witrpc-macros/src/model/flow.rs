//! Streams in a signature: `impl Iterator` and `impl Stream`.

use syn::{GenericArgument, PathArguments, Type, TypeParamBound};

use super::bare;

/// Which of the two a stream is in the user's code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// `impl Iterator`.
    Iterator,
    /// `impl Stream`.
    Stream,
}

impl Flow {
    /// Reads `impl Iterator<Item = T>` or `impl Stream<Item = T>`, whose `T` comes back with it.
    pub(crate) fn of(ty: &Type) -> Option<(Self, &Type)> {
        let Type::ImplTrait(opaque) = bare(ty) else { return None };
        opaque.bounds.iter().find_map(|bound| {
            let flow = Self::named(bound)?;
            let TypeParamBound::Trait(bound) = bound else { return None };
            let PathArguments::AngleBracketed(arguments) = &bound.path.segments.last()?.arguments
            else {
                return None;
            };
            arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::AssocType(item) if item.ident == "Item" => Some((flow, &item.ty)),
                _ => None,
            })
        })
    }

    /// Returns which of the two a bound names, if one.
    pub(crate) fn named(bound: &TypeParamBound) -> Option<Self> {
        let TypeParamBound::Trait(bound) = bound else { return None };
        match bound.path.segments.last()?.ident.to_string().as_str() {
            "Iterator" => Some(Flow::Iterator),
            "Stream" => Some(Flow::Stream),
            _ => None,
        }
    }
}
