//! `include/stylelipsync.h` matches `src/capi`, and compiles on its own in every dialect.
//!
//! After a change of the sources, `BLESS=1 cargo test --test header` regenerates the header and adds
//! new names to the ABI list. It never removes names from that list.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::path::Path;
use std::process::Command;

mod skip;

#[cfg_attr(
    not(target_os = "linux"),
    allow(dead_code, reason = "the tests of the built library run on Linux")
)]
#[path = "c/support.rs"]
mod support;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The sections, in the header's order.
const SECTIONS: [&str; 20] = [
    "version",
    "status",
    "last_error",
    "log",
    "frame",
    "engine",
    "clip_options",
    "clip",
    "analysis",
    "audio",
    "layers",
    "render_result",
    "render",
    "stream",
    "adapt_options",
    "adapt",
    "person",
    "speakers",
    "provenance",
    "watermark",
];

fn generate() -> String {
    let capi = root().join("src/capi");
    let mut config = cbindgen::Config {
        language: cbindgen::Language::C,
        header: Some(std::fs::read_to_string(capi.join("top.h")).unwrap()),
        include_guard: Some("STYLELIPSYNC_H".into()),
        no_includes: true,
        sys_includes: vec!["stddef.h".into(), "stdint.h".into()],
        after_includes: Some(
            "\n/* On Windows, define SLS_SHARED when the library is linked as a DLL. */\n\
             #if defined(_WIN32) && defined(SLS_SHARED)\n\
             #define SLS_API __declspec(dllimport)\n\
             #else\n\
             #define SLS_API\n\
             #endif"
                .into(),
        ),
        cpp_compat: true,
        usize_is_size_t: true,
        style: cbindgen::Style::Type,
        documentation_style: cbindgen::DocumentationStyle::Doxy,
        line_length: 100,
        tab_width: 4,
        ..Default::default()
    };
    config.function.prefix = Some("SLS_API".into());
    config.function.sort_by = Some(cbindgen::SortKey::None);
    config.constant.sort_by = Some(cbindgen::SortKey::None);
    let mut builder = cbindgen::Builder::new().with_config(config);
    for section in SECTIONS {
        builder = builder.with_src(capi.join(section).with_extension("rs"));
    }
    let mut text = Vec::new();
    builder.generate().expect("a header").write(&mut text);
    String::from_utf8(text).unwrap()
}

#[test]
fn header_matches_the_sources() {
    let path = root().join("include/stylelipsync.h");
    let wanted = generate();
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = wanted
        .lines()
        .zip(found.lines())
        .position(|(wanted, found)| wanted != found);
    assert!(
        wanted == found,
        "include/stylelipsync.h does not match src/capi (first difference in line {:?}): \
         run BLESS=1 cargo test --test header",
        differs.map(|line| line + 1)
    );
}

/// The dialects in which the header must compile without a warning.
const DIALECTS: [&str; 6] = ["c99", "c11", "c17", "c++11", "c++17", "c++20"];

#[test]
fn header_stands_alone_in_every_dialect() {
    let folder = tempfile::tempdir().unwrap();
    // Included first and twice; every function is referenced, so that its prototype is used.
    let calls: String = functions()
        .iter()
        .map(|name| format!("    used((any_function){name});\n"))
        .collect();
    let code = format!(
        "#include \"stylelipsync.h\"\n\
         #include \"stylelipsync.h\"\n\
         typedef void (*any_function)(void);\n\
         void used(any_function function);\n\
         void all(void);\n\
         void all(void) {{\n{calls}}}\n"
    );
    for dialect in DIALECTS {
        let cpp = dialect.starts_with("c++");
        let Some(compiler) = support::compiler(cpp) else {
            continue;
        };
        let source = folder
            .path()
            .join(if cpp { "alone.cpp" } else { "alone.c" });
        std::fs::write(&source, &code).unwrap();
        let strict: &[&str] = if cpp {
            &["-Wno-cast-function-type"]
        } else {
            &[
                "-Wstrict-prototypes",
                "-Wmissing-prototypes",
                "-Wno-cast-function-type",
            ]
        };
        support::run(
            Command::new(compiler)
                .arg(format!("-std={dialect}"))
                .args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-c"])
                .args(strict)
                .arg("-I")
                .arg(root().join("include"))
                .arg(&source)
                .arg("-o")
                .arg(folder.path().join("alone.o")),
        );
    }
}

