//! Hosts load the effect beside other plug-ins and unload it at will: it shows them the OpenFX entry
//! points alone (the engine's C API is left out of the table), takes its own symbols before theirs,
//! and stays mapped, since ONNX Runtime keeps the address of our log function.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        for option in ["--exclude-libs,ALL", "-Bsymbolic", "-z,nodelete"] {
            println!("cargo::rustc-cdylib-link-arg=-Wl,{option}");
        }
        // What is shipped needs no line tables.
        if env::var("PROFILE").as_deref() == Ok("release") {
            println!("cargo::rustc-cdylib-link-arg=-Wl,--strip-debug");
        }
    }
}
