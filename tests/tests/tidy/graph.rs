//! Which file imports what from which, following re-exports to the definition.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::source::{Crate, Module};

/// One import.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Import {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) name: String,
}

impl fmt::Display for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} imports {} of {}", self.from, self.name, self.to)
    }
}

/// Files that import one another, directly or indirectly.
pub(crate) struct Circle {
    pub(crate) files: Vec<String>,
    imports: Vec<Import>,
}

/// Prints the files in one line, then each import in its own line.
impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a circle of {}: {}", self.files.len(), self.files.join(", "))?;
        self.imports.iter().try_for_each(|import| write!(f, "\n    {import}"))
    }
}

/// The imports of a crate, between different files.
pub(crate) struct Graph {
    pub(crate) imports: BTreeSet<Import>,
    /// The paths within the crate that lead to no item, each as a sentence. No rule covers what
    /// they name.
    pub(crate) lost: BTreeSet<String>,
}

impl Graph {
    pub(crate) fn of(sources: &Crate) -> Self {
        let modules: BTreeMap<_, _> =
            sources.modules.iter().map(|module| (module.path.as_slice(), module)).collect();
        let (mut imports, mut lost) = (BTreeSet::new(), BTreeSet::new());
        for module in &sources.modules {
            for path in &module.paths {
                match resolve(&modules, path, 0) {
                    Some(Target::Item(to, name)) if to.file != module.file => {
                        let (from, to) = (module.file.clone(), to.file.clone());
                        imports.insert(Import { from, to, name });
                    }
                    Some(_) => {}
                    None => {
                        let path = path.join("::");
                        lost.insert(format!(
                            "{} names crate::{path}, which is no item",
                            module.file
                        ));
                    }
                }
            }
        }
        Self { imports, lost }
    }

    /// Returns the circles of more than `most` files. Each file is in at most one.
    pub(crate) fn circles(&self, most: usize) -> Vec<Circle> {
        let mut next = BTreeMap::<&str, BTreeSet<&str>>::new();
        for import in &self.imports {
            next.entry(&import.from).or_default().insert(&import.to);
        }
        let reached: BTreeMap<_, _> = next.keys().map(|file| (*file, reach(&next, file))).collect();
        let mut circles = Vec::new();
        let mut seen = BTreeSet::new();
        for (file, files) in &reached {
            if !seen.insert(*file) {
                continue;
            }
            let back = |other: &&&str| reached.get(**other).is_some_and(|back| back.contains(file));
            let mut circle: BTreeSet<_> = files.iter().filter(back).copied().collect();
            circle.insert(file);
            seen.extend(&circle);
            if circle.len() > most {
                circles.push(self.circle(&circle));
            }
        }
        circles
    }

    fn circle(&self, files: &BTreeSet<&str>) -> Circle {
        let inside = |file: &String| files.contains(file.as_str());
        let imports = self.imports.iter().filter(|each| inside(&each.from) && inside(&each.to));
        Circle {
            files: files.iter().map(|file| (*file).to_owned()).collect(),
            imports: imports.cloned().collect(),
        }
    }
}

/// Returns the files that can be reached from a file by one import or more.
fn reach<'a>(next: &BTreeMap<&'a str, BTreeSet<&'a str>>, from: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<_> = next.get(from).into_iter().flatten().copied().collect();
    while let Some(file) = open.pop() {
        if reached.insert(file) {
            open.extend(next.get(file).into_iter().flatten());
        }
    }
    reached
}

/// The target of a path of the crate.
enum Target<'m> {
    /// This name in the module that defines it.
    Item(&'m Module, String),
    /// A module itself. What is used of it is in a longer path.
    Module,
}

/// Follows a path of the crate, through re-exports.
fn resolve<'m>(
    modules: &BTreeMap<&[String], &'m Module>,
    path: &[String],
    depth: usize,
) -> Option<Target<'m>> {
    // These are re-exports of re-exports, in a circle.
    if depth > 16 {
        return None;
    }
    if modules.contains_key(path) {
        return Some(Target::Module);
    }
    let (len, module) =
        (0..path.len()).rev().find_map(|len| Some((len, *modules.get(&path[..len])?)))?;
    let (name, rest) = (&path[len], &path[len + 1..]);
    if module.defines.contains(name) {
        return Some(Target::Item(module, name.clone()));
    }
    let follow = |target: &[String], rest: &[String]| {
        let target: Vec<_> = target.iter().chain(rest).cloned().collect();
        resolve(modules, &target, depth + 1)
    };
    if let Some((_, target)) = module.reexports.iter().find(|(alias, _)| alias == name) {
        return follow(target, rest);
    }
    let by_glob = module.globs.iter().find_map(|glob| follow(glob, &path[len..]));
    by_glob.or_else(|| module.makes(name).then(|| Target::Item(module, name.clone())))
}
