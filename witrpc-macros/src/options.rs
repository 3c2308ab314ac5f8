//! The options of `#[wit_service(..)]` and `#[wit(..)]`, read by one table.

use std::collections::HashMap;

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Lit, LitStr, Meta, Token, Type};

use crate::report::Report;
use crate::{attributes, wording};

#[cfg(test)]
mod tests;

/// What can have options.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OptionPlace {
    Service,
    Method,
    Argument,
}

impl OptionPlace {
    /// Returns the name with its article, for a sentence.
    fn described(self) -> &'static str {
        match self {
            OptionPlace::Service => "a service",
            OptionPlace::Method => "a method",
            OptionPlace::Argument => "an argument",
        }
    }

    fn allowed(self) -> String {
        let mut forms = RULES.iter().filter(|rule| rule.place == self).map(|rule| rule.form);
        let first = forms.next().map_or(String::new(), |form| format!("`{form}`"));
        forms.fold(first, |list, form| format!("{list}, `{form}`"))
    }

    fn attribute(self, form: &str) -> String {
        match self {
            OptionPlace::Service => format!("`#[wit_service({form})]`"),
            OptionPlace::Method | OptionPlace::Argument => format!("`#[wit({form})]`"),
        }
    }
}

/// One option that there is.
struct Rule {
    name: &'static str,
    place: OptionPlace,
    /// How it is written.
    form: &'static str,
    kind: OptionKind,
}

#[derive(Clone, Copy)]
enum OptionKind {
    Flag,
    Text,
    Path,
    Name,
    /// A list of names.
    Names,
    /// A list of paths.
    Paths,
    /// A list of names, each with the type that it stands for.
    Types,
}

const RULES: &[Rule] = &[
    Rule {
        name: "add_self",
        place: OptionPlace::Service,
        form: "add_self",
        kind: OptionKind::Flag,
    },
    Rule {
        name: "crate",
        place: OptionPlace::Service,
        form: "crate = path",
        kind: OptionKind::Path,
    },
    Rule {
        name: "name",
        place: OptionPlace::Service,
        form: "name = \"..\"",
        kind: OptionKind::Text,
    },
    Rule {
        name: "client",
        place: OptionPlace::Service,
        form: "client = Name",
        kind: OptionKind::Name,
    },
    Rule {
        name: "async_client",
        place: OptionPlace::Service,
        form: "async_client = Name",
        kind: OptionKind::Name,
    },
    Rule {
        name: "server",
        place: OptionPlace::Service,
        form: "server = Name",
        kind: OptionKind::Name,
    },
    Rule {
        name: "events",
        place: OptionPlace::Service,
        form: "events = Name",
        kind: OptionKind::Name,
    },
    Rule {
        name: "extends",
        place: OptionPlace::Service,
        form: "extends(Trait, ..)",
        kind: OptionKind::Paths,
    },
    Rule { name: "forward", place: OptionPlace::Service, form: "forward", kind: OptionKind::Flag },
    Rule {
        name: "local",
        place: OptionPlace::Service,
        form: "local(name, ..)",
        kind: OptionKind::Names,
    },
    Rule { name: "results", place: OptionPlace::Service, form: "results", kind: OptionKind::Flag },
    Rule {
        name: "types",
        place: OptionPlace::Service,
        form: "types(T = Type, ..)",
        kind: OptionKind::Types,
    },
    Rule {
        name: "drop_on_disconnect",
        place: OptionPlace::Method,
        form: "drop_on_disconnect",
        kind: OptionKind::Flag,
    },
    Rule { name: "event", place: OptionPlace::Method, form: "event", kind: OptionKind::Flag },
    Rule {
        name: "idempotent",
        place: OptionPlace::Method,
        form: "idempotent",
        kind: OptionKind::Flag,
    },
    Rule { name: "item", place: OptionPlace::Method, form: "item = Name", kind: OptionKind::Name },
    Rule { name: "local", place: OptionPlace::Method, form: "local", kind: OptionKind::Flag },
    Rule {
        name: "overflow",
        place: OptionPlace::Method,
        form: "overflow = \"..\"",
        kind: OptionKind::Text,
    },
    Rule {
        name: "rename",
        place: OptionPlace::Method,
        form: "rename = \"..\"",
        kind: OptionKind::Text,
    },
    Rule { name: "result", place: OptionPlace::Method, form: "result", kind: OptionKind::Flag },
    Rule { name: "ctx", place: OptionPlace::Argument, form: "ctx", kind: OptionKind::Flag },
];

/// What an option that was given says.
enum Value {
    /// The option itself.
    Flag(syn::Path),
    Text(LitStr),
    Path(syn::Path),
    Name(Ident),
    Names(Vec<Ident>),
    Paths(Vec<syn::Path>),
    Types(Vec<(Ident, Type)>),
}

