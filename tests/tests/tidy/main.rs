//! The structure of the crates, as rules: which way imports run, how long files and functions are, and
//! that one name means one thing.
//!
//! `cargo test -p witrpc-tests --test tidy -- --nocapture` prints what was counted. Violations that
//! are still to be mended are listed in `known.txt`. A line there that no rule finds any more fails
//! the test too, so the list only shrinks.

mod graph;
mod known;
mod layers;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use graph::Graph;
use source::Crate;

/// The crates that users build, lowest first.
const CRATES: [&str; 7] = [
    "witrpc-transport",
    "witrpc-rt",
    "witrpc-mmf",
    "witrpc-macros",
    "witrpc",
    "witrpc-cli",
    "witrpc-conformance",
];

const MAX_FILE_LINES: usize = 500;
const MAX_FUNCTION_LINES: usize = 80;
/// The strings by which a line of `witrpc-mmf` asks for the backend.
const BACKEND_QUESTIONS: [&str; 4] =
    [".portable()", "Backend::", "Lookout", "feature = \"portable\""];
const MAX_BACKEND_QUESTIONS: usize = 10;
/// The words that would mean a different thing in each file.
const BARE_WORDS: [&str; 10] =
    ["State", "Stage", "Place", "Line", "Link", "Exchange", "Kind", "Phase", "Step", "Shared"];
/// The most files in a circle of imports, whatever the reason.
const MAX_CIRCLE: usize = 3;

#[test]
fn imports_run_one_way() {
    let mut found = Vec::new();
    for name in CRATES {
        let graph = Graph::of(Crate::read(name));
        found.extend(layers::upward(name, &graph));
        found.extend(graph.circles(MAX_CIRCLE).iter().map(ToString::to_string));
        found.extend(graph.lost);
    }
    known::compare("imports", found);
}

#[test]
fn only_the_endpoints_name_the_shared_memory_engine() {
    let sources = Crate::read("witrpc");
    let found = sources
        .modules
        .iter()
        .filter(|module| !layers::is_endpoint(&module.file) && module.names_crate("witrpc_mmf"))
        .map(|module| format!("{} names witrpc_mmf", module.file));
    known::compare("engine", found.collect());
}

#[test]
fn the_portable_backend_is_one_folder() {
    let sources = Crate::read("witrpc-mmf");
    let namers = sources.modules.iter().filter(|module| module.names_crate("shared_memory"));
    let namers: Vec<_> = namers.map(|module| module.file.as_str()).collect();
    assert_eq!(namers, ["witrpc-mmf/src/portable/shm.rs"]);

    let outside = sources.files.iter().filter(|file| !layers::is_portable(&file.path));
    let lines = outside.flat_map(|file| file.code.iter().map(|line| (&file.path, line)));
    let asks = |line: &str| BACKEND_QUESTIONS.iter().any(|question| line.contains(question));
    let asking = lines.filter(|(_, line)| !line.starts_with("use ") && asks(line));
    let asking: Vec<_> = asking.map(|(file, line)| format!("\n{file}: {line}")).collect();
    println!("{} lines outside of it ask which backend there is:{}", asking.len(), asking.concat());
    assert!(!asking.is_empty(), "these lines have other words now");
    assert!(asking.len() <= MAX_BACKEND_QUESTIONS, "too many:{}", asking.concat());
}

#[test]
fn files_and_functions_are_short() {
    let mut found = Vec::new();
    for name in CRATES {
        for file in &Crate::read(name).files {
            if file.lines > MAX_FILE_LINES {
                found.push(format!("{} has more than {MAX_FILE_LINES} lines", file.path));
            }
            let long = file.functions.iter().filter(|(_, lines)| *lines > MAX_FUNCTION_LINES);
            found.extend(long.map(|(function, _)| {
                format!("{}: {function} has more than {MAX_FUNCTION_LINES} lines", file.path)
            }));
        }
    }
    known::compare("length", found);
}

