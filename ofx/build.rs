//! Linker options for a binary that hosts load together with other plug-ins: it exports the OpenFX
//! entry points only (not the engine's C API), it uses its own symbols rather than those of other
//! plug-ins, and it stays mapped after it is unloaded, since ONNX Runtime keeps a pointer to the log
//! function.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let system = env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    if system == "macos" {
        // Its own name, which would be the path of the build machine.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-install_name,@rpath/StyleLipSync.ofx");
    }
    if system == "linux" {
        for option in ["--exclude-libs,ALL", "-Bsymbolic", "-z,nodelete"] {
            println!("cargo::rustc-cdylib-link-arg=-Wl,{option}");
        }
        // The shipped binary needs no line tables.
        if env::var("PROFILE").as_deref() == Ok("release") {
            println!("cargo::rustc-cdylib-link-arg=-Wl,--strip-debug");
        }
    }
}
