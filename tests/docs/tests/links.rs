//! Links within the repository lead to files, and to headings of theirs. A README that crates.io shows has
//! absolute ones, since crates.io does not know the folders beside the crate.

use std::fs;
use std::path::{Path, PathBuf};

const REPOSITORY: &str = "https://github.com/witrpc/witrpc-rs/blob/main/";
const PUBLISHED: [&str; 5] =
    ["witrpc", "witrpc-macros", "witrpc-mmf", "witrpc-rt", "witrpc-transport"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the targets of links, those of definitions too, outside of listings.
fn links(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    let inline = prose.clone().flat_map(|part| part.split("](").skip(1));
    let inline = inline.filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    let definitions = prose.flat_map(str::lines).filter(|line| line.starts_with('['));
    let definitions = definitions.filter_map(|line| line.split_once("]: "));
    inline.chain(definitions.map(|(_, target)| target)).collect()
}

/// Returns the anchors of a page's headings, as GitHub makes them.
fn anchors(text: &str) -> Vec<String> {
    let lines = text.split("```").step_by(2).flat_map(str::lines);
    let headings = lines.filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let words = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        words.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
    };
    headings.map(anchor).collect()
}

/// Returns what is wrong with a link of this page.
fn problem(page: &Path, target: &str) -> Option<String> {
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let file = match path.strip_prefix(REPOSITORY) {
        Some(path) => root().join(path),
        None if path.starts_with("http") => return None,
        None if path.is_empty() => page.to_owned(),
        None => page.parent().expect("a page is in a folder").join(path),
    };
    if !file.exists() {
        return Some(format!("{} links to {target}, which is not there", page.display()));
    }
    let is_there = anchor.is_empty() || anchors(&read(&file)).iter().any(|name| name == anchor);
    (!is_there).then(|| format!("{} links to {target}, which has no such heading", page.display()))
}

fn pages(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("it can be read") {
        let path = entry.expect("it can be read").path();
        let name = path.file_name().expect("it has a name").to_string_lossy().into_owned();
        if path.is_symlink() || name == "target" || name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            pages(&path, found);
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
}

#[test]
fn links_within_the_repository_lead_somewhere() {
    let mut all = Vec::new();
    pages(&root(), &mut all);
    assert!(all.len() > 20, "the pages are found: {all:?}");
    let mut problems = Vec::new();
    for page in &all {
        let text = read(page);
        problems.extend(links(&text).into_iter().filter_map(|link| problem(page, link)));
    }
    assert!(problems.is_empty(), "{problems:#?}");
}

#[test]
fn what_crates_io_shows_has_absolute_links() {
    for name in PUBLISHED {
        let page = root().join(name).join("README.md");
        for link in links(&read(&page)) {
            assert!(link.starts_with("https://"), "{} links to {link}", page.display());
        }
    }
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let page = root().join("docs/faq.md");
    assert_eq!(problem(&page, "limits.md"), None);
    assert_eq!(problem(&page, "https://docs.rs/witrpc"), None);
    assert!(problem(&page, "limit.md").is_some());
    assert!(problem(&page, "limits.md#no-such-heading").is_some());
    assert!(problem(&page, &format!("{REPOSITORY}docs/limit.md")).is_some());
    let text = "[a](b) and ```[c](d)``` and\n[`E`]: https://e\n";
    assert_eq!(links(text), ["b", "https://e"]);
}
