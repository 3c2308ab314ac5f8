//! The input of the rules: the modules of a crate, read from its sources without its tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use proc_macro2::{Literal, Span, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, Lit, Meta, UseTree, Visibility};

/// The sources of one crate.
#[derive(Default)]
pub(crate) struct Crate {
    pub(crate) modules: Vec<Module>,
    pub(crate) files: Vec<File>,
}

/// One module: a file, or a part of one.
#[derive(Default)]
pub(crate) struct Module {
    /// The names that lead to it from the crate's root.
    pub(crate) path: Vec<String>,
    pub(crate) file: String,
    /// The names of its items, and those that it takes from other crates, which count as its own.
    pub(crate) defines: BTreeSet<String>,
    /// The names that are passed to macros outside of functions: those of items that the macros
    /// make.
    made: BTreeSet<String>,
    /// The traits that are services. The names of all that is made from one begin with its own.
    services: BTreeSet<String>,
    pub(crate) types: BTreeSet<String>,
    /// What it re-exports by name, and the path that leads there.
    pub(crate) reexports: Vec<(String, Vec<String>)>,
    /// The modules that it re-exports as a whole.
    pub(crate) globs: Vec<Vec<String>>,
    /// The paths within the crate that it uses.
    pub(crate) paths: BTreeSet<Vec<String>>,
    /// The first names of its paths that lead out of the crate, or may.
    outside: BTreeSet<String>,
}

impl Module {
    pub(crate) fn names_crate(&self, name: &str) -> bool {
        self.outside.contains(name)
    }

    /// Returns whether a macro can have made an item of this name here.
    pub(crate) fn makes(&self, name: &str) -> bool {
        self.made.contains(name)
            || self.services.iter().any(|service| name.starts_with(service.as_str()))
    }
}

/// One file.
pub(crate) struct File {
    pub(crate) path: String,
    /// The number of all lines.
    pub(crate) lines: usize,
    /// The lines that are neither blank, nor a comment, nor in a test, without their indentation.
    pub(crate) code: Vec<String>,
    /// The number of items with a restricted visibility.
    pub(crate) restricted: usize,
    /// Each function's name and lines.
    pub(crate) functions: Vec<(String, usize)>,
}

/// The source of a file's text.
type Load<'a> = dyn Fn(&Path) -> Option<String> + 'a;

impl Crate {
    /// Returns a crate of this workspace, which is read once.
    pub(crate) fn read(name: &'static str) -> &'static Self {
        static READ: Mutex<BTreeMap<&str, &Crate>> = Mutex::new(BTreeMap::new());
        let mut read = READ.lock().expect("no reader has failed");
        read.entry(name).or_insert_with(|| Box::leak(Box::new(Self::from_files(name))))
    }

    fn from_files(name: &str) -> Self {
        let root =
            Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests is in the workspace");
        let load = |path: &Path| fs::read_to_string(root.join(path)).ok();
        let mut sources = Self::default();
        let roots = ["src/lib.rs", "src/main.rs"].map(|file| Path::new(name).join(file));
        let file = roots.iter().find(|file| root.join(file).is_file());
        sources.add_file(&load, file.expect("it has a root"), Vec::new());
        sources
    }

    /// Parses a crate from the texts of its files.
    pub(crate) fn parse(files: &[(&str, &str)]) -> Self {
        let load = |path: &Path| {
            let text = files.iter().find(|(file, _)| Path::new(file) == path)?.1;
            Some(text.to_owned())
        };
        let mut sources = Self::default();
        sources.add_file(&load, Path::new("src/lib.rs"), Vec::new());
        sources
    }

    fn add_file(&mut self, load: &Load<'_>, file: &Path, path: Vec<String>) {
        let text = load(file).unwrap_or_else(|| panic!("there is no {}", file.display()));
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| {
            panic!("{} does not parse: {error}", file.display());
        });
        let name = file.to_string_lossy().into_owned();
        self.files.push(measure(&name, &text, &parsed));
        self.add_module(load, file, path, &parsed.items);
    }

    fn add_module(&mut self, load: &Load<'_>, file: &Path, path: Vec<String>, items: &[Item]) {
        let children: BTreeSet<_> = items.iter().filter_map(module_name).collect();
        let mut reader = Reader {
            module: Module {
                path: path.clone(),
                file: file.to_string_lossy().into_owned(),
                ..Module::default()
            },
            children,
        };
        let mut inside = Vec::new();
        for item in items.iter().filter(|item| !is_test(attributes(item))) {
            match item {
                Item::Mod(module) => inside.push(module),
                item => reader.item(item),
            }
        }
        self.modules.push(reader.module);
        for module in inside {
            let mut path = path.clone();
            path.push(module.ident.to_string());
            match &module.content {
                Some((_, items)) => self.add_module(load, file, path, items),
                None => self.add_file(load, &file_of(load, file, &module.ident.to_string()), path),
            }
        }
    }
}

