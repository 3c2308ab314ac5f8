//! The supertraits that are services: clients reach them over the same connection, and the server serves them.

use proc_macro2::TokenStream;
use quote::quote_spanned;

use super::client_kind::ClientKind;
use super::names::Names;
use crate::hygiene;
use crate::model::Service;

/// The endings of what is generated of a trait.
const ENDINGS: [&str; 3] = ["Client", "AsyncClient", "Server"];

/// Returns the import of what is generated of them. A supertrait that is no service is one error here.
pub(crate) fn import(service: &Service<'_>) -> TokenStream {
    let imports = service.supertraits().map(|supertrait| {
        let span = supertrait.span();
        let named = ENDINGS.map(|ending| {
            let (path, alias) = (supertrait.generated(ending), supertrait.alias(ending));
            quote_spanned!(span=> #path as #alias)
        });
        quote_spanned!(span=> #[allow(unused_imports)] use {#(#named),*};)
    });
    imports.collect()
}

/// Returns the functions of a client that make clients of them.
pub(crate) fn functions(service: &Service<'_>, names: &Names, kind: ClientKind) -> TokenStream {
    let functions = service.supertraits().map(|supertrait| {
        let span = supertrait.span();
        let (witrpc, visibility) = (&names.witrpc, &service.item.vis);
        let name = supertrait.function();
        let client = supertrait.alias(kind.ending());
        let lifetime = kind.lifetime(span);
        let generics = lifetime.as_ref().map(|lifetime| quote_spanned!(span=> <#lifetime>));
        let bound = lifetime.as_ref().map(|lifetime| quote_spanned!(span=> + #lifetime));
        let outcome = quote_spanned!(span=> ::core::result::Result<#client, #witrpc::ConnectError>);
        let returns = kind.returns(&outcome, span);
        let asked = match kind {
            ClientKind::Blocking => quote_spanned!(span=> self.connection.client()),
            ClientKind::Async => quote_spanned!(span=> self.connection.client_async().await),
        };
        let body = kind.body(&asked, span);
        let docs = format!(
            " Returns a client of the supertrait [`{0}`], over the same connection.",
            quote::ToTokens::to_token_stream(supertrait.path).to_string().replace(' ', ""),
        );
        quote_spanned! {span=>
            #[doc = #docs]
            ///
            /// # Errors
            ///
            /// The server does not serve it, or the connection has ended.
            #visibility fn #name #generics(& #lifetime self) -> #returns #bound #body
        }
    });
    functions.collect()
}

/// Returns the function of the dispatch that gives the servers of them, if there are any.
pub(crate) fn servers(service: &Service<'_>, names: &Names) -> Option<TokenStream> {
    let span = hygiene::at(service.item.ident.span());
    let runtime = &names.runtime;
    let servers: Vec<_> = service
        .supertraits()
        .map(|supertrait| {
            let span = supertrait.span();
            let (server, runtime) = (supertrait.alias("Server"), names.runtime_at(span));
            quote_spanned!(span=> #runtime::IntoService::into_service(
                #server::from_arc(::std::sync::Arc::clone(&self.0))
            ))
        })
        .collect();
    (!servers.is_empty()).then(|| {
        quote_spanned! {span=>
            fn supertraits(&self) -> ::std::vec::Vec<::std::sync::Arc<dyn #runtime::Service>> {
                ::std::vec![#(#servers),*]
            }
        }
    })
}
