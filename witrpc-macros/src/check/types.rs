//! Checks of the types in a signature, as far as their syntax shows.

use syn::visit::{self, Visit};
use syn::{
    GenericArgument, Lifetime, PathArguments, PathSegment, Type, TypeImplTrait, TypeParamBound,
    TypePath, TypeReference, TypeTraitObject,
};

use crate::model::{Flow, bare, may_be_alias, optional, stream_in};
use crate::report::Report;
use crate::wording;

/// Reports what is wrong with the type of an argument.
pub(super) fn argument(ty: &Type, report: &mut Report) {
    let mut owned = Owned { position: Position::Argument, report };
    if let Some(reference) = optional(ty) {
        return owned.lent(reference);
    }
    match bare(ty) {
        Type::ImplTrait(opaque) if names_stream(opaque) => stream(opaque, report),
        Type::Reference(reference) => owned.lent(reference),
        Type::Slice(slice) => report.mistake(slice, wording::UNSIZED_SLICE),
        Type::Path(path) if path.path.is_ident("str") => {
            report.mistake(path, wording::UNSIZED_STR);
        }
        other => owned.visit_type(other),
    }
}

/// Reports what is wrong with the type of a result.
pub(super) fn result(ty: &Type, report: &mut Report) {
    if let Some((first, error)) = stream_in(ty)
        && let Type::ImplTrait(opaque) = bare(first)
        && names_stream(opaque)
    {
        stream(opaque, report);
        return error.into_iter().for_each(|error| result(error, report));
    }
    match bare(ty) {
        Type::Path(path) if holds_stream_alone(path) => {
            report.mistake(path, wording::STREAM_RESULT_ALIAS);
        }
        Type::Slice(slice) => report.mistake(slice, wording::UNSIZED_RESULT),
        Type::Never(never) => report.mistake(never, wording::NEVER_RETURNS),
        Type::Path(path) if path.path.is_ident("str") => {
            report.mistake(path, wording::UNSIZED_RESULT);
        }
        other => Owned { position: Position::Result, report }.visit_type(other),
    }
}

/// Reports what is wrong with an `impl Iterator` or `impl Stream`.
fn stream(opaque: &TypeImplTrait, report: &mut Report) {
    for bound in &opaque.bounds {
        if !may_bound_stream(bound) {
            return report.mistake(bound, wording::STREAM_BOUND);
        }
    }
    let ty = Type::ImplTrait(opaque.clone());
    match Flow::of(&ty) {
        Some((_, item)) => Owned { position: Position::Item, report }.visit_type(item),
        None => report.mistake(opaque, wording::STREAM_WITHOUT_ITEM),
    }
}

fn names_stream(opaque: &TypeImplTrait) -> bool {
    opaque.bounds.iter().any(|bound| Flow::named(bound).is_some())
}

/// Returns whether a bound may stand in a stream: the stream itself, and what every stream is anyway.
fn may_bound_stream(bound: &TypeParamBound) -> bool {
    match bound {
        TypeParamBound::Trait(of) => {
            let last = of.path.segments.last();
            Flow::named(bound).is_some() || last.is_some_and(|last| last.ident == "Send")
        }
        TypeParamBound::Lifetime(_) => true,
        _ => false,
    }
}

/// Returns whether this may be a `Result` under another name, with nothing but a stream in it.
fn holds_stream_alone(path: &TypePath) -> bool {
    let Some(last) = path.path.segments.last() else { return false };
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return false };
    let mut types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(bare(ty)),
        _ => None,
    });
    may_be_alias(&Type::Path(path.clone()))
        && matches!(types.next(), Some(Type::ImplTrait(opaque)) if names_stream(opaque))
        && types.next().is_none()
}

#[derive(Clone, Copy)]
enum Position {
    Argument,
    Result,
    /// An item of a stream.
    Item,
}

/// Visits a type that must own all it holds. What has been reported is not looked into.
struct Owned<'r> {
    position: Position,
    report: &'r mut Report,
}

impl Owned<'_> {
    /// Checks a reference as a whole argument: the one place where there may be one.
    fn lent(&mut self, reference: &TypeReference) {
        if reference.mutability.is_some() {
            return self.report.mistake(reference, wording::MUTABLE_REFERENCE);
        }
        if let Some(lifetime) = &reference.lifetime
            && lifetime.ident == "static"
        {
            self.report.mistake(lifetime, wording::STATIC_ARGUMENT);
        }
        match bare(&reference.elem) {
            Type::Slice(slice) => self.element(&slice.elem),
            other => self.visit_type(other),
        }
    }

    /// Checks an element of a raw slice.
    fn element(&mut self, ty: &Type) {
        match machine_sized(ty) {
            Some((found, fixed)) => {
                self.report.mistake(ty, wording::machine_sized_element(found, fixed));
            }
            None => self.visit_type(ty),
        }
    }

    /// Checks what is shared, if the path is of a `Shared`: reports one in a stream, and an element that
    /// differs from machine to machine.
    fn shared(&mut self, path: &TypePath) -> bool {
        let Some(last) = last_of_shared(path) else { return false };
        let PathArguments::AngleBracketed(arguments) = &last.arguments else { return false };
        let [GenericArgument::Type(ty)] = Vec::from_iter(&arguments.args)[..] else { return false };
        let (element, shape) = match bare(ty) {
            Type::Slice(slice) => (&*slice.elem, ("Shared<[", "]>")),
            value => (value, ("Shared<", ">")),
        };
        let Some((found, fixed)) = machine_sized(element) else { return false };
        self.report.mistake(element, wording::machine_sized_share(found, fixed, shape));
        true
    }
}

