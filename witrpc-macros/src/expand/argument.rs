//! One argument in the code of either side.

use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::spanned::Spanned;

use super::names::Names;
use crate::hygiene;
use crate::model::{Flow, Form, Method, Parameter, bare, ends_in};

/// Returns the type that says how an argument crosses.
pub(crate) fn kind(argument: &Parameter<'_>, names: &Names) -> TokenStream {
    let span = hygiene::at(argument.ident().span());
    let runtime = &names.runtime;
    match argument.form {
        Form::Value(ty) => quote_spanned!(span=> #runtime::Value<#ty>),
        Form::Shared(ty) => quote_spanned!(span=> #runtime::Borrowed<#ty>),
        Form::Optional(ty) => quote_spanned!(span=> #runtime::Optional<#ty>),
        Form::Str => quote_spanned!(span=> #runtime::Str),
        Form::Raw(ty) => quote_spanned!(span=> #runtime::Raw<#ty>),
        Form::Stream(_, ty) => quote_spanned!(span=> #runtime::Uploaded<#ty>),
        Form::Context => unreachable!("the context does not cross"),
    }
}

/// Returns the function that says how an argument crosses. It asks for the bounds of the type, and
/// points at it.
pub(crate) fn how(argument: &Parameter<'_>, of_event: bool, names: &Names) -> TokenStream {
    let at = |ty: &syn::Type| {
        let span = hygiene::at(ty.span());
        (span, names.runtime_at(span))
    };
    match argument.form {
        Form::Value(ty) if of_event => {
            let (span, runtime) = at(ty);
            quote_spanned!(span=> #runtime::emitted::<#ty>)
        }
        Form::Shared(ty) if of_event => {
            let (span, runtime) = at(ty);
            quote_spanned!(span=> #runtime::emitted_lent::<#ty>)
        }
        Form::Value(ty) => {
            let (span, runtime) = at(ty);
            quote_spanned!(span=> #runtime::value::<#ty>)
        }
        Form::Shared(ty) => {
            let (span, runtime) = at(ty);
            quote_spanned!(span=> #runtime::lent::<#ty>)
        }
        Form::Optional(ty) => {
            let (span, runtime) = at(ty);
            quote_spanned!(span=> #runtime::optional::<#ty>)
        }
        Form::Raw(ty) => {
            let (span, runtime) = at(ty);
            quote_spanned!(span=> #runtime::raw::<#ty>)
        }
        Form::Stream(Flow::Iterator, ty) => {
            let (span, runtime) = at(ty);
            quote_spanned!(span=> #runtime::iterator::<Self>)
        }
        Form::Stream(Flow::Stream, ty) => {
            let (span, runtime) = at(ty);
            quote_spanned!(span=> #runtime::stream::<Self>)
        }
        Form::Str => {
            let (span, runtime) = (hygiene::at(argument.ident().span()), &names.runtime);
            quote_spanned!(span=> #runtime::str)
        }
        Form::Context => unreachable!("the context does not cross"),
    }
}

/// Returns statements that ask once more for the bounds of what a future holds, in the words of
/// [`how`].
///
/// A future that holds a type without them is not `Send`, which the compiler would report as well.
/// It does not where it has found an error in the same function, and it drops an error that says
/// what an earlier one has said of the same place.
pub(crate) fn held_by_future(method: &Method<'_>, names: &Names) -> TokenStream {
    let held = method.arguments().filter(|argument| match argument.form {
        Form::Value(ty) | Form::Shared(ty) | Form::Optional(ty) | Form::Raw(ty) => !is_known(ty),
        Form::Stream(..) | Form::Str | Form::Context => false,
    });
    let asked = held.map(|argument| {
        let how = how(argument, false, names);
        let span = hygiene::at(argument.ident().span());
        quote_spanned!(span=> let _ = #how;)
    });
    asked.collect()
}

/// Returns whether a type is written like one of Rust's that has all bounds. If it is another of that name,
/// its user reads one error more.
fn is_known(ty: &syn::Type) -> bool {
    const KNOWN: &[&str] = &[
        "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "u8", "u16", "u32", "u64",
        "u128", "usize", "isize", "String", "Path",
    ];
    let syn::Type::Path(path) = bare(ty) else { return false };
    KNOWN.iter().any(|known| path.path.is_ident(known))
}

/// Returns an argument as the sender lends it.
pub(crate) fn lent(argument: &Parameter<'_>) -> TokenStream {
    let name = argument.ident();
    let span = hygiene::at(name.span());
    match argument.form {
        Form::Value(_) => quote_spanned!(span=> &#name),
        Form::Stream(..) => quote_spanned!(span=> ()),
        _ => quote_spanned!(span=> #name),
    }
}

/// Returns the pattern for an argument that has come.
pub(crate) fn taken(argument: &Parameter<'_>) -> TokenStream {
    let name = argument.ident();
    let span = hygiene::at(name.span());
    match argument.form {
        Form::Stream(..) => quote_spanned!(span=> ()),
        _ => quote_spanned!(span=> #name),
    }
}

/// Returns an argument that has come, as the method takes it; `context` is an expression for that.
pub(crate) fn passed(
    parameter: &Parameter<'_>,
    context: &TokenStream,
    names: &Names,
) -> TokenStream {
    let name = parameter.ident();
    let span = hygiene::at(name.span());
    match parameter.form {
        Form::Value(_) => quote_spanned!(span=> #name),
        Form::Context => lent_context(parameter, context, names),
        Form::Stream(Flow::Iterator, _) => quote_spanned!(span=> upload.iterator()),
        Form::Stream(Flow::Stream, _) => quote_spanned!(span=> upload.stream()),
        Form::Shared(_) | Form::Str | Form::Raw(_) => quote_spanned!(span=> &#name),
        Form::Optional(ty) => {
            let runtime = &names.runtime;
            quote_spanned!(span=> #runtime::lend::<#ty>(&#name))
        }
    }
}

/// Returns the context as the method takes it. The compiler finds whether that is the type of a context.
fn lent_context(parameter: &Parameter<'_>, context: &TokenStream, names: &Names) -> TokenStream {
    let span = hygiene::at(parameter.source.ty.span());
    let ty = match bare(&parameter.source.ty) {
        syn::Type::Reference(reference) => &*reference.elem,
        other => other,
    };
    match ty {
        syn::Type::Path(path) if ends_in(path, "CallContext") => quote_spanned!(span=> &#context),
        _ => {
            let runtime = names.runtime_at(span);
            quote_spanned!(span=> #runtime::context::<#ty>(&#context))
        }
    }
}
