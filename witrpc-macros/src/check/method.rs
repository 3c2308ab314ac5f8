//! Checks of one method.

use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{FnArg, GenericParam, Pat, ReceiverKind, ReturnType, Safety, Signature, Type};

use super::{no_options, types};
use crate::model::{Answer, Form, Method, Overflow, Parameter, bare};
use crate::report::Report;
use crate::{attributes, wording};

/// The most arguments a method may have, the context aside.
const MAX_ARGUMENTS: usize = 16;

/// Reports what is wrong with a method, and marks it.
pub(super) fn method(method: &mut Method<'_>, report: &mut Report) {
    let before = report.len();
    let signature = &method.source.sig;
    qualifiers(signature, report);
    receiver(signature, report);
    generics(signature, report);
    name(method, report);
    parameters(method, report);
    if let Some(surplus) = method.arguments().filter(|a| a.stream().is_some()).nth(1) {
        report.mistake(&surplus.source.ty, wording::TWO_STREAMS);
    }
    if let ReturnType::Type(_, ty) = &signature.output {
        types::result(ty, report);
    }
    if let (Some(argument), Answer::Stream { .. }) = (method.stream_argument(), &method.answer) {
        report.mistake(&argument.source.ty, wording::STREAM_IN_AND_OUT);
    }
    if let Some(overflow) = &method.options.overflow {
        report.mistake(overflow, wording::OVERFLOW_WITHOUT_EVENT);
    }
    if let Some(item) = &method.options.item {
        report.mistake(item, wording::ITEM_WITHOUT_EVENT);
    }
    if let (Some(option), None) = (&method.options.drop_on_disconnect, signature.asyncness) {
        report.mistake(option, wording::DROP_OF_BLOCKING);
    }
    if report.len() > before {
        method.mistake.get_or_insert(before);
    }
}

/// Reports what is wrong with an event, and marks it.
pub(super) fn event(event: &mut Method<'_>, report: &mut Report) {
    let before = report.len();
    let signature = &event.source.sig;
    qualifiers(signature, report);
    receiver(signature, report);
    generics(signature, report);
    name(event, report);
    parameters(event, report);
    for parameter in &event.parameters {
        match parameter.form {
            Form::Context => report.mistake(parameter.source, wording::EVENT_CONTEXT),
            Form::Stream(..) => report.mistake(&parameter.source.ty, wording::EVENT_STREAM),
            _ => {}
        }
    }
    if let Some(token) = signature.asyncness {
        report.mistake(token, wording::EVENT_ASYNC);
    }
    if let ReturnType::Type(_, ty) = &signature.output {
        report.mistake(ty, wording::EVENT_RESULT);
    }
    if let Some(body) = &event.source.default {
        report.mistake(body, wording::EVENT_BODY);
    }
    event_options(event, report);
    if report.len() > before {
        event.mistake.get_or_insert(before);
    }
}

fn event_options(event: &Method<'_>, report: &mut Report) {
    let name = event.name();
    let options = &event.options;
    for option in
        options.idempotent.iter().chain(&options.result).chain(&options.drop_on_disconnect)
    {
        report.mistake(option, wording::not_for_events(option.to_token_stream()));
    }
    if let Some(overflow) = &options.overflow
        && Overflow::of(overflow).is_none()
    {
        report.mistake(overflow, wording::OVERFLOW_FORM);
    }
    if name.unraw() == "to" {
        let what = "the function that narrows it down to one client";
        report.mistake(name, wording::reserved_event(name.unraw(), what));
    }
}

fn qualifiers(signature: &Signature, report: &mut Report) {
    if let Some(token) = signature.constness {
        report.mistake(token, wording::CONST_METHOD);
    }
    if let Safety::Unsafe(token) = signature.safety {
        report.mistake(token, wording::UNSAFE_METHOD);
    }
    if let Some(abi) = &signature.abi {
        report.mistake(abi, wording::EXTERN_METHOD);
    }
    if let Some(variadic) = &signature.variadic {
        report.mistake(variadic, wording::VARIADIC_METHOD);
    }
}

