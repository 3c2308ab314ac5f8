//! What the crate `witrpc` is called in the package that is built, by its manifest.

use std::path::Path;
use std::{env, fs};

use proc_macro2::{Ident, Span};

/// Returns the name that the manifest gives to `witrpc`, if it is another one.
pub(crate) fn renamed(place: Span) -> Option<Ident> {
    let folder = env::var_os("CARGO_MANIFEST_DIR")?;
    let manifest = fs::read_to_string(Path::new(&folder).join("Cargo.toml")).ok()?;
    let name = name_in(&manifest)?.replace('-', "_");
    syn::parse_str::<Ident>(&name).ok().map(|name| Ident::new(&name.to_string(), place))
}

/// Returns the other name. A dependency is a line of a table of dependencies, or a table of its own.
fn name_in(manifest: &str) -> Option<&str> {
    let mut table = "";
    let mut renamed = None;
    for line in manifest.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            table = header.trim_end_matches(']').trim();
        }
        let (of_table, name) = match line.split_once('=') {
            Some((key, _)) if table.ends_with("dependencies") => (true, key),
            _ => (false, table.rsplit_once("dependencies.").map_or("", |(_, name)| name)),
        };
        let name = name.trim().split('.').next().unwrap_or_default().trim_matches('"');
        if name == "witrpc" {
            return None;
        }
        let package = line.split_once("package").map_or("", |(_, rest)| rest).trim_start();
        let package = package.strip_prefix('=').unwrap_or_default().trim_start();
        let key_alone = line.starts_with("package");
        if package.starts_with("\"witrpc\"") && !name.is_empty() && (of_table || key_alone) {
            renamed = renamed.or(Some(name));
        }
    }
    renamed
}

#[cfg(test)]
mod tests {
    use super::name_in;

    #[test]
    fn a_renamed_dependency_is_found() {
        for manifest in [
            "[dependencies]\nserde = \"1\"\nour-ipc = { version = \"1\", package = \"witrpc\" }",
            "[dependencies]\n\"our-ipc\" = { package=\"witrpc\", path = \"..\" }",
            "[target.'cfg(unix)'.dependencies]\nour-ipc = { package = \"witrpc\" }",
            "[dev-dependencies.our-ipc]\nversion = \"1\"\npackage = \"witrpc\"",
        ] {
            assert_eq!(name_in(manifest), Some("our-ipc"), "{manifest}");
        }
    }

    #[test]
    fn a_dependency_of_that_name_is_left_alone() {
        for manifest in [
            "[package]\nname = \"witrpc\"",
            "[dependencies]\nwitrpc = \"1\"",
            "[dependencies]\nipc = { package = \"witrpc\" }\n[dev-dependencies]\nwitrpc.workspace = true",
            "[dependencies.witrpc]\nversion = \"1\"",
            "[dependencies]\nipc = { package = \"witrpc-rt\" }",
            "[dependencies]\nserde = \"1\"",
        ] {
            assert_eq!(name_in(manifest), None, "{manifest}");
        }
    }
}
