//! Puts the bundled clip into the program, so that `demo` needs no file next to it.

use std::{env, fmt::Write, fs, path::PathBuf};

fn main() {
    embed("../models/head/clip", &["json", "wav"], "clip.rs");
    embed("../models/head/clip/frames", &["jpg"], "clip_frames.rs");
}

/// Writes a table of the folder's files of these kinds, `&[("name", include_bytes!("path")), ..]`.
fn embed(folder: &str, kinds: &[&str], table_name: &str) {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let folder = root.join(folder);
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    let kind = |file: &PathBuf| Some(file.extension()?.to_str()?.to_owned());
    files.retain(|file| kind(file).is_some_and(|kind| kinds.contains(&kind.as_str())));
    files.sort();
    let mut table = String::from("&[\n");
    for file in files {
        let name = file.file_name().expect("it was listed").to_string_lossy();
        writeln!(table, "    ({name:?}, include_bytes!({file:?})),").expect("memory");
    }
    table.push_str("]\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join(table_name), table).expect("OUT_DIR can be written");
}