/// Returns the file of a module that a file declares.
fn file_of(load: &Load<'_>, parent: &Path, name: &str) -> PathBuf {
    let stem = parent.file_stem().expect("a file has a name");
    let folder = match stem.to_str() {
        Some("lib" | "mod" | "main") => parent.with_file_name(""),
        _ => parent.with_extension(""),
    };
    let file = folder.join(format!("{name}.rs"));
    if load(&file).is_some() { file } else { folder.join(name).join("mod.rs") }
}

fn module_name(item: &Item) -> Option<String> {
    match item {
        Item::Mod(module) => Some(module.ident.to_string()),
        _ => None,
    }
}

/// Reads what a module defines and what it uses.
struct Reader {
    module: Module,
    children: BTreeSet<String>,
}

impl Reader {
    fn item(&mut self, item: &Item) {
        if let Some((name, is_type)) = defined(item) {
            if is_type {
                self.module.types.insert(name.clone());
            }
            self.module.defines.insert(name);
        }
        match item {
            Item::Use(item) => {
                let is_reexport = !matches!(item.vis, Visibility::Inherited);
                self.uses(&item.tree, Vec::new(), is_reexport);
            }
            item => {
                match item {
                    Item::Macro(item) => names(item.mac.tokens.clone(), &mut self.module.made),
                    Item::Trait(item) if is_service(item) => {
                        self.module.services.insert(item.ident.to_string());
                    }
                    _ => {}
                }
                self.visit_item(item);
            }
        }
    }

    fn uses(&mut self, tree: &UseTree, mut prefix: Vec<String>, is_reexport: bool) {
        match tree {
            UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.uses(&path.tree, prefix, is_reexport);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.uses(tree, prefix.clone(), is_reexport);
                }
            }
            UseTree::Name(name) => {
                if name.ident != "self" {
                    prefix.push(name.ident.to_string());
                }
                self.used(&name.ident.to_string(), &prefix, is_reexport);
            }
            UseTree::Rename(rename) => {
                if rename.ident != "self" {
                    prefix.push(rename.ident.to_string());
                }
                self.used(&rename.rename.to_string(), &prefix, is_reexport);
            }
            UseTree::Glob(_) => {
                if let Some(path) = self.absolute(&prefix) {
                    self.module.globs.push(path);
                }
            }
        }
    }

    fn used(&mut self, alias: &str, path: &[String], is_reexport: bool) {
        let Some(path) = self.absolute(path) else {
            self.module.defines.insert(alias.to_owned());
            return;
        };
        if is_reexport {
            self.module.reexports.push((alias.to_owned(), path));
        } else {
            self.module.paths.insert(path.clone());
            // A path that begins with the imported name goes on from there.
            self.module.reexports.push((alias.to_owned(), path));
        }
    }

    /// Returns the path from the crate's root, if it stays in the crate.
    fn absolute(&mut self, path: &[String]) -> Option<Vec<String>> {
        let (first, rest) = path.split_first()?;
        let own = &self.module.path;
        let mut absolute = match first.as_str() {
            "crate" => Vec::new(),
            "self" => own.clone(),
            "super" => own[..own.len().checked_sub(1)?].to_vec(),
            name if self.children.contains(name) => {
                own.iter().cloned().chain([name.to_owned()]).collect()
            }
            name => {
                self.module.outside.insert(name.to_owned());
                return None;
            }
        };
        for segment in rest {
            if segment == "super" {
                absolute.pop();
            } else {
                absolute.push(segment.clone());
            }
        }
        Some(absolute)
    }

    fn path(&mut self, path: &[String]) {
        let imported = path.first().and_then(|first| {
            let imports = &self.module.reexports;
            imports.iter().find(|(alias, _)| alias == first).map(|(_, target)| target.clone())
        });
        let whole = match imported {
            Some(target) => Some(target.into_iter().chain(path[1..].iter().cloned()).collect()),
            None => self.absolute(path),
        };
        self.module.paths.extend(whole);
    }

    /// Finds paths in the argument of a macro or an attribute, which is not parsed.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => {
                    colons += 1
                }
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.path(&std::mem::take(&mut path));
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Group(group) => {
                    self.path(&std::mem::take(&mut path));
                    self.tokens(group.stream());
                }
                token => {
                    self.path(&std::mem::take(&mut path));
                    colons = 0;
                    if let TokenTree::Literal(literal) = token {
                        self.literal(literal);
                    }
                }
            }
        }
        self.path(&path);
    }

    /// Finds the path in a string, as in `serde(with = "..")`.
    fn literal(&mut self, literal: Literal) {
        if let Lit::Str(text) = Lit::new(literal)
            && let Ok(path) = text.parse::<syn::Path>()
        {
            self.visit_path(&path);
        }
    }
}

