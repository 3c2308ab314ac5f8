//! The listings of the folder `docs`, as tests of this crate's documentation.

#![forbid(unsafe_code)]

/// Makes each page the documentation of an item, whose listings `cargo test` compiles. A listing that ends
/// is run too; the others are marked `no_run`.
macro_rules! pages {
    ($($item:ident = $page:literal,)*) => {
        $(
            #[cfg(doctest)]
            #[doc = include_str!(concat!("../../../docs/", $page))]
            struct $item;
        )*
        #[cfg(test)]
        const PAGES: &[&str] = &[$($page),*];
    };
}

pages! {
    Axum = "cookbook/axum.md",
    Faq = "faq.md",
    FromASocket = "cookbook/from-a-socket.md",
    FromTarpc = "cookbook/from-tarpc.md",
    PlugIns = "cookbook/plug-ins.md",
    Secrets = "cookbook/secrets.md",
    Systemd = "cookbook/systemd.md",
    Testing = "cookbook/testing.md",
    Uploads = "cookbook/uploads.md",
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::PAGES;

    fn pages_in(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("it can be read") {
            let path = entry.expect("it can be read").path();
            if path.is_dir() {
                pages_in(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }

    #[test]
    fn every_page_with_a_listing_is_compiled() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
        let mut pages = Vec::new();
        pages_in(&docs, &mut pages);
        let has_listing = |page: &PathBuf| {
            let text = fs::read_to_string(page).expect("it is text");
            text.lines().any(|line| line.trim_start().starts_with("```rust"))
        };
        let listed = pages.iter().filter(|page| has_listing(page));
        let listed: BTreeSet<_> = listed
            .map(|page| {
                page.strip_prefix(&docs).expect("it is there").to_str().expect("it is text")
            })
            .collect();
        assert_eq!(PAGES.iter().copied().collect::<BTreeSet<_>>(), listed);
    }

    /// A listing that is left out of the compilation shows nothing.
    #[test]
    fn no_listing_is_ignored() {
        for page in PAGES {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page);
            let text = fs::read_to_string(path).expect("it is text");
            let fences = text.lines().filter(|line| line.starts_with("```rust"));
            for fence in fences {
                assert!(["```rust", "```rust,no_run"].contains(&fence), "{page}: {fence}");
            }
        }
    }
}