/// The C example of the README compiles without a warning.
#[test]
fn readme_example_compiles() {
    let Some(compiler) = support::compiler(false) else {
        return;
    };
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let example = readme.split("```c\n").nth(1).unwrap();
    let (include, body) = example
        .split("```")
        .next()
        .unwrap()
        .split_once('\n')
        .unwrap();
    let code = format!(
        "{include}\nvoid example(int64_t count, void **pixels);\n\
         void example(int64_t count, void **pixels) {{\n{body}}}\n"
    );
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("readme.c");
    std::fs::write(&source, code).unwrap();
    support::run(
        Command::new(compiler)
            .args([
                "-std=c99",
                "-Wall",
                "-Wextra",
                "-Wpedantic",
                "-Werror",
                "-c",
            ])
            .arg("-I")
            .arg(root().join("include"))
            .arg(&source)
            .arg("-o")
            .arg(folder.path().join("readme.o")),
    );
}

/// The C++ layer in every C++ version: with and without SLS_EXCEPTIONS, and with exceptions disabled.
#[test]
fn layer_stands_alone_in_every_cpp() {
    let Some(compiler) = support::compiler(true) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("layer.cpp");
    let include = "#include \"stylelipsync.hpp\"\n";
    std::fs::write(&source, include.repeat(2)).unwrap();
    let modes: [&[&str]; 3] = [
        &[],
        &["-DSLS_EXCEPTIONS"],
        &["-fno-exceptions", "-fno-rtti"],
    ];
    for dialect in ["c++11", "c++14", "c++17", "c++20"] {
        for mode in modes {
            support::run(
                Command::new(&compiler)
                    .arg(format!("-std={dialect}"))
                    .args(["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion"])
                    .args(["-Werror", "-c"])
                    .args(mode)
                    .arg("-I")
                    .arg(root().join("include"))
                    .arg(&source)
                    .arg("-o")
                    .arg(folder.path().join("layer.o")),
            );
        }
    }
}

