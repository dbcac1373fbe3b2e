//! Puts the bundle `models/lite` into the library, and fixes what the linker must know.

use std::{env, fmt::Write, fs, path::PathBuf};

fn main() {
    embed_lite_bundle();
    link();
}

/// Writes `lite.rs`: a table of the bundle's files, `&[("name", include_bytes!("path")), ..]`.
fn embed_lite_bundle() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let folder = root.join("models/lite");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    let belongs = |file: &PathBuf| {
        let kind = file.extension().and_then(|kind| kind.to_str());
        matches!(kind, Some("json" | "onnx" | "safetensors"))
    };
    files.retain(belongs);
    files.sort();
    let mut table = String::from("&[\n");
    for file in files {
        let name = file.file_name().expect("it was listed").to_string_lossy();
        writeln!(table, "    ({name:?}, include_bytes!({file:?})),").expect("memory");
    }
    table.push_str("]\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("lite.rs"), table).expect("OUT_DIR can be written");
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