fn last_of_shared(path: &TypePath) -> Option<&PathSegment> {
    path.path.segments.last().filter(|last| last.ident == "Shared" && !last.arguments.is_none())
}

/// Returns a type whose size is the machine's, and one to write instead.
fn machine_sized(ty: &Type) -> Option<(&'static str, &'static str)> {
    const MACHINE_SIZED: &[(&str, &str)] = &[("usize", "u64"), ("isize", "i64")];
    let Type::Path(path) = bare(ty) else { return None };
    let last = path.path.segments.last()?;
    MACHINE_SIZED.iter().copied().find(|(name, _)| last.ident == name)
}

impl<'ast> Visit<'ast> for Owned<'_> {
    fn visit_type(&mut self, ty: &'ast Type) {
        let message = match (ty, self.position) {
            (Type::Reference(_), Position::Argument) => wording::NESTED_REFERENCE,
            (Type::Reference(_), Position::Result) => wording::RETURNED_REFERENCE,
            (Type::Reference(_), Position::Item) => wording::NESTED_REFERENCE,
            (Type::ImplTrait(ty), position) => opaque(ty, position),
            (Type::TraitObject(object), _) if is_error(object) => wording::DYN_ERROR,
            (Type::TraitObject(_), _) => wording::DYN_TYPE,
            (Type::Ptr(_), _) => wording::RAW_POINTER,
            (Type::FnPtr(_), _) => wording::FN_POINTER,
            _ => return visit::visit_type(self, ty),
        };
        self.report.mistake(ty, message);
    }

    fn visit_type_path(&mut self, path: &'ast TypePath) {
        match path.path.segments.first() {
            Some(first) if first.ident == "Self" => {
                self.report.mistake(path, wording::SELF_TYPE);
            }
            _ if self.shared(path) => {}
            _ if is_boxed_stream(path) => self.report.mistake(path, wording::BOXED_STREAM),
            _ if is_borrowing_cow(path) => self.report.mistake(path, wording::NESTED_LIFETIME),
            _ => visit::visit_type_path(self, path),
        }
    }

    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        // A lifetime parameter has been reported where it is declared.
        if lifetime.ident == "_" {
            self.report.mistake(lifetime, wording::NESTED_LIFETIME);
        }
    }
}

/// Returns whether this is a `Cow` whose lifetime is left out, and so is that of the call.
fn is_borrowing_cow(path: &TypePath) -> bool {
    let Some(last) = path.path.segments.last().filter(|last| last.ident == "Cow") else {
        return false;
    };
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return false };
    !matches!(arguments.args.first(), Some(GenericArgument::Lifetime(_)))
}

/// Returns whether this is a stream that is a trait object: `BoxStream<'_, T>`,
/// `Box<dyn Iterator<Item = T>>`, or `Pin<Box<dyn Stream<Item = T>>>`.
fn is_boxed_stream(path: &TypePath) -> bool {
    let Some(last) = path.path.segments.last() else { return false };
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return false };
    let inner = arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(bare(ty)),
        _ => None,
    });
    match (last.ident.to_string().as_str(), inner) {
        ("BoxStream" | "LocalBoxStream", _) => true,
        ("Box", Some(Type::TraitObject(object))) => {
            object.bounds.iter().any(|bound| Flow::named(bound).is_some())
        }
        ("Pin", Some(Type::Path(inner))) => is_boxed_stream(inner),
        _ => false,
    }
}

fn is_error(object: &TypeTraitObject) -> bool {
    object.bounds.iter().any(|bound| match bound {
        TypeParamBound::Trait(bound) => {
            bound.path.segments.last().is_some_and(|last| last.ident == "Error")
        }
        _ => false,
    })
}

fn opaque(ty: &TypeImplTrait, position: Position) -> &'static str {
    let is = |name: &str| {
        ty.bounds.iter().any(|bound| match bound {
            TypeParamBound::Trait(bound) => {
                bound.path.segments.last().is_some_and(|last| last.ident == name)
            }
            _ => false,
        })
    };
    match position {
        Position::Item if names_stream(ty) => wording::STREAM_IN_STREAM,
        _ if names_stream(ty) => wording::STREAM_INSIDE,
        Position::Result if is("Future") => wording::IMPL_FUTURE,
        Position::Argument | Position::Item => wording::IMPL_ARGUMENT,
        Position::Result => wording::IMPL_RESULT,
    }
}