impl Visit<'_> for Reader {
    fn visit_path(&mut self, path: &syn::Path) {
        let names: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if names.len() > 1 {
            self.path(&names);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invoked: &syn::Macro) {
        self.tokens(invoked.tokens.clone());
    }

    fn visit_item_use(&mut self, item: &syn::ItemUse) {
        self.uses(&item.tree, Vec::new(), false);
    }

    fn visit_impl_item(&mut self, item: &syn::ImplItem) {
        if !matches!(item, syn::ImplItem::Fn(item) if is_test(&item.attrs)) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_local(&mut self, local: &syn::Local) {
        if !is_test(&local.attrs) {
            visit::visit_local(self, local);
        }
    }

    fn visit_attribute(&mut self, attribute: &Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone());
        }
        visit::visit_attribute(self, attribute);
    }
}

/// Returns whether a trait has the attribute that makes clients and servers.
fn is_service(item: &syn::ItemTrait) -> bool {
    let name =
        |attribute: &Attribute| attribute.path().segments.last().map(|last| last.ident.clone());
    item.attrs.iter().filter_map(name).any(|name| name == "wit_service")
}

/// Adds all names among `tokens`.
fn names(tokens: TokenStream, found: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => {
                found.insert(ident.to_string());
            }
            TokenTree::Group(group) => names(group.stream(), found),
            _ => {}
        }
    }
}

/// Returns the name that an item defines, and whether it is a type's.
fn defined(item: &Item) -> Option<(String, bool)> {
    Some(match item {
        Item::Struct(item) => (item.ident.to_string(), true),
        Item::Enum(item) => (item.ident.to_string(), true),
        Item::Union(item) => (item.ident.to_string(), true),
        Item::Trait(item) => (item.ident.to_string(), true),
        Item::Type(item) => (item.ident.to_string(), true),
        Item::Fn(item) => (item.sig.ident.to_string(), false),
        Item::Const(item) => (item.ident.to_string(), false),
        Item::Static(item) => (item.ident.to_string(), false),
        Item::Macro(item) => (item.ident.as_ref()?.to_string(), false),
        _ => return None,
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Mod(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        Item::Const(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        _ => &[],
    }
}

/// Returns whether an item is compiled for tests only, for fuzzing, or for documentation.
fn is_test(attributes: &[Attribute]) -> bool {
    let is_cfg = |attribute: &&Attribute| attribute.path().is_ident("cfg");
    attributes.iter().filter(is_cfg).any(|attribute| {
        let tokens = attribute.meta.require_list().map(|list| list.tokens.to_string());
        let tokens = tokens.unwrap_or_default();
        let named = |name| tokens.split(|c: char| !c.is_alphanumeric()).any(|word| word == name);
        !tokens.starts_with("not") && (named("test") || named("doctest"))
    })
}

/// Measures a file.
fn measure(path: &str, text: &str, parsed: &syn::File) -> File {
    let mut functions = Functions { found: Vec::new(), restricted: 0, tests: Vec::new() };
    functions.visit_file(parsed);
    let is_code = |line: &str| !line.is_empty() && !line.starts_with("//");
    let in_test =
        |number: usize| functions.tests.iter().any(|(from, to)| (*from..=*to).contains(&number));
    let lines = text.lines().map(str::trim).enumerate();
    let code = lines.filter(|(at, line)| is_code(line) && !in_test(at + 1));
    File {
        path: path.to_owned(),
        lines: text.lines().count(),
        code: code.map(|(_, line)| line.to_owned()).collect(),
        restricted: functions.restricted,
        functions: functions.found,
    }
}

/// Finds functions, tests and restricted visibilities.
struct Functions {
    found: Vec<(String, usize)>,
    restricted: usize,
    /// The first and the last line of each test.
    tests: Vec<(usize, usize)>,
}

impl Functions {
    fn function(&mut self, name: &syn::Ident, span: Span) {
        self.found.push((name.to_string(), span.end().line - span.start().line + 1));
    }
}

impl<'a> Visit<'a> for Functions {
    fn visit_item(&mut self, item: &'a Item) {
        if is_test(attributes(item)) {
            let span = item.span();
            self.tests.push((span.start().line, span.end().line));
        } else {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        self.function(&item.sig.ident, item.block.span());
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        self.function(&item.sig.ident, item.block.span());
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_vis_restricted(&mut self, _: &'a syn::VisRestricted) {
        self.restricted += 1;
    }
}
