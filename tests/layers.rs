//! The structure of the code (`ARCHITECTURE.md`): no module imports one of a higher layer or of its
//! own, and no files import each other in a circle.
//!
//! Paths that begin with `crate`, `super`, `self` or a child module are followed through the `use`
//! declarations of modules to the file that defines the name. Comments and string literals are no
//! code, and a test may use any layer, for instance to build its input: both are left out.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

/// Layers from the bottom. Modules of one layer do not import each other.
const LAYERS: [&[&str]; 11] = [
    &["error"],
    &["files", "cancel", "memory", "numeric", "pool"],
    &["parallel"],
    &["frame", "provenance"],
    &["face", "audio"],
    &["model"],
    &["track", "latent", "evaluate", "mark"],
    &["engine"],
    &["clip"],
    &["adapt"],
    &["capi"],
];

/// Names of nested modules, from the crate's root.
type Module = Vec<String>;

#[test]
fn lower_layers_do_not_import_higher_ones() {
    let faults = Crate::read("src").unwrap().upward(&LAYERS);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn files_do_not_import_each_other_in_a_circle() {
    let mut faults = Vec::new();
    for source in ["src", "cli/src", "cli/provision/src", "ofx/src"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(source);
        if folder.is_dir() {
            let read = Crate::read(source).unwrap();
            assert!(read.files.len() > 1, "{source}: {:?}", read.files.keys());
            let circles = read.circles().into_iter();
            faults.extend(circles.map(|circle| format!("{source}: {circle}")));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn faults_are_found() {
    let read = Crate::of(&[
        ("lib.rs", "pub mod low; pub mod high; pub use high::Tall;"),
        ("low/mod.rs", "mod a; mod b; pub use a::A; pub struct Own;"),
        (
            "low/a.rs",
            "use super::{B, Own}; // crate::high\npub struct A(B);",
        ),
        (
            "low/b.rs",
            "fn f() { \"crate::high\"; }\n#[cfg(test)] mod tests { use crate::Tall; }",
        ),
        ("high.rs", "use crate::low::{self, A}; pub struct Tall;"),
    ]);
    let layers: [&[&str]; 2] = [&["low"], &["high"]];
    assert_eq!(read.upward(&layers), [""; 0]);
    assert_eq!(read.circles(), [""; 0]);

    let read = Crate::of(&[
        ("lib.rs", "pub mod low; pub mod high; pub use high::Tall;"),
        (
            "low/mod.rs",
            "mod a; mod b; pub use a::A; pub(crate) use b::B;",
        ),
        ("low/a.rs", "use super::B; pub struct A(B);"),
        (
            "low/b.rs",
            "pub struct B; impl B { fn f(a: super::A, t: &crate::Tall) {} }",
        ),
        ("high.rs", "pub struct Tall;"),
    ]);
    assert_eq!(read.upward(&layers), ["low::b imports high"]);
    assert_eq!(read.circles(), ["low::a -> low::b -> low::a"]);
}

/// The modules of a crate.
struct Crate {
    files: BTreeMap<Module, Source>,
}

/// One file without comments, literals and tests.
#[derive(Default)]
struct Source {
    /// Every path that begins at a known module, and whether it is only passed on (`pub use`).
    paths: Vec<(Module, bool)>,
    /// What `use` declarations call by a name.
    names: BTreeMap<String, Module>,
}

impl Crate {
    fn read(source: &str) -> std::io::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(source);
        let (mut texts, mut folders) = (Vec::new(), vec![root.clone()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                let relative = path.strip_prefix(&root).unwrap().to_owned();
                if path.is_dir() && relative != Path::new("bin") {
                    folders.push(path);
                } else if path.extension().is_some_and(|end| end == "rs") {
                    texts.push((relative, fs::read_to_string(&path)?));
                }
            }
        }
        Ok(Self::new(texts))
    }

    fn of(files: &[(&str, &str)]) -> Self {
        let owned = |(path, text): &(&str, &str)| (PathBuf::from(path), (*text).to_owned());
        Self::new(files.iter().map(owned).collect())
    }

    fn new(texts: Vec<(PathBuf, String)>) -> Self {
        let library = texts.iter().any(|(path, _)| path == Path::new("lib.rs"));
        let mut tokens = BTreeMap::new();
        let mut tests = BTreeSet::new();
        for (path, text) in texts {
            // A program beside a library is a crate of its own.
            if library && path == Path::new("main.rs") {
                continue;
            }
            let (code, own_tests) = without_tests(tokenise(&text));
            let folder = path.parent().unwrap_or(Path::new(""));
            let module = module_of(&path);
            for (name, file) in own_tests {
                let inside = match path.file_stem().and_then(|stem| stem.to_str()) {
                    Some("mod" | "lib" | "main") => folder.to_owned(),
                    _ => path.with_extension(""),
                };
                let file = file.map_or(inside.join(name + ".rs"), |file| folder.join(file));
                tests.insert(module_of(&file));
            }
            tokens.insert(module, code);
        }
        tokens.retain(|module, _| !(0..=module.len()).any(|n| tests.contains(&module[..n])));
        let known: BTreeSet<Module> = tokens.keys().cloned().collect();
        let files = tokens
            .into_iter()
            .map(|(module, code)| {
                let source = Source::new(&module, &code, &known);
                (module, source)
            })
            .collect();
        Self { files }
    }

    /// The module whose file defines what `path` names.
    fn definition(&self, path: &Module) -> Module {
        let mut path = path.clone();
        // Bounded: a name may be imported under itself.
        for _ in 0..8 {
            let depth = (0..=path.len()).rev();
            let known = depth.map(|n| path[..n].to_vec());
            let module = known.into_iter().find(|m| self.files.contains_key(m));
            let module = module.unwrap_or_default();
            let Some(name) = path.get(module.len()) else {
                return module;
            };
            match self.files[&module].names.get(name) {
                Some(target) if *target != path => path.clone_from(target),
                _ => return module,
            }
        }
        panic!("{path:?} leads nowhere")
    }

    /// Imports that do not lead to a lower layer.
    fn upward(&self, layers: &[&[&str]]) -> Vec<String> {
        let layer = |module: &Module| {
            let place = layers.iter().position(|l| l.contains(&module[0].as_str()));
            place.unwrap_or_else(|| panic!("{} is in no layer", module[0]))
        };
        let mut faults = BTreeSet::new();
        for (module, source) in self.files.iter().filter(|(module, _)| !module.is_empty()) {
            for (path, _) in &source.paths {
                let target = self.definition(path);
                let Some(name) = target.first().filter(|name| **name != module[0]) else {
                    continue;
                };
                if layer(&target) >= layer(module) {
                    faults.insert(format!("{} imports {name}", module.join("::")));
                }
            }
        }
        faults.into_iter().collect()
    }

    /// The shortest circle through each file that is part of one, each circle once. A file that
    /// declares modules and passes their names on does not depend on them by that.
    fn circles(&self) -> Vec<String> {
        let imports: BTreeMap<&Module, BTreeSet<Module>> = self
            .files
            .iter()
            .map(|(module, source)| {
                let own = source.paths.iter().filter(|(_, passed_on)| !passed_on);
                let targets = own.map(|(path, _)| self.definition(path));
                (module, targets.filter(|target| target != module).collect())
            })
            .collect();
        let mut found = BTreeSet::new();
        let mut circles = Vec::new();
        for start in self.files.keys() {
            let mut before: BTreeMap<&Module, &Module> = BTreeMap::new();
            let mut queue = VecDeque::from([start]);
            while let Some(module) = queue.pop_front() {
                for next in &imports[module] {
                    if !before.contains_key(next) {
                        before.insert(next, module);
                        queue.push_back(next);
                    }
                }
            }
            if !before.contains_key(start) {
                continue;
            }
            let mut circle = vec![start, before[start]];
            while circle[circle.len() - 1] != start {
                circle.push(before[circle[circle.len() - 1]]);
            }
            circle.reverse();
            if found.insert(circle.iter().copied().collect::<BTreeSet<_>>()) {
                let names = circle.iter().map(|module| match module.is_empty() {
                    true => "crate".to_owned(),
                    false => module.join("::"),
                });
                circles.push(names.collect::<Vec<_>>().join(" -> "));
            }
        }
        circles
    }
}

impl Source {
    fn new(module: &Module, code: &[String], known: &BTreeSet<Module>) -> Self {
        let mut source = Self::default();
        let token = |at: usize| code.get(at).map_or("", String::as_str);
        let (mut at, mut declared_until) = (0, 0);
        let mut passed_on = false;
        while at < code.len() {
            if token(at) == "use" {
                let end = code[at..].iter().position(|t| t == ";");
                declared_until = at + end.unwrap_or(0);
                passed_on = at > 0 && matches!(token(at - 1), "pub" | ")");
            }
            let declared = at < declared_until;
            let begins = at == 0 || token(at - 1) != "::";
            let mut path = module.clone();
            let child = |name: &str| known.contains(&[module.as_slice(), &[name.into()]].concat());
            let base = match token(at) {
                _ if !begins || token(at + 1) != "::" => None,
                "crate" => {
                    path.clear();
                    Some(at + 2)
                }
                "self" => Some(at + 2),
                "super" => {
                    path.pop();
                    Some(at + 2)
                }
                name if child(name) => Some(at),
                _ => None,
            };
            let Some(base) = base else {
                at += 1;
                continue;
            };
            let mut found = Vec::new();
            at = tree(code, base, path, &mut found);
            for (name, path) in found {
                source.paths.push((path.clone(), declared && passed_on));
                if let Some(name) = name.filter(|_| declared) {
                    source.names.insert(name, path);
                }
            }
        }
        source
    }
}

/// Reads a path, or a tree of paths in braces, that goes on from `prefix` at `at`. Gives where it
/// ends, and with each path the name that it would be imported by.
fn tree(
    code: &[String],
    mut at: usize,
    prefix: Module,
    found: &mut Vec<(Option<String>, Module)>,
) -> usize {
    let token = |at: usize| code.get(at).map_or("", String::as_str);
    let mut path = prefix;
    loop {
        match token(at) {
            "{" => {
                at += 1;
                while !matches!(token(at), "}" | "") {
                    at = tree(code, at, path.clone(), found);
                    at += usize::from(token(at) == ",");
                }
                return at + 1;
            }
            "*" => {
                found.push((None, path));
                return at + 1;
            }
            "super" => _ = path.pop(),
            "self" => {}
            name if is_name(name) => path.push(name.to_owned()),
            _ => {
                found.push((None, path));
                return at.max(1);
            }
        }
        at += 1;
        if token(at) == "::" {
            at += 1;
            continue;
        }
        let mut name = path.last().cloned();
        if token(at) == "as" {
            name = Some(token(at + 1).to_owned());
            at += 2;
        }
        found.push((name, path));
        return at;
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn module_of(path: &Path) -> Module {
    let path = path.with_extension("");
    let parts = path.iter().map(|part| part.to_string_lossy().into_owned());
    let mut module: Module = parts.collect();
    let last = module.last().map(String::as_str);
    if matches!(last, Some("mod"))
        || matches!(module.as_slice(), [one] if one == "lib" || one == "main")
    {
        module.pop();
    }
    module
}

/// Names, `::` and single characters; comments, literals and lifetimes left out. A string literal
/// becomes one token with its quotes, which no name has.
fn tokenise(text: &str) -> Vec<String> {
    let bytes: Vec<char> = text.chars().collect();
    let is = |at: usize, what: &str| {
        let mut what = what.chars().enumerate();
        what.all(|(k, c)| bytes.get(at + k) == Some(&c))
    };
    let find = |from: usize, what: &str| {
        (from..bytes.len())
            .find(|&at| is(at, what))
            .unwrap_or(bytes.len())
    };
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let c = bytes[at];
        if is(at, "//") {
            at = find(at, "\n");
        } else if is(at, "/*") {
            at = find(at, "*/") + 2;
        } else if c == 'r' && (is(at, "r\"") || is(at, "r#")) {
            let hashes = (at + 1..).take_while(|&k| is(k, "#")).count();
            let close = format!("\"{}", "#".repeat(hashes));
            at = find(at + hashes + 2, &close) + close.len();
        } else if c == '"' {
            let begin = at;
            at += 1;
            while at < bytes.len() && bytes[at] != '"' {
                at += 1 + usize::from(bytes[at] == '\\');
            }
            at += 1;
            tokens.push(bytes[begin..at.min(bytes.len())].iter().collect());
        } else if c == '\'' && is(at + 1, "\\") {
            at = find(at + 3, "'") + 1;
        } else if c == '\'' && is(at + 2, "'") {
            at += 3;
        } else if c.is_alphanumeric() || c == '_' {
            let length = bytes[at..]
                .iter()
                .take_while(|c| c.is_alphanumeric() || **c == '_');
            let end = at + length.count();
            tokens.push(bytes[at..end].iter().collect());
            at = end;
        } else if is(at, "::") {
            tokens.push("::".into());
            at += 2;
        } else {
            if !c.is_whitespace() {
                tokens.push(c.into());
            }
            at += 1;
        }
    }
    tokens
}

/// The code without `#[cfg(test)]` modules, and names (with `#[path]` where given) of those that
/// are files of their own.
fn without_tests(code: Vec<String>) -> (Vec<String>, Vec<(String, Option<String>)>) {
    let cfg = ["#", "[", "cfg", "(", "test", ")", "]"];
    let (mut kept, mut files) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < code.len() {
        if !code[at..].iter().take(cfg.len()).eq(cfg) {
            kept.push(code[at].clone());
            at += 1;
            continue;
        }
        let begin = at + cfg.len();
        let stop = |t: &String| t == "{" || t == ";";
        let end = begin + code[begin..].iter().position(stop).unwrap_or(0);
        let head = &code[begin..end];
        let name = head
            .iter()
            .position(|t| t == "mod")
            .map(|k| head[k + 1].clone());
        if code[end] == ";" {
            let path = head.iter().find(|t| t.starts_with('"'));
            let path = path.map(|path| path.trim_matches('"').to_owned());
            files.extend(name.map(|name| (name, path)));
            at = end + 1;
            continue;
        }
        let mut depth = 0;
        at = end;
        loop {
            match code.get(at).map(String::as_str) {
                Some("{") => depth += 1,
                Some("}") => depth -= 1,
                None => break,
                _ => {}
            }
            at += 1;
            if depth == 0 {
                break;
            }
        }
    }
    (kept, files)
}
