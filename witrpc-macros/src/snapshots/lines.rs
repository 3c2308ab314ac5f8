//! How much code stands for one method: its part of both clients, of the dispatch and of the descriptor.
//! The conditions that the user has put on it are not counted.

use std::collections::BTreeMap;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Arm, Expr, ExprArray, ImplItem, ItemConst, ItemImpl, ItemStruct, Variant};

use super::snapshot;

const MAX_METHOD_LINES: usize = 50;
/// What comes before the name of a method in the private names of its code.
const PREFIXES: [&str; 2] = ["__fn_", "__is_res_"];

/// The lines of code of each method.
#[derive(Default)]
struct Lines {
    of: BTreeMap<String, usize>,
}

impl Lines {
    fn of(code: &syn::File) -> Self {
        let mut lines = Self::default();
        lines.visit_file(code);
        lines
    }

    /// Counts a piece of code for the method that it names first.
    fn add(&mut self, piece: &impl ToTokens) {
        if let Some(method) = method_in(piece.to_token_stream()) {
            self.add_to(method, piece);
        }
    }

    fn add_to(&mut self, method: String, piece: &impl ToTokens) {
        let span = piece.span();
        let lines = span.end().line - span.start().line + 1;
        *self.of.entry(method).or_default() += lines - conditions_of(piece.to_token_stream());
    }
}

impl<'ast> Visit<'ast> for Lines {
    fn visit_variant(&mut self, variant: &'ast Variant) {
        self.add_to(variant.ident.unraw().to_string(), variant);
    }

    fn visit_item_struct(&mut self, item: &'ast ItemStruct) {
        self.add(item);
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        if method_in(item.self_ty.to_token_stream()).is_some() {
            return self.add(item);
        }
        let client = item.trait_.is_none() && item.items.iter().any(is_connection);
        match client {
            true => item.items.iter().for_each(|function| self.add(function)),
            false => visit::visit_item_impl(self, item),
        }
    }

    fn visit_item_const(&mut self, item: &'ast ItemConst) {
        match (&item.ident, &*item.expr) {
            (name, Expr::Block(_)) if name == "_" => visit::visit_item_const(self, item),
            _ => self.add(item),
        }
    }

    fn visit_arm(&mut self, arm: &'ast Arm) {
        self.add(arm);
    }

    fn visit_expr_array(&mut self, array: &'ast ExprArray) {
        array.elems.iter().for_each(|described: &Expr| self.add(described));
    }
}

/// Returns whether this is the function by which clients are told from other types.
fn is_connection(item: &ImplItem) -> bool {
    matches!(item, ImplItem::Fn(function) if function.sig.ident == "connection")
}

/// Returns how many attributes on some code are conditions. Each has a line of its own.
fn conditions_of(code: TokenStream) -> usize {
    let tokens: Vec<_> = code.into_iter().collect();
    let attributes = tokens.chunks(2).take_while(
        |pair| matches!(pair, [TokenTree::Punct(hash), TokenTree::Group(_)] if hash.as_char() == '#'),
    );
    attributes.filter(|pair| pair[1].to_string().starts_with("[cfg")).count()
}

/// Returns the method whose part some code is, by the first private name in it.
fn method_in(code: TokenStream) -> Option<String> {
    code.into_iter().find_map(|token| match token {
        TokenTree::Ident(name) => {
            let name = name.to_string();
            PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix)).map(str::to_owned)
        }
        TokenTree::Group(group) => method_in(group.stream()),
        _ => None,
    })
}

#[test]
fn the_code_of_a_method_is_short() {
    let mut long = Vec::new();
    for snapshot_name in ["calculator", "streams", "options", "events"] {
        let path = snapshot(&format!("{snapshot_name}.expanded.rs"));
        let code = std::fs::read_to_string(path).expect("the snapshot is there");
        let code = syn::parse_file(&code).expect("the snapshot is Rust");
        let Lines { of } = Lines::of(&code);
        assert!(!of.is_empty(), "no method was found in {snapshot_name}");
        for (method, lines) in of {
            println!("{snapshot_name}: {method} has {lines} lines");
            if lines > MAX_METHOD_LINES {
                long.push(format!("{snapshot_name}::{method} has {lines}"));
            }
        }
    }
    assert!(long.is_empty(), "more than {MAX_METHOD_LINES} lines: {}", long.join(", "));
}
