//! What a trait means as a service: the checks read it, the expanders write code from it.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{
    FnArg, GenericArgument, ItemTrait, Pat, PatType, PathArguments, ReturnType, Signature,
    TraitItem, TraitItemFn, Type, TypeInfer,
};

use crate::attributes::Carried;
use crate::options::{ArgumentOptions, MethodOptions, ServiceOptions};
use crate::parse::TraitInput;
use crate::report::Report;

/// What clients have themselves, besides the methods of the service.
const RESERVED_NAMES: &[&str] = &["connect", "builder", "in_process", "with", "connection"];

/// A service: a trait, seen as what crosses between two processes.
pub(crate) struct Service<'a> {
    /// The trait as written.
    pub(crate) item: &'a ItemTrait,
    /// Where the `witrpc` crate is.
    pub(crate) crate_path: TokenStream,
    /// Its name on the wire.
    pub(crate) wire_name: String,
    /// Its documentation, as an expression.
    pub(crate) docs: TokenStream,
    pub(crate) methods: Vec<Method<'a>>,
}

/// One method of a service.
pub(crate) struct Method<'a> {
    /// As written.
    pub(crate) source: &'a TraitItemFn,
    /// Its name on the wire.
    pub(crate) wire_name: String,
    pub(crate) options: MethodOptions,
    pub(crate) carried: Carried,
    /// In the order of the declaration, without the receiver.
    pub(crate) parameters: Vec<Parameter<'a>>,
    pub(crate) answer: Answer,
    /// The first of the mistakes that were found in it, by its number in the report.
    pub(crate) mistake: Option<usize>,
}

/// One declared argument of a method.
pub(crate) struct Parameter<'a> {
    /// As written.
    pub(crate) source: &'a PatType,
    /// Its name, if it has one.
    pub(crate) name: Option<&'a Ident>,
    pub(crate) form: Form<'a>,
}

/// How an argument crosses.
#[derive(Clone, Copy)]
pub(crate) enum Form<'a> {
    /// Not at all: the server makes it.
    Context,
    /// Handed over.
    Value(&'a Type),
    /// Lent: `&T`.
    Shared(&'a Type),
    /// `&str`.
    Str,
    /// `&Path`.
    Path,
    /// `&[T]`, as raw bytes.
    Raw(&'a Type),
}

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

impl<'a> Service<'a> {
    /// Reads a trait. Mistakes in options are reported here, all others by the checks.
    pub(crate) fn of(input: &'a TraitInput, report: &mut Report) -> Self {
        let TraitInput { options, item } = input;
        let crate_path = crate_path(options, item.ident.span());
        let functions = item.items.iter().filter_map(|item| match item {
            TraitItem::Fn(method) => Some(method),
            _ => None,
        });
        let mut methods: Vec<Method<'_>> = Vec::new();
        for function in functions {
            // What the compiler reports in the trait itself is left to it, and left out here.
            if has_placeholder(&function.sig) {
                continue;
            }
            let method = Method::of(function, &crate_path, report);
            if !methods.iter().any(|earlier| earlier.clashes_with(&method)) {
                methods.push(method);
            }
        }
        let name = options.name.as_ref().map(syn::LitStr::value);
        Self {
            item,
            wire_name: name.unwrap_or_else(|| item.ident.unraw().to_string()),
            docs: Carried::of(&item.attrs).docs,
            methods,
            crate_path,
        }
    }
}

fn crate_path(options: &ServiceOptions, span: Span) -> TokenStream {
    match &options.crate_path {
        Some(path) => path.to_token_stream(),
        None => quote_spanned!(span=> ::witrpc),
    }
}

impl<'a> Method<'a> {
    fn of(source: &'a TraitItemFn, crate_path: &TokenStream, report: &mut Report) -> Self {
        let before = report.len();
        let options = MethodOptions::read(&source.attrs, report);
        let arguments = source.sig.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(argument) => Some(Parameter::of(argument, report)),
            FnArg::Receiver(_) => None,
        });
        let parameters = arguments.collect();
        let rename = options.rename.as_ref().map(syn::LitStr::value);
        Self {
            source,
            wire_name: rename.unwrap_or_else(|| source.sig.ident.unraw().to_string()),
            carried: Carried::of(&source.attrs),
            parameters,
            answer: Answer::of(&source.sig, options.result, crate_path),
            options,
            mistake: (report.len() > before).then_some(before),
        }
    }

    /// The method's name in Rust.
    pub(crate) fn name(&self) -> &'a Ident {
        &self.source.sig.ident
    }

    /// Whether there are two functions of one name for certain.
    fn clashes_with(&self, other: &Self) -> bool {
        let unconditional = |method: &Self| method.carried.conditions.is_empty();
        self.name() == other.name() && unconditional(self) && unconditional(other)
    }

    /// Whether clients have something of that name themselves.
    pub(crate) fn is_reserved(&self) -> bool {
        RESERVED_NAMES.iter().any(|reserved| self.name() == reserved)
    }

    /// Where generated code for the method points. What only the compiler can tell to be a
    /// `Result` is asked about throughout the method, so it all points there.
    pub(crate) fn place(&self) -> Span {
        match &self.answer {
            Answer::Result { projected: Some(result), .. } => result.span(),
            _ => self.name().span(),
        }
    }

    pub(crate) fn is_async(&self) -> bool {
        self.source.sig.asyncness.is_some()
    }

    /// What crosses: the parameters without the context.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = &Parameter<'a>> {
        self.parameters.iter().filter(|parameter| !matches!(parameter.form, Form::Context))
    }
}

