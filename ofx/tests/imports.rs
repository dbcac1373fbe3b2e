//! No module of `src` imports a module that imports it back, directly or through others.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The Rust files under a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files
}

/// The module path of a file: `host/effect.rs` is `host::effect`, `host/mod.rs` is `host`.
fn module(root: &Path, file: &Path) -> String {
    let path = file.strip_prefix(root).unwrap().with_extension("");
    let parts = path.iter().map(|part| part.to_str().unwrap());
    let parts: Vec<_> = parts.filter(|part| *part != "mod").collect();
    parts.join("::")
}

/// The words of a source text that follow `prefix`, as paths: also of `prefix{a, b::c}`.
fn paths_after<'t>(text: &'t str, prefix: &str) -> Vec<&'t str> {
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let mut paths = Vec::new();
    for (at, _) in text.match_indices(prefix) {
        let rest = &text[at + prefix.len()..];
        match rest.strip_prefix('{').and_then(|list| list.split_once('}')) {
            Some((list, _)) => paths.extend(list.split(',').map(str::trim)),
            None => paths.push(rest.split(|c| !is_path(c)).next().unwrap()),
        }
    }
    paths
}

/// The modules that each module imports. A folder's `mod.rs` is the façade of its modules: an import of
/// the folder counts as one of the façade, and the façade as one of each of its modules.
fn imports() -> BTreeMap<String, BTreeSet<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files: Vec<_> = sources(&root)
        .into_iter()
        .filter(|file| !file.starts_with(root.join("bin")) && !file.ends_with("lib.rs"))
        .collect();
    let known: BTreeSet<_> = files.iter().map(|file| module(&root, file)).collect();
    let resolve = |path: &str| {
        let mut path = path;
        loop {
            if known.contains(path) {
                return Some(path.to_owned());
            }
            path = path.rsplit_once("::")?.0;
        }
    };
    let mut imports = BTreeMap::new();
    for file in &files {
        let name = module(&root, file);
        let text = std::fs::read_to_string(file).unwrap();
        let parent = match file.ends_with("mod.rs") {
            true => name.as_str(),
            false => name.rsplit_once("::").map_or("", |(parent, _)| parent),
        };
        let within = |path: &str| match parent {
            "" => path.to_owned(),
            parent => format!("{parent}::{path}"),
        };
        let mut paths: Vec<_> = paths_after(&text, "crate::")
            .iter()
            .map(|p| p.to_string())
            .collect();
        paths.extend(
            paths_after(&text, "super::")
                .iter()
                .map(|path| within(path)),
        );
        paths.extend(paths_after(&text, "self::").iter().map(|path| within(path)));
        let mut targets: BTreeSet<_> = paths.iter().filter_map(|path| resolve(path)).collect();
        // `super::` in a unit test module, and the type `Self::`.
        targets.remove(&name);
        imports.insert(name, targets);
    }
    imports
}

/// A cycle that can be reached from a module, if there is one.
fn cycle(
    imports: &BTreeMap<String, BTreeSet<String>>,
    at: &str,
    way: &mut Vec<String>,
    done: &mut BTreeSet<String>,
) -> Option<String> {
    if let Some(start) = way.iter().position(|module| module == at) {
        return Some(format!("{} -> {at}", way[start..].join(" -> ")));
    }
    if !done.insert(at.to_owned()) {
        return None;
    }
    way.push(at.to_owned());
    let found = imports[at]
        .iter()
        .find_map(|next| cycle(imports, next, way, done));
    way.pop();
    found
}

#[test]
fn no_module_imports_itself_through_others() {
    let imports = imports();
    assert!(imports["render"].contains("shared"), "{imports:?}");
    assert!(imports["host"].contains("host::loaded"), "{imports:?}");
    let mut done = BTreeSet::new();
    for module in imports.keys() {
        let found = cycle(&imports, module, &mut Vec::new(), &mut done);
        assert_eq!(found, None);
    }
}