#[test]
fn one_name_means_one_type() {
    let mut found = Vec::new();
    for name in CRATES {
        let sources = Crate::read(name);
        let mut places = BTreeMap::<_, Vec<_>>::new();
        for module in &sources.modules {
            for name in &module.types {
                places.entry(name).or_default().push(module.file.as_str());
            }
        }
        let twice = places.iter().filter(|(_, files)| files.len() > 1);
        found.extend(twice.map(|(type_name, files)| {
            format!("{type_name} is {} types of {name}: {}", files.len(), files.join(", "))
        }));
    }
    known::compare("names", found);
}

/// A word for a concept belongs to one type of the workspace. Any other type has its owner's name before it.
#[test]
fn a_bare_word_is_one_type_of_the_workspace() {
    let mut places = BTreeMap::<_, Vec<_>>::new();
    for name in CRATES {
        for module in &Crate::read(name).modules {
            let bare = module.types.iter().filter(|name| BARE_WORDS.contains(&name.as_str()));
            for word in bare {
                places.entry(word.clone()).or_default().push(module.file.clone());
            }
        }
    }
    let twice = places.iter().filter(|(_, files)| files.len() > 1);
    let found: Vec<_> =
        twice.map(|(word, files)| format!("{word} is a type of {}", files.join(", "))).collect();
    assert!(found.is_empty(), "{found:#?}");
}

/// Prints how much code there is, without blank lines, comments and tests.
#[test]
fn code_is_counted() {
    let mut sum = 0;
    for name in CRATES {
        let sources = Crate::read(name);
        let code: usize = sources.files.iter().map(|file| file.code.len()).sum();
        let restricted: usize = sources.files.iter().map(|file| file.restricted).sum();
        println!("{name}: {code} lines of code, {restricted} items with pub(..)");
        assert!(code > 0, "{name} has no code");
        sum += code;
    }
    println!("all: {sum} lines of code");
}

#[test]
fn a_planted_circle_is_found() {
    let files = [
        ("src/lib.rs", "mod a; mod b; mod c; mod d;"),
        ("src/a.rs", "use crate::b::B; pub struct A(B);"),
        ("src/b.rs", "use crate::c::C; pub struct B(C);"),
        ("src/c.rs", "pub use crate::d::D; pub struct C;"),
        // Through the re-export of `c` this is an import of itself; the last one closes the circle.
        ("src/d.rs", "use crate::c::D as Own; use crate::a::A; pub struct D(A);"),
    ];
    let graph = Graph::of(&Crate::parse(&files));
    assert!(graph.circles(1).is_empty(), "c only re-exports d");
    let closed =
        [files[0], files[1], files[2], ("src/c.rs", "use crate::d::D; pub struct C(D);"), files[4]];
    let circles = Graph::of(&Crate::parse(&closed)).circles(1);
    assert_eq!(circles.len(), 1);
    assert_eq!(circles[0].files, ["src/a.rs", "src/b.rs", "src/c.rs", "src/d.rs"]);
    assert!(circles[0].to_string().contains("src/d.rs imports A of src/a.rs"), "{}", circles[0]);
}

/// Returns the imports upwards of a `src/codec.rs` with these lines from a `src/server.rs` with
/// these, which is above it.
fn upward_of(codec: &str, server: &str) -> Vec<String> {
    let files = [
        ("src/lib.rs", "mod codec; mod server;"),
        ("src/codec.rs", codec),
        ("src/server.rs", server),
    ];
    let graph = Graph::of(&Crate::parse(&files));
    assert!(graph.lost.is_empty(), "{:?}", graph.lost);
    layers::upward("witrpc", &graph)
}

const UPWARD: [&str; 1] = ["src/codec.rs imports Server of src/server.rs, which stands above it"];

#[test]
fn a_planted_upward_import_is_found() {
    let codec = "use crate::server::Server; pub struct Codec(Server);";
    assert_eq!(upward_of(codec, "pub struct Server;"), UPWARD);
}

