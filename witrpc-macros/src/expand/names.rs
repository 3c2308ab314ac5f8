//! The names that generated code is made of.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::ext::IdentExt;

use crate::hygiene;
use crate::model::{Generated, Method, Service};

/// The names that a service's parts refer to each other by.
#[derive(Clone)]
pub(crate) struct Names {
    /// The `witrpc` crate.
    pub(crate) witrpc: TokenStream,
    /// Its part for generated code.
    pub(crate) runtime: TokenStream,
    /// `XServer`.
    pub(crate) server: Ident,
    /// `XClient`.
    pub(crate) blocking_client: Ident,
    /// `XAsyncClient`.
    pub(crate) async_client: Ident,
    /// `XEvents`.
    pub(crate) events: Ident,
    /// The struct that hands calls to a handler.
    pub(crate) dispatch: Ident,
    /// The type parameter for a handler, where no type of the user's is in sight.
    pub(crate) handler: Ident,
    /// The constant that describes the service.
    pub(crate) descriptor: Ident,
    /// The enum that numbers the methods.
    pub(crate) methods: Ident,
    /// The enum that numbers the events.
    pub(crate) event_numbers: Ident,
}

impl Names {
    pub(crate) fn of(service: &Service<'_>) -> Self {
        let witrpc = service.crate_path.clone();
        let Generated { server, client, async_client, events } = &service.generated;
        let name = service.item.ident.unraw();
        let place = name.span();
        let span = hygiene::at(place);
        // A trait or a type of that very name would be hidden by the parameter.
        let named = service.path().to_string();
        let is_free =
            |one: &&&str| named.split(|c: char| !c.is_alphanumeric()).all(|name| name != **one);
        let handler = ["S", "T", "U", "V"].iter().find(is_free).unwrap_or(&"Handler");
        Self {
            runtime: quote_spanned!(span=> #witrpc::__private::v1),
            witrpc,
            server: server.clone(),
            blocking_client: client.clone(),
            async_client: async_client.clone(),
            events: events.clone(),
            dispatch: hygiene::private("Dispatch", place),
            handler: Ident::new(handler, span),
            descriptor: hygiene::private("descriptor", place),
            methods: hygiene::private("Methods", place),
            event_numbers: hygiene::private("Events", place),
        }
    }

    /// Returns the names within the unnamed constant, where the runtime has a short one, and the
    /// import that gives it that.
    pub(crate) fn within(&self, place: Span) -> (Self, TokenStream) {
        let (long, short) = (&self.runtime, Ident::new("__wit", hygiene::at(place)));
        let import = quote_spanned!(hygiene::at(place)=> use #long as #short;);
        (Self { runtime: short.into_token_stream(), ..self.clone() }, import)
    }

    /// Returns the runtime's path, pointing at the user's tokens there.
    pub(crate) fn runtime_at(&self, span: Span) -> TokenStream {
        hygiene::relocated(self.runtime.clone(), span)
    }

    /// Returns a method's or an event's number: its place among those that are there.
    pub(crate) fn number(&self, method: &Method<'_>) -> TokenStream {
        let numbers = if method.options.event { &self.event_numbers } else { &self.methods };
        let variant = variant(method);
        let span = variant.span();
        quote_spanned!(span=> #numbers::#variant as _)
    }
}

/// Returns a method's name as a variant of [`Names::methods`], located as generated code so that
/// lints leave it alone. There it may be a keyword that it is not where the user writes it.
pub(crate) fn variant(method: &Method<'_>) -> Ident {
    let mut name = method.name().clone();
    name.set_span(hygiene::at(name.span()));
    if name == "gen" { Ident::new_raw("gen", name.span()) } else { name }
}

/// Returns the name of the struct that stands for a method. No other private name begins like it, so
/// a method may be called like any of them.
pub(crate) fn marker(method: &Method<'_>) -> Ident {
    format_ident!("__fn_{}", method.name().unraw(), span = hygiene::at(method.place()))
}

/// Returns the name of the constant that says whether a method's type is a `Result`.
pub(crate) fn is_result(method: &Method<'_>, span: Span) -> Ident {
    format_ident!("__is_res_{}", method.name().unraw(), span = span)
}