/// Doxygen reports no undocumented parameter, and no documentation of one that does not exist.
#[test]
fn api_pages_are_whole() {
    if Command::new("doxygen").arg("--version").output().is_err() {
        skip::skip("doxygen");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut settings = std::fs::read_to_string(root().join("packaging/Doxyfile")).unwrap();
    settings += &format!("\nOUTPUT_DIRECTORY = {}\n", folder.path().display());
    let file = folder.path().join("Doxyfile");
    std::fs::write(&file, settings).unwrap();
    support::run(Command::new("doxygen").arg(file).current_dir(root()));
    let pages = std::fs::read_dir(folder.path().join("html")).unwrap();
    assert!(pages.count() > 20);
}

/// The C++ layer wraps every function, except these, which its comments explain.
#[test]
fn layer_is_complete() {
    let layer = std::fs::read_to_string(root().join("include/stylelipsync.hpp")).unwrap();
    let left = [
        "sls_abi_version",
        "sls_engine_last_error",
        "sls_adapt_last_error",
    ];
    for name in functions() {
        // Functions are called or passed as template arguments.
        let used = layer.contains(&name);
        assert!(used || left.contains(&name.as_str()), "{name} is missing");
    }
}

/// Names of the functions that the header declares.
fn functions() -> Vec<String> {
    let header = generate();
    let code = header.split("extern \"C\" {").nth(1).unwrap();
    let mut names: Vec<String> = code
        .split("SLS_API")
        .skip(1)
        .map(|rest| {
            let before = rest.split('(').next().unwrap();
            before
                .split([' ', '*', '\n'])
                .next_back()
                .unwrap()
                .to_owned()
        })
        .collect();
    names.sort();
    names
}

/// Released functions and constants stay as long as SLS_ABI_VERSION does not change.
#[test]
fn what_was_promised_is_kept() {
    let path = root().join("tests/golden/abi.txt");
    let header = generate();
    let constants = header.lines().filter_map(|line| {
        let (name, value) = line.strip_prefix("#define SLS_")?.split_once(' ')?;
        Some(format!("SLS_{name} {value}"))
    });
    let mut now: Vec<String> = functions().into_iter().chain(constants).collect();
    // The version changes with the package; SLS_API has no value.
    now.retain(|line| !line.starts_with("SLS_VERSION") && !line.starts_with("SLS_API"));
    now.sort();
    let promised = std::fs::read_to_string(&path).unwrap_or_default();
    for line in promised.lines() {
        assert!(
            now.iter().any(|l| l == line),
            "released but missing: {line}"
        );
    }
    let text = now.join("\n") + "\n";
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert!(
        text == promised || std::env::var_os("BLESS").is_some(),
        "tests/golden/abi.txt lacks new names: run BLESS=1 cargo test --test header"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn every_function_and_nothing_else_is_exported() {
    let library = support::library("libstylelipsync.so");
    let output = support::run(
        Command::new("nm")
            .args(["-D", "--defined-only"])
            .arg(&library),
    );
    let mut exported: Vec<&str> = output
        .lines()
        .filter_map(|line| line.split_whitespace().nth(2))
        .collect();
    exported.sort();
    assert_eq!(exported, functions());
}

#[test]
#[cfg(target_os = "linux")]
fn shared_library_has_its_name_and_stays_loaded() {
    let library = support::library("libstylelipsync.so");
    let output = support::run(Command::new("readelf").arg("-d").arg(&library));
    assert!(
        output.contains("[libstylelipsync.so.1]"),
        "no SONAME: {output}"
    );
    assert!(output.contains("NODELETE"), "it can be unloaded: {output}");
}

/// Sizes and offsets on 64-bit machines. They change only with SLS_ABI_VERSION; new fields replace
/// reserved bytes.
#[test]
#[cfg(target_pointer_width = "64")]
fn layouts_are_kept() {
    let Some(compiler) = support::compiler(false) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let wanted = [
        (
            "sls_frame",
            72,
            &[
                "format 4",
                "stride 16",
                "data 24",
                "memory 32",
                "pixel_aspect 40",
                "reserved 48",
            ][..],
        ),
        (
            "sls_engine_options",
            72,
            &["provider 4", "threads 8", "bundle 16", "reserved 24"],
        ),
        (
            "sls_info",
            80,
            &[
                "provider 4",
                "device 16",
                "runtime 32",
                "refused 44",
                "reserved 48",
            ],
        ),
        (
            "sls_clip_options",
            112,
            &[
                "rate_num 4",
                "strength 32",
                "speech_context 36",
                "audio_offset 40",
                "times 48",
                "memory_limit 64",
                "mask_grow 72",
                "require_consent 80",
                "label 84",
                "label_size 88",
                "ignore_occlusion 96",
                "reserved0 100",
                "picture 104",
            ],
        ),
        (
            "sls_adapt_options",
            120,
            &[
                "plateau 4",
                "steps 8",
                "rate 32",
                "frames 48",
                "checkpoint 56",
                "consent_file 72",
                "reserved 80",
            ],
        ),
        (
            "sls_adapt_progress",
            96,
            &[
                "step 8",
                "picture 24",
                "held_out_now 40",
                "steps_per_second 48",
                "reserved 64",
            ],
        ),
        (
            "sls_face",
            56,
            &["id 4", "x 8", "confidence 20", "reserved 24"],
        ),
        (
            "sls_render_options",
            56,
            &[
                "strength 4",
                "matte_stride 8",
                "matte 16",
                "articulation_offset 24",
                "detail_offset 28",
                "layers 32",
                "speakers 40",
                "reserved 48",
            ],
        ),
        (
            "sls_speaker",
            96,
            &[
                "selection 4",
                "face 16",
                "rate 20",
                "samples 24",
                "channels 40",
                "path 48",
                "person 56",
                "picture 64",
                "reserved 72",
            ],
        ),
        (
            "sls_layers",
            72,
            &[
                "mouth 8",
                "mouth_stride 16",
                "st 24",
                "st_stride 32",
                "reserved 40",
            ],
        ),
        (
            "sls_render_result",
            64,
            &["changed 4", "index 8", "face 16", "strength 28"],
        ),
    ];
    let mut code = String::from("#include \"stylelipsync.h\"\n");
    for (name, size, fields) in wanted {
        code += &format!("_Static_assert(sizeof({name}) == {size}, \"{name}\");\n");
        for field in fields {
            let (field, offset) = field.split_once(' ').unwrap();
            code += &format!(
                "_Static_assert(offsetof({name}, {field}) == {offset}, \"{name}.{field}\");\n"
            );
        }
    }
    let source = folder.path().join("layout.c");
    std::fs::write(&source, code).unwrap();
    support::run(
        Command::new(compiler)
            .args(["-std=c11", "-c", "-I"])
            .arg(root().join("include"))
            .arg(&source)
            .arg("-o")
            .arg(folder.path().join("layout.o")),
    );
}
