//! What a trait means as a service: the checks read it, the expanders write code from it.

mod answer;
mod event;
mod flow;
mod generated;
mod parameter;
mod supertrait;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::ext::IdentExt;
use syn::visit::Visit;
use syn::{FnArg, ItemTrait, Signature, TraitItem, TraitItemFn, TypeInfer};

pub(crate) use self::answer::{Alias, Answer, may_be_alias, stream_in};
pub(crate) use self::event::Overflow;
pub(crate) use self::flow::Flow;
pub(crate) use self::generated::{Generated, item};
pub(crate) use self::parameter::{Form, Parameter, bare, ends_in, optional};
use crate::attributes::Carried;
use crate::crate_name;
use crate::hygiene;
use crate::options::{MethodOptions, ServiceOptions};
use crate::parse::TraitInput;
use crate::report::Report;
use crate::wording;

/// What clients have themselves, besides the methods of the service.
const RESERVED_NAMES: &[&str] =
    &["connect", "builder", "in_process", "in_process_with", "with", "connection"];

/// A service: a trait, seen as what crosses between two processes.
pub(crate) struct Service<'a> {
    /// The trait as written.
    pub(crate) written: &'a ItemTrait,
    /// The same as it is served: it has no parameters, and `async fn` for each future.
    pub(crate) item: &'a ItemTrait,
    /// What [`written`](Self::written) is given in their place.
    pub(crate) arguments: &'a TokenStream,
    /// Where the `witrpc` crate is.
    pub(crate) crate_path: TokenStream,
    pub(crate) options: &'a ServiceOptions,
    /// The types that are made of it.
    pub(crate) generated: Generated,
    /// Its name on the wire.
    pub(crate) wire_name: String,
    /// Its documentation, as an expression.
    pub(crate) docs: TokenStream,
    pub(crate) methods: Vec<Method<'a>>,
    /// The events that the server emits to its clients; the service does not implement them.
    pub(crate) events: Vec<Method<'a>>,
    /// The trait as a whole cannot be a service, so nothing is made of its methods.
    pub(crate) is_no_service: bool,
    /// Methods and events with mistakes, each of which may be configured out.
    pub(crate) left_out: Vec<Method<'a>>,
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
    /// Of an event's two functions in clients, those whose names are another's.
    pub(crate) taken: Vec<String>,
}

impl<'a> Service<'a> {
    /// Reads a trait. Mistakes in options are reported here, all others by the checks.
    pub(crate) fn of(input: &'a TraitInput, report: &mut Report) -> Self {
        let TraitInput { options, written, item, arguments } = input;
        let crate_path = crate_path(options, item.ident.span());
        let functions = item.items.iter().filter_map(|item| match item {
            TraitItem::Fn(method) => Some(method),
            _ => None,
        });
        let mut methods: Vec<Method<'_>> = Vec::new();
        let mut events: Vec<Method<'_>> = Vec::new();
        for function in functions {
            // What the compiler reports in the trait itself is left to it, and left out here.
            if has_placeholder(&function.sig) {
                continue;
            }
            let method = Method::of(function, options.results, report);
            if let Some(local) = &method.options.local {
                if method.options.are_several() {
                    report.mistake(local, wording::LOCAL_BESIDE_OTHERS);
                }
            } else if method.options.event {
                events.push(method);
            } else if !methods.iter().any(|earlier| earlier.clashes_with(&method)) {
                methods.push(method);
            }
        }
        let name = options.name.as_ref().map(syn::LitStr::value);
        Self {
            written,
            item,
            arguments,
            options,
            generated: Generated::of(&item.ident, options),
            wire_name: name.unwrap_or_else(|| item.ident.unraw().to_string()),
            docs: Carried::of(&item.attrs).docs,
            methods,
            events,
            is_no_service: false,
            left_out: Vec::new(),
            crate_path,
        }
    }
}

impl Service<'_> {
    /// Returns the path of the trait as it is served.
    pub(crate) fn path(&self) -> TokenStream {
        let (name, arguments) = (&self.item.ident, self.arguments);
        quote_spanned!(hygiene::at(name.span())=> #name #arguments)
    }

    /// Goes on without the methods and events that have mistakes.
    pub(crate) fn leave_out_mistakes(&mut self) {
        for methods in [&mut self.methods, &mut self.events] {
            self.left_out.extend(methods.extract_if(.., |method| method.mistake.is_some()));
        }
    }

    pub(crate) fn has_events(&self) -> bool {
        !self.events.is_empty()
    }
}

fn crate_path(options: &ServiceOptions, span: Span) -> TokenStream {
    match &options.crate_path {
        Some(path) => path.to_token_stream(),
        None => {
            let span = hygiene::at(span);
            let name = crate_name::renamed(span).unwrap_or_else(|| Ident::new("witrpc", span));
            quote_spanned!(span=> ::#name)
        }
    }
}

impl<'a> Method<'a> {
    fn of(source: &'a TraitItemFn, results: bool, report: &mut Report) -> Self {
        let before = report.len();
        let options = MethodOptions::read(&source.attrs, report);
        let arguments = source.sig.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(argument) => Some(Parameter::of(argument, report)),
            FnArg::Receiver(_) => None,
        });
        let parameters = arguments.collect();
        let rename = options.rename.as_ref().map(syn::LitStr::value);
        let carried = Carried::of(&source.attrs);
        report.under(&carried.conditions, before);
        Self {
            source,
            wire_name: rename.unwrap_or_else(|| source.sig.ident.unraw().to_string()),
            carried,
            parameters,
            answer: Answer::of(&source.sig, options.result.is_some(), results),
            options,
            mistake: (report.len() > before).then_some(before),
            taken: Vec::new(),
        }
    }

    /// Returns the method's name in Rust.
    pub(crate) fn name(&self) -> &'a Ident {
        &self.source.sig.ident
    }

    /// Returns whether there are two functions of one name for certain.
    pub(crate) fn clashes_with(&self, other: &Self) -> bool {
        let unconditional = |method: &Self| method.carried.conditions.is_empty();
        self.name() == other.name() && unconditional(self) && unconditional(other)
    }

    /// Returns whether clients have something of that name themselves.
    pub(crate) fn is_reserved(&self) -> bool {
        let name = self.name().unraw();
        RESERVED_NAMES.iter().any(|reserved| name == reserved)
    }

    /// Returns where generated code for the method points. What only the compiler can tell to be a
    /// `Result` is asked about throughout the method, so it all points there.
    pub(crate) fn place(&self) -> Span {
        match &self.answer {
            Answer::Alias(alias) => alias.span(),
            _ => self.name().span(),
        }
    }

    pub(crate) fn is_async(&self) -> bool {
        self.source.sig.asyncness.is_some()
    }

    /// Returns what crosses: the parameters without the context.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = &Parameter<'a>> {
        self.parameters.iter().filter(|parameter| !matches!(parameter.form, Form::Context))
    }

    /// Returns whether the server gives it the context of the call.
    pub(crate) fn has_context(&self) -> bool {
        self.parameters.iter().any(|parameter| matches!(parameter.form, Form::Context))
    }

    /// Returns whether it takes or returns a stream.
    pub(crate) fn has_stream(&self) -> bool {
        matches!(self.answer, Answer::Stream { .. }) || self.stream_argument().is_some()
    }

    /// Returns the argument that is a stream.
    pub(crate) fn stream_argument(&self) -> Option<&Parameter<'a>> {
        self.arguments().find(|argument| argument.stream().is_some())
    }
}

/// Returns whether `_` stands for some type of a signature.
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
