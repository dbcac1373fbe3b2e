//! Embeds the bundle `models/lite` in the library, so that the library works in any folder, and
//! sets linker options.

use std::{env, fmt::Write, fs, path::PathBuf};

fn main() {
    embed("models/lite", &["json", "onnx", "safetensors"], "lite.rs");
    link();
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

/// The shared library's name for those who link it; the number is SLS_ABI_VERSION. And: ONNX
/// Runtime keeps the address of our log function for as long as the process lives, so the library
/// must stay mapped when a host closes it.
fn link() {
    match env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("linux") => {
            println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libstylelipsync.so.1");
            println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
        }
        Ok("macos") => {
            let name = "@rpath/libstylelipsync.1.dylib";
            println!("cargo::rustc-cdylib-link-arg=-Wl,-install_name,{name}");
        }
        _ => {}
    }
}
