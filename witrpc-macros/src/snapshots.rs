//! The code that comes out, beside the trait that went in: `snapshots/NAME.rs` and
//! `snapshots/NAME.expanded.rs`.
//!
//! After an intended change run the tests with `WITRPC_BLESS=1`, and read the difference.

mod lines;

use std::path::PathBuf;
use std::{env, fs};

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Item, Meta};

fn snapshot(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("snapshots").join(file)
}

/// Returns what the macro makes of the one trait in a file, as formatted text.
fn expanded(source: &str) -> String {
    let file = syn::parse_file(source).expect("the snapshot's source is Rust");
    let [Item::Trait(item)] = &file.items[..] else { panic!("the source is one trait") };
    let mut item = item.clone();
    let attribute = item.attrs.remove(0);
    assert!(attribute.path().is_ident("wit_service"), "the trait's first attribute is ours");
    let options = match attribute.meta {
        Meta::List(list) => list.tokens,
        _ => TokenStream::new(),
    };
    let code = crate::service(options, item.into_token_stream());
    prettyplease::unparse(&syn::parse2(code).expect("what is generated is Rust"))
}

fn compare(name: &str) {
    let source = fs::read_to_string(snapshot(&format!("{name}.rs"))).expect("there is a source");
    let found = expanded(&source);
    let path = snapshot(&format!("{name}.expanded.rs"));
    if env::var_os("WITRPC_BLESS").is_some() {
        fs::write(&path, &found).expect("the snapshot can be written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    let differs = expected.lines().zip(found.lines()).position(|(one, other)| one != other);
    let line = differs.unwrap_or_else(|| expected.lines().count().min(found.lines().count()));
    assert!(
        expected == found,
        "{name}.expanded.rs differs from line {}:\n  expected {:?}\n  found    {:?}\n\
         read the whole difference with WITRPC_BLESS=1",
        line + 1,
        expected.lines().nth(line),
        found.lines().nth(line),
    );
}

#[test]
fn every_form_of_method() {
    compare("calculator");
}

#[test]
fn streams_both_ways() {
    compare("streams");
}

#[test]
fn options_and_conditions() {
    compare("options");
}

#[test]
fn every_form_of_event() {
    compare("events");
}

#[test]
fn a_trait_with_mistakes() {
    compare("mistakes");
}