impl<'a> Parameter<'a> {
    fn of(source: &'a PatType, report: &mut Report) -> Self {
        let options = ArgumentOptions::read(&source.attrs, report);
        let name = match &*source.pat {
            Pat::Ident(pattern) if pattern.subpat.is_none() => Some(&pattern.ident),
            _ => None,
        };
        let form = if options.context { Form::Context } else { Form::of(&source.ty) };
        Self { source, name, form }
    }

    /// The name, with a stand-in for what the checks have refused.
    pub(crate) fn ident(&self) -> Ident {
        self.name.cloned().unwrap_or_else(|| Ident::new("_unnamed", self.source.pat.span()))
    }

    /// The name on the wire.
    pub(crate) fn wire_name(&self) -> String {
        self.ident().unraw().to_string()
    }
}

impl<'a> Form<'a> {
    fn of(ty: &'a Type) -> Self {
        let Type::Reference(reference) = bare(ty) else { return Form::Value(ty) };
        match bare(&reference.elem) {
            Type::Slice(slice) => Form::Raw(&slice.elem),
            Type::Path(path) if path.path.is_ident("str") => Form::Str,
            Type::Path(path) if ends_in(path, "Path") => Form::Path,
            _ => Form::Shared(&reference.elem),
        }
    }
}

impl Answer {
    fn of(signature: &Signature, marked: bool, crate_path: &TokenStream) -> Self {
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
        let span = Span::mixed_site().located_at(place.unwrap_or_else(|| ty.span()));
        let ty = relocated(ty.to_token_stream(), span);
        let result = quote_spanned!(span=> <#ty as #crate_path::__private::v1::ResultType>);
        Answer::Result {
            ok: quote_spanned!(span=> #result::Ok),
            error: quote_spanned!(span=> #result::Err),
            projected: Some(result),
        }
    }
}

/// The same type, all of whose tokens point at one place.
fn relocated(tokens: TokenStream, place: Span) -> TokenStream {
    let relocate = |mut token: TokenTree| {
        if let TokenTree::Group(group) = &token {
            let inner = relocated(group.stream(), place);
            token = Group::new(group.delimiter(), inner).into();
        }
        // `$crate` alone means where it was written; all other names resolve alike.
        let is_crate = matches!(&token, TokenTree::Ident(name) if name == "$crate");
        token.set_span(if is_crate { token.span().located_at(place) } else { place });
        token
    };
    tokens.into_iter().map(relocate).collect()
}

/// Whether `_` stands for some type of a signature.
fn has_placeholder(signature: &Signature) -> bool {
    struct Search(bool);
    impl Visit<'_> for Search {
        fn visit_type_infer(&mut self, _: &TypeInfer) {
            self.0 = true;
        }
    }
    let mut search = Search(false);
    search.visit_signature(signature);
    search.0
}

/// A type without the parentheses and invisible groups around it.
pub(crate) fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        other => other,
    }
}

/// Whether a path's last segment is this name, without generic arguments.
pub(crate) fn ends_in(path: &syn::TypePath, name: &str) -> bool {
    let last = path.path.segments.last();
    last.is_some_and(|last| last.ident == name && last.arguments.is_none())
}