/// The options of the service itself.
#[derive(Default)]
pub(crate) struct ServiceOptions {
    /// Where the `witrpc` crate is.
    pub(crate) crate_path: Option<syn::Path>,
    /// The name on the wire.
    pub(crate) name: Option<LitStr>,
    /// The names of what is generated, by option, where they are not those that the trait's name gives.
    pub(crate) names: HashMap<&'static str, Ident>,
    /// Any return type may be a `Result` under another name.
    pub(crate) results: bool,
    /// Methods without a receiver get `&self`.
    pub(crate) add_self: bool,
    /// The supertraits that are services too.
    pub(crate) extends: Vec<syn::Path>,
    /// References and pointers to a handler are handlers.
    pub(crate) forward: Option<syn::Path>,
    /// The items that clients do not have.
    pub(crate) local: Vec<Ident>,
    /// The types that a generic trait is served for, by parameter.
    pub(crate) types: Vec<(Ident, Type)>,
}

impl ServiceOptions {
    /// Reads what stands in `#[wit_service(..)]`.
    pub(crate) fn read(tokens: TokenStream, report: &mut Report) -> Self {
        let mut options = Self::default();
        let mut found = Vec::new();
        read_list(OptionPlace::Service, tokens, &mut found, report);
        for (name, value) in found {
            match (name, value) {
                ("crate", Value::Path(path)) => options.crate_path = Some(path),
                ("add_self", _) => options.add_self = true,
                ("results", _) => options.results = true,
                ("forward", Value::Flag(option)) => options.forward = Some(option),
                (_, Value::Names(names)) => options.local = names,
                (_, Value::Paths(paths)) => options.extends = paths,
                (_, Value::Types(types)) => options.types = types,
                (option, Value::Name(name)) => drop(options.names.insert(option, name)),
                (_, Value::Text(text)) => options.name = Some(text),
                _ => {}
            }
        }
        options
    }
}

/// The options of a method.
#[derive(Default)]
pub(crate) struct MethodOptions {
    /// May be sent again when it is not known whether it ran.
    pub(crate) idempotent: Option<syn::Path>,
    /// The handler's future is dropped when the client goes.
    pub(crate) drop_on_disconnect: Option<syn::Path>,
    /// The name on the wire.
    pub(crate) rename: Option<LitStr>,
    /// The return type is a `Result` under another name.
    pub(crate) result: Option<syn::Path>,
    /// Clients do not have it.
    pub(crate) local: Option<syn::Path>,
    /// The server tells clients of it: users do not implement it.
    pub(crate) event: bool,
    /// The name of the struct that an event is to its subscribers.
    pub(crate) item: Option<Ident>,
    /// What becomes of an event that a client has no room for.
    pub(crate) overflow: Option<LitStr>,
}

impl MethodOptions {
    /// Reads the `#[wit(..)]` among a method's attributes.
    pub(crate) fn read(attributes: &[Attribute], report: &mut Report) -> Self {
        let mut options = Self::default();
        for (name, value) in read_attributes(OptionPlace::Method, attributes, report) {
            match (name, value) {
                ("drop_on_disconnect", Value::Flag(option)) => {
                    options.drop_on_disconnect = Some(option);
                }
                ("idempotent", Value::Flag(option)) => options.idempotent = Some(option),
                ("result", Value::Flag(option)) => options.result = Some(option),
                ("event", _) => options.event = true,
                ("local", Value::Flag(option)) => options.local = Some(option),
                ("overflow", Value::Text(text)) => options.overflow = Some(text),
                ("item", Value::Name(name)) => options.item = Some(name),
                (_, Value::Text(text)) => options.rename = Some(text),
                _ => {}
            }
        }
        options
    }
}

impl MethodOptions {
    /// Returns whether there is more than one.
    pub(crate) fn are_several(&self) -> bool {
        let Self { idempotent, drop_on_disconnect, rename, result, local, event, item, overflow } =
            self;
        let given = [
            idempotent.is_some(),
            drop_on_disconnect.is_some(),
            rename.is_some(),
            result.is_some(),
            local.is_some(),
            *event,
            item.is_some(),
            overflow.is_some(),
        ];
        given.into_iter().filter(|given| *given).count() > 1
    }
}

/// The options of an argument.
#[derive(Default)]
pub(crate) struct ArgumentOptions {
    /// The server fills it in; it is not on the wire.
    pub(crate) context: bool,
}

impl ArgumentOptions {
    /// Reads the `#[wit(..)]` among an argument's attributes.
    pub(crate) fn read(attributes: &[Attribute], report: &mut Report) -> Self {
        let context = !read_attributes(OptionPlace::Argument, attributes, report).is_empty();
        Self { context }
    }
}

