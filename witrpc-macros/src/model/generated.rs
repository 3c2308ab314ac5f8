//! The names of the types that are made of a trait, as the user sees them.

use proc_macro2::Ident;
use quote::format_ident;
use syn::ext::IdentExt;

use super::Method;
use crate::hygiene;
use crate::options::ServiceOptions;

/// The names of what stands beside the trait.
pub(crate) struct Generated {
    /// `XServer`.
    pub(crate) server: Ident,
    /// `XClient`.
    pub(crate) client: Ident,
    /// `XAsyncClient`.
    pub(crate) async_client: Ident,
    /// `XEvents`.
    pub(crate) events: Ident,
}

impl Generated {
    /// Returns the names that the options give, and for all others those that the trait's name gives.
    pub(crate) fn of(trait_name: &Ident, options: &ServiceOptions) -> Self {
        let name = trait_name.unraw();
        let or = |option: &str, ending: &str| {
            options.names.get(option).cloned().unwrap_or_else(|| format_ident!("{name}{ending}"))
        };
        Self {
            server: or("server", "Server"),
            client: or("client", "Client"),
            async_client: or("async_client", "AsyncClient"),
            events: or("events", "Events"),
        }
    }

    /// Returns each name with what it is, and the option that gives it another name.
    pub(crate) fn all(&self) -> [(&Ident, &'static str, &'static str); 4] {
        [
            (&self.client, "the client", "client"),
            (&self.async_client, "the async client", "async_client"),
            (&self.server, "the server", "server"),
            (&self.events, "what emits the events", "events"),
        ]
    }
}

impl Generated {
    /// Gives what an option names a name that no user chooses.
    pub(crate) fn hide(&mut self, option: &str) {
        let name = match option {
            "client" => &mut self.client,
            "async_client" => &mut self.async_client,
            "server" => &mut self.server,
            _ => &mut self.events,
        };
        *name = hygiene::private(option, name.span());
    }
}

/// Returns the name of the struct that an event is to its subscribers.
pub(crate) fn item(trait_name: &Ident, event: &Method<'_>) -> Ident {
    event.options.item.clone().unwrap_or_else(|| {
        let name = event.in_camel_case();
        format_ident!("{}{}", trait_name.unraw(), name, span = event.name().span())
    })
}