fn receiver(signature: &Signature, report: &mut Report) {
    let Some(FnArg::Receiver(receiver)) = signature.inputs.first() else { return };
    no_options(&receiver.attrs, wording::NO_OPTIONS_HERE, report);
    match &receiver.kind {
        ReceiverKind::Value => report.mistake(receiver, wording::RECEIVER_BY_VALUE),
        ReceiverKind::Reference(_, _, Some(_)) => {
            report.mistake(receiver, wording::RECEIVER_MUTABLE);
        }
        // A lifetime parameter has been reported where it is declared.
        ReceiverKind::Reference(_, Some(lifetime), _) if lifetime.ident == "static" => {
            report.mistake(lifetime, wording::RECEIVER_TYPED);
        }
        ReceiverKind::Reference(..) => {}
        _ => report.mistake(receiver, wording::RECEIVER_TYPED),
    }
}

fn generics(signature: &Signature, report: &mut Report) {
    for parameter in &signature.generics.params {
        let message = match parameter {
            GenericParam::Lifetime(_) => wording::METHOD_LIFETIME,
            GenericParam::Type(_) | GenericParam::Const(_) => wording::GENERIC_METHOD,
        };
        report.mistake(parameter, message);
    }
    if let Some(clause) = &signature.generics.where_clause {
        report.mistake(clause, wording::METHOD_WHERE);
    }
}

fn name(method: &Method<'_>, report: &mut Report) {
    let name = method.name();
    for attribute in method.source.attrs.iter().filter(|one| attributes::is_of_serde(one)) {
        report.mistake(attribute, wording::SERDE_OPTION_OF_METHOD);
    }
    if method.is_reserved() {
        report.mistake(name, wording::reserved_name(name.unraw()));
    }
}

fn parameters(method: &Method<'_>, report: &mut Report) {
    let mut has_context = false;
    for parameter in &method.parameters {
        for attribute in &parameter.source.attrs {
            if attributes::is_condition(attribute) {
                report.mistake(attribute, wording::CONDITIONAL_ARGUMENT);
            } else if attributes::is_of_serde(attribute) {
                report.mistake(attribute, wording::SERDE_OPTION);
            }
        }
        pattern(parameter, method.source.default.is_some(), report);
        match parameter.form {
            Form::Context if has_context => report.mistake(parameter.source, wording::TWO_CONTEXTS),
            Form::Context => {
                has_context = true;
                context(&parameter.source.ty, report);
            }
            _ => types::argument(&parameter.source.ty, report),
        }
    }
    let found = method.arguments().count();
    if let Some(surplus) = method.arguments().nth(MAX_ARGUMENTS) {
        let message = wording::too_many_arguments(MAX_ARGUMENTS, found);
        report.mistake(surplus.source, message);
    }
}

fn pattern(parameter: &Parameter<'_>, has_body: bool, report: &mut Report) {
    match &*parameter.source.pat {
        Pat::Ident(pattern) if pattern.by_ref.is_some() || pattern.subpat.is_some() => {
            report.mistake(pattern, wording::PATTERN_ARGUMENT);
        }
        Pat::Ident(pattern) => {
            if let Some(token) = pattern.mutability.filter(|_| !has_body) {
                report.mistake(token, wording::MUTABLE_BINDING);
            }
        }
        // The server makes the context, so its name is not needed.
        Pat::Wild(_) if matches!(parameter.form, Form::Context) => {}
        Pat::Wild(pattern) => report.mistake(pattern, wording::UNNAMED_ARGUMENT),
        pattern => report.mistake(pattern, wording::PATTERN_ARGUMENT),
    }
}

/// Reports a context that is not lent. Whether it is one, the compiler finds.
fn context(ty: &Type, report: &mut Report) {
    let is_lent = match bare(ty) {
        Type::Reference(reference) => {
            reference.mutability.is_none() && reference.lifetime.is_none()
        }
        _ => false,
    };
    if !is_lent {
        report.mistake(ty, wording::NOT_A_CONTEXT);
    }
}