#[test]
fn a_planted_import_of_a_folder_beside_is_found() {
    let beside = |first: &str, second: &str| {
        let (mods, first, second) = (
            format!("mod {first}; mod {second};"),
            (format!("src/{first}.rs"), format!("use crate::{second}::B; pub struct A(B);")),
            (format!("src/{second}.rs"), "pub struct B;"),
        );
        let files = [("src/lib.rs", &*mods), (&*first.0, &*first.1), (&*second.0, second.1)];
        layers::upward("witrpc", &Graph::of(&Crate::parse(&files)))
    };
    let sentence = "src/codec.rs imports B of src/transport.rs, which stands beside it";
    assert_eq!(beside("codec", "transport"), [sentence]);
    assert!(beside("call", "stream").is_empty(), "these two are natural recursion");
}

#[test]
fn a_planted_file_without_a_layer_is_found() {
    let files = [
        ("src/lib.rs", "mod codec; mod attic;"),
        ("src/codec.rs", "use crate::attic::Chest; pub struct Codec(Chest);"),
        ("src/attic.rs", "pub struct Chest;"),
    ];
    let found = layers::upward("witrpc", &Graph::of(&Crate::parse(&files)));
    assert_eq!(found, ["src/attic.rs stands in no layer"]);
}

#[test]
fn a_planted_import_of_another_crates_item_is_found() {
    let codec = "use crate::server::Server; pub struct Codec(Server);";
    assert_eq!(upward_of(codec, "pub use witrpc_mmf::Server;"), UPWARD);
    assert_eq!(upward_of(codec, "pub use witrpc_mmf::{server, Scanner as Server};"), UPWARD);
}

#[test]
fn a_planted_import_of_what_a_macro_makes_is_found() {
    let codec = "use crate::server::Server; pub struct Codec(Server);";
    assert_eq!(upward_of(codec, "server!(/** One. */ Server, u64);"), UPWARD);
    assert_eq!(upward_of(codec, "kept! { static Server: Cell<u8> = Cell::new(0) }"), UPWARD);
    // The names of the items that are made from a service begin with its own.
    let made = "src/codec.rs imports ServeClient of src/server.rs, which stands above it";
    let codec = "use crate::server::ServeClient; pub struct Codec(ServeClient);";
    assert_eq!(upward_of(codec, "#[wit_service(crate = crate)] trait Serve {}"), [made]);
}

#[test]
fn a_planted_path_in_an_attribute_is_found() {
    for attribute in
        ["error(\"{}\", crate::server::Server::MAX)", "with(\"crate::server::Server\")"]
    {
        for codec in [
            format!("#[{attribute}] pub struct Codec;"),
            format!("pub enum Codec {{ #[{attribute}] Json, }}"),
            format!("pub fn decode() {{ #[{attribute}] let codec = 1; }}"),
        ] {
            assert_eq!(upward_of(&codec, "pub struct Server;"), UPWARD, "{codec}");
        }
    }
    let codec = "#[cfg(test)] pub struct Codec(crate::server::Server);";
    assert!(upward_of(codec, "pub struct Server;").is_empty(), "a test may import anything");
}

#[test]
fn a_planted_path_that_leads_to_no_item_is_found() {
    let files = [
        ("src/lib.rs", "mod codec; mod server;"),
        (
            "src/codec.rs",
            "use crate::server::{self, Server, Hidden}; fn f() { server::g(Server); }",
        ),
        ("src/server.rs", "pub struct Server; fn g(_: Server) {} made_by_nothing!();"),
    ];
    let lost: Vec<_> = Graph::of(&Crate::parse(&files)).lost.into_iter().collect();
    assert_eq!(lost, ["src/codec.rs names crate::server::Hidden, which is no item"]);
}

#[test]
fn every_crate_that_users_build_is_looked_at() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("Cargo.toml");
    let manifest = fs::read_to_string(manifest).expect("tests is in the workspace");
    let members = manifest.lines().find_map(|line| line.strip_prefix("members = ["));
    let members = members.and_then(|line| line.strip_suffix(']')).expect("the list is one line");
    let members = members.split(',').map(|member| member.trim().trim_matches('"'));
    let built: BTreeSet<_> = members.filter(|member| member.starts_with("witrpc")).collect();
    assert_eq!(built, BTreeSet::from(CRATES));
}