/// Options by name, each once.
type Found = Vec<(&'static str, Value)>;

fn read_attributes(place: OptionPlace, attributes: &[Attribute], report: &mut Report) -> Found {
    let mut found = Vec::new();
    for attribute in attributes {
        if attributes::is_options(attribute) {
            match &attribute.meta {
                Meta::List(list) if !list.tokens.is_empty() => {
                    read_list(place, list.tokens.clone(), &mut found, report);
                }
                other => {
                    report.mistake(other, wording::no_options(place.described(), &place.allowed()))
                }
            }
        }
    }
    found
}

/// Adds options to those found, one by one. A faulty one is reported and left out; the others
/// still count.
fn read_list(place: OptionPlace, tokens: TokenStream, found: &mut Found, report: &mut Report) {
    let metas = match Punctuated::<Meta, Token![,]>::parse_terminated.parse2(tokens) {
        Ok(metas) => metas,
        Err(error) => {
            report.unparsable(error);
            return;
        }
    };
    for meta in metas {
        let Some(rule) = rule_of(place, &meta, report) else { continue };
        if found.iter().any(|(name, _)| *name == rule.name) {
            let message = wording::repeated_option(rule.name, place.described(), &place.allowed());
            report.mistake(&meta, message);
        } else if let Some(value) = value_of(rule, &meta, report) {
            found.push((rule.name, value));
        }
    }
}

fn rule_of(place: OptionPlace, meta: &Meta, report: &mut Report) -> Option<&'static Rule> {
    let name = meta.path().to_token_stream().to_string();
    let (described, allowed) = (place.described(), place.allowed());
    let mut named = RULES.iter().filter(|rule| rule.name == name);
    if let Some(rule) = named.clone().find(|rule| rule.place == place) {
        return Some(rule);
    }
    let message = match named.next() {
        Some(rule) => {
            let write = rule.place.attribute(rule.form);
            let belongs = rule.place.described();
            wording::misplaced_option(name, belongs, &write, described, &allowed)
        }
        None => wording::unknown_option(name, described, &allowed),
    };
    report.mistake(meta, message);
    None
}

/// One `T = Type`.
struct Chosen(Ident, Type);

impl Parse for Chosen {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.parse()?;
        input.parse::<Token![=]>()?;
        Ok(Self(name, input.parse()?))
    }
}

fn value_of(rule: &Rule, meta: &Meta, report: &mut Report) -> Option<Value> {
    match (rule.kind, meta) {
        (OptionKind::Flag, Meta::Path(path)) => return Some(Value::Flag(path.clone())),
        (OptionKind::Text, Meta::NameValue(pair)) => {
            if let Expr::Lit(literal) = &pair.value
                && let Lit::Str(text) = &literal.lit
            {
                if text.value().is_empty() {
                    report.mistake(text, wording::empty_text(rule.form));
                    return None;
                }
                return Some(Value::Text(text.clone()));
            }
        }
        (OptionKind::Name, Meta::NameValue(pair)) => {
            if let Expr::Path(path) = &pair.value
                && let Some(name) = path.path.get_ident()
            {
                return Some(Value::Name(name.clone()));
            }
        }
        (OptionKind::Path, Meta::NameValue(pair)) => {
            if let Expr::Path(path) = &pair.value {
                return Some(Value::Path(path.path.clone()));
            }
        }
        (OptionKind::Names, Meta::List(list)) => {
            let names = list.parse_args_with(Punctuated::<Ident, Token![,]>::parse_terminated);
            if let Some(names) = names.ok().filter(|names| !names.is_empty()) {
                return Some(Value::Names(names.into_iter().collect()));
            }
        }
        (OptionKind::Paths, Meta::List(list)) => {
            let paths = Punctuated::<syn::Path, Token![,]>::parse_terminated_with;
            let paths = list
                .parse_args_with(|input: ParseStream<'_>| paths(input, syn::Path::parse_mod_style));
            if let Some(paths) = paths.ok().filter(|paths| !paths.is_empty()) {
                return Some(Value::Paths(paths.into_iter().collect()));
            }
        }
        (OptionKind::Types, Meta::List(list)) => {
            let types = list.parse_args_with(Punctuated::<Chosen, Token![,]>::parse_terminated);
            if let Some(types) = types.ok().filter(|types| !types.is_empty()) {
                let types = types.into_iter().map(|Chosen(name, ty)| (name, ty));
                return Some(Value::Types(types.collect()));
            }
        }
        _ => {}
    }
    report.mistake(
        meta,
        match rule.kind {
            OptionKind::Flag => wording::flag_with_value(rule.name),
            _ => wording::option_form(rule.name, rule.form),
        },
    );
    None
}
