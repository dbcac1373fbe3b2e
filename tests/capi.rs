//! The C API from C and C++: the programs in tests/c are built with the machine's compilers against the
//! shared and the static library, and run. On Windows `packaging/windows/test` does that.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
#![cfg(unix)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use stylelipsync::audio::decode_file;
use stylelipsync::model::locate::Component;
use stylelipsync_provision::provision;

mod skip;

#[path = "c/support.rs"]
mod support;

/// Frames that the harness renders: more than the 25 that a reference is chosen among.
const FRAMES: usize = 30;
/// Frames of the harnesses that act as a host.
const HOSTED: usize = 16;
/// Frames that a person is learnt from: two seconds.
const PERSON: usize = 51;

#[derive(Clone, Copy, Debug)]
enum Link {
    Shared,
    Static,
    /// The program loads the shared library itself.
    Loaded,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Builds a harness into `folder`. None on a machine without a compiler for the dialect.
fn build(folder: &Path, name: &str, dialect: &str, link: Link) -> Option<PathBuf> {
    build_with(folder, name, dialect, link, &[])
}

/// As [`build`], with further options.
fn build_with(
    folder: &Path,
    name: &str,
    dialect: &str,
    link: Link,
    options: &[&str],
) -> Option<PathBuf> {
    let cpp = dialect.starts_with("c++");
    let source = root().join("tests/c").join(name);
    // C's harnesses are C++ too; the C++ layer's is nothing else.
    let source = match source.with_extension("cpp") {
        layer if layer.is_file() => layer,
        _ => source.with_extension("c"),
    };
    let mut command = Command::new(support::compiler(cpp)?);
    command
        .arg(format!("-std={dialect}"))
        .args([
            "-O1",
            "-g",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-D_DEFAULT_SOURCE",
        ])
        // Before the usual header's place, which they may be about.
        .args(options)
        .arg("-I")
        .arg(root().join("include"))
        .args(cpp.then_some(["-x", "c++"]).into_iter().flatten())
        .arg(source)
        .args(cpp.then_some(["-x", "none"]).into_iter().flatten());
    if !cpp {
        command.args(["-Wpedantic", "-Wstrict-prototypes"]);
    }
    match link {
        Link::Shared | Link::Loaded => {
            let library = support::library(if cfg!(target_os = "macos") {
                "libstylelipsync.dylib"
            } else {
                "libstylelipsync.so"
            });
            // As it is installed: under the name that programs look for.
            let installed = folder.join(if cfg!(target_os = "macos") {
                "libstylelipsync.1.dylib"
            } else {
                "libstylelipsync.so.1"
            });
            if !installed.exists() {
                std::fs::copy(library, &installed).unwrap();
            }
            if let Link::Shared = link {
                command
                    .arg(&installed)
                    .arg(format!("-Wl,-rpath,{}", folder.display()));
            }
        }
        Link::Static => {
            command.arg(support::library("libstylelipsync.a"));
            if cfg!(target_os = "macos") {
                command.args(["-framework", "CoreFoundation", "-framework", "Security"]);
            }
        }
    }
    let program = folder.join(format!("{name}-{dialect}-{link:?}"));
    command
        .arg("-o")
        .arg(&program)
        .args(["-lpthread", "-ldl", "-lm"]);
    support::run(&mut command);
    Some(program)
}

/// Runs a test program with the downloaded ONNX Runtime.
fn harness(program: &Path) -> Command {
    let runtime = provision(Component::OnnxRuntime).expect("ONNX Runtime");
    let mut command = Command::new(program);
    command.env("STYLELIPSYNC_ORT", runtime.path);
    command
}

/// Stream and random access, shared and static library, any locale.
#[test]
fn both_paths_give_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let clip = root().join("models/head/clip");
    let numbers = write_frames(folder.path(), FRAMES);
    let rate = write_speech(folder.path());
    std::fs::copy(clip.join("other.wav"), folder.path().join("speech.wav")).unwrap();

    let comma = comma_locale(folder.path());
    let mut sums = Vec::new();
    for (dialect, link, comma) in [("c11", Link::Shared, false), ("c++17", Link::Static, comma)] {
        let Some(program) = build(folder.path(), "lipsync", dialect, link) else {
            continue;
        };
        let mut command = harness(&program);
        if comma {
            command.env("LOCPATH", folder.path()).env("LC_ALL", LOCALE);
        }
        let command = command.arg(folder.path()).args(&numbers).arg(&rate);
        let output = support::run(command);
        assert_eq!(output.contains("written as 0,5"), comma, "{output}");
        let last = output.lines().last().unwrap_or_default();
        assert!(last.contains("the same bytes from both paths"), "{output}");
        sums.push(last.to_owned());
    }
    assert!(sums.windows(2).all(|pair| pair[0] == pair[1]), "{sums:?}");
}

const LOCALE: &str = "de_DE.UTF-8";

/// Makes a locale with a decimal comma, if its sources are installed.
fn comma_locale(folder: &Path) -> bool {
    let mut command = Command::new("localedef");
    command.args(["--force", "-i", "de_DE", "-f", "UTF-8"]);
    let made = command.arg(folder.join(LOCALE)).output();
    let made = made.is_ok_and(|output| output.status.success());
    if !made {
        skip::skip("locales");
    }
    made
}

/// Writes the second utterance of the bundled head as `speech.f32`; returns its sample rate, as an argument.
fn write_speech(folder: &Path) -> String {
    let sound = decode_file(&root().join("models/head/clip/other.wav")).unwrap();
    let samples = bytemuck::cast_slice(&sound.samples);
    std::fs::write(folder.join("speech.f32"), samples).unwrap();
    sound.rate.to_string()
}

/// Writes files that are not audio, empty, or truncated.
fn write_bad_files(folder: &Path) {
    let at = |name: &str| folder.join(name);
    std::fs::write(at("text.wav"), "not audio\n".repeat(500)).unwrap();
    std::fs::write(at("empty.wav"), []).unwrap();
    let speech = std::fs::read(root().join("models/head/clip/other.wav")).unwrap();
    std::fs::write(at("cut.wav"), &speech[..speech.len() / 2]).unwrap();
}

/// Writes frames of the bundled head as `frames.rgba`; returns the arguments WIDTH HEIGHT COUNT.
fn write_frames(folder: &Path, count: usize) -> [String; 3] {
    let mut size = (0, 0);
    let file = std::fs::File::create(folder.join("frames.rgba")).unwrap();
    let mut pixels = std::io::BufWriter::new(file);
    for index in 0..count {
        let path = root().join(format!("models/head/clip/frames/{index:04}.jpg"));
        let picture = image::open(path).unwrap().into_rgba8();
        size = picture.dimensions();
        pixels.write_all(picture.as_raw()).unwrap();
    }
    pixels.into_inner().unwrap();
    [size.0, size.1, count as u32].map(|number| number.to_string())
}

#[test]
fn adaptation_saves_and_renders_a_person() {
    let folder = tempfile::tempdir().unwrap();
    let numbers = write_frames(folder.path(), PERSON);
    let speech = root().join("models/head/clip/speech.wav");
    std::fs::copy(speech, folder.path().join("speech.wav")).unwrap();
    for (dialect, link) in [("c11", Link::Static), ("c++17", Link::Shared)] {
        let Some(program) = build(folder.path(), "adapt", dialect, link) else {
            continue;
        };
        let output = support::run(harness(&program).arg(folder.path()).args(&numbers));
        assert!(
            output.contains("a person was learnt, kept and rendered"),
            "{output}"
        );
    }
}

/// The C++ layer over the whole API, with and without exceptions.
#[test]
fn the_layer_does_what_c_does() {
    let folder = tempfile::tempdir().unwrap();
    let numbers = write_frames(folder.path(), PERSON);
    let speech = root().join("models/head/clip/speech.wav");
    std::fs::copy(speech, folder.path().join("speech.wav")).unwrap();
    let warnings = ["-Wpedantic", "-Wshadow", "-Wconversion"];
    for (dialect, link, mode) in [
        ("c++11", Link::Shared, ["-fno-exceptions", "-fno-rtti"]),
        ("c++20", Link::Static, ["-DSLS_EXCEPTIONS", "-fexceptions"]),
    ] {
        let options = [&warnings[..], &mode[..]].concat();
        let Some(program) = build_with(folder.path(), "layer", dialect, link, &options) else {
            continue;
        };
        let output = support::run(harness(&program).arg(folder.path()).args(&numbers));
        assert!(output.contains("the layer does what C does"), "{output}");
    }
}

const MISUSE_HEAD: &str = "\
# Calls that the C API rejects

The harnesses `misuse.c` and `misuse_clip.c` make these calls, and `cargo test --test capi` compares their output
with this file. `struct: field = value` means that the call got a valid struct in which only this field was changed.

| call | status | message |
|---|---|---|
";

/// The harnesses that print the table, in its order. Each gets the folder of bad files.
const MISUSES: [&str; 2] = ["misuse", "misuse_clip"];

/// The rows of all harnesses. None on a machine without a compiler for the dialect.
fn rows(folder: &Path, dialect: &str, link: Link) -> Option<String> {
    let mut rows = String::new();
    for name in MISUSES {
        let program = build(folder, name, dialect, link)?;
        let output = support::run(harness(&program).arg(folder));
        let output = output.replace(&folder.display().to_string(), "FOLDER");
        rows += output.strip_suffix("every misuse was refused\n").unwrap();
    }
    Some(rows)
}

#[test]
fn every_misuse_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    write_bad_files(folder.path());
    for (dialect, link) in [
        ("c11", Link::Shared),
        ("c11", Link::Static),
        ("c++17", Link::Shared),
        ("c++17", Link::Static),
    ] {
        let Some(table) = rows(folder.path(), dialect, link) else {
            continue;
        };
        let wanted = format!("{MISUSE_HEAD}{table}");
        let path = root().join("tests/c/misuse.md");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &wanted).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap();
        // Error messages of the file system differ between operating systems.
        assert!(
            wanted == kept || !cfg!(target_os = "linux"),
            "tests/c/misuse.md is out of date: run BLESS=1 cargo test --test capi misuse"
        );
    }
}

/// Runs a harness that acts as a host, in C and in C++. It prints this line, and the library prints nothing.
fn prints_only(name: &str, line: &str) {
    let folder = tempfile::tempdir().unwrap();
    let numbers = write_frames(folder.path(), HOSTED);
    write_speech(folder.path());
    for (dialect, link) in [("c11", Link::Shared), ("c++17", Link::Static)] {
        let Some(program) = build(folder.path(), name, dialect, link) else {
            continue;
        };
        let output = harness(&program).arg(folder.path()).args(&numbers).output();
        let output = output.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(
            (text(&output.stdout), text(&output.stderr)),
            (format!("{line}\n"), String::new())
        );
    }
}

/// Cancellation, limits, the host's own memory.
#[test]
fn the_hooks_hold() {
    prints_only("hooks", "the hooks hold");
}

/// A change of audio in mid-stream, the profile, the provenance report, time stamps.
#[test]
fn the_streams_hold() {
    prints_only("streams", "the streams hold");
}

/// Two faces in one stream, each with its own speech.
#[test]
fn several_faces_speak_in_a_stream() {
    let folder = tempfile::tempdir().unwrap();
    let numbers = write_frames(folder.path(), HOSTED);
    write_speech(folder.path());
    for (dialect, link) in [("c11", Link::Shared), ("c++17", Link::Static)] {
        let Some(program) = build(folder.path(), "faces", dialect, link) else {
            continue;
        };
        let output = support::run(harness(&program).arg(folder.path()).args(&numbers));
        assert!(output.starts_with("two faces spoke"), "{output}");
    }
}

#[test]
fn a_host_may_fork() {
    let folder = tempfile::tempdir().unwrap();
    let numbers = write_frames(folder.path(), 1);
    write_speech(folder.path());
    for (dialect, link) in [("c11", Link::Shared), ("c11", Link::Static)] {
        let program = build(folder.path(), "fork", dialect, link).unwrap();
        let output = support::run(harness(&program).arg(folder.path()).args(&numbers[..2]));
        assert_eq!(output, "parent and child rendered the same\n");
    }
}

/// The same programs with AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer: no access
/// outside the caller's memory, no leaks.
#[test]
#[cfg(target_os = "linux")]
fn the_harnesses_are_clean_under_sanitizers() {
    let sanitizers = [
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=undefined",
    ];
    let folder = tempfile::tempdir().unwrap();
    let probe = folder.path().join("probe.c");
    std::fs::write(&probe, "int main(void) { return 0; }\n").unwrap();
    let mut compiler = Command::new(support::compiler(false).unwrap());
    let probed = compiler.args(sanitizers).arg(&probe).arg("-o");
    let probed = probed.arg(folder.path().join("probe")).output().unwrap();
    if !probed.status.success() {
        skip::skip("libgcc-dev (libasan and libubsan)");
        return;
    }
    let numbers = write_frames(folder.path(), HOSTED);
    write_speech(folder.path());
    write_bad_files(folder.path());
    // ONNX Runtime keeps its environment until the process ends.
    let known = folder.path().join("known");
    std::fs::write(&known, "leak:libonnxruntime\nleak:OrtGetApiBase\n").unwrap();
    let hosts = ["hooks", "streams"];
    for (names, arguments) in [(hosts, &numbers[..]), (MISUSES, &[])] {
        for name in names {
            let program = build_with(folder.path(), name, "c11", Link::Shared, &sanitizers);
            let suppressed = format!("suppressions={}:print_suppressions=0", known.display());
            support::run(
                harness(&program.unwrap())
                    .env("LSAN_OPTIONS", suppressed)
                    .arg(folder.path())
                    .args(arguments),
            );
        }
    }
}

/// Runs a test program under valgrind's memcheck, which also checks ONNX Runtime's accesses. Skipped
/// with a message if valgrind is not installed.
#[cfg(target_os = "linux")]
fn memcheck(folder: &Path, name: &str, arguments: &[String]) {
    if Command::new("valgrind").arg("--version").output().is_err() {
        skip::skip("valgrind");
        return;
    }
    let program = build(folder, name, "c11", Link::Shared).unwrap();
    let known = root().join("tests/data/valgrind.supp");
    let runtime = provision(Component::OnnxRuntime).expect("ONNX Runtime");
    support::run(
        Command::new("valgrind")
            .args(["--quiet", "--error-exitcode=9", "--leak-check=full"])
            .args(["--show-leak-kinds=definite,indirect"])
            .args(["--errors-for-leak-kinds=definite,indirect"])
            .arg(format!("--suppressions={}", known.display()))
            .arg(program)
            .arg(folder)
            .args(arguments)
            .env("STYLELIPSYNC_ORT", runtime.path),
    );
}

#[test]
#[cfg(target_os = "linux")]
fn misuse_is_clean_under_valgrind() {
    let folder = tempfile::tempdir().unwrap();
    write_bad_files(folder.path());
    for name in MISUSES {
        memcheck(folder.path(), name, &[]);
    }
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "five minutes of a core, for two frames of two faces"]
fn rendering_is_clean_under_valgrind() {
    let folder = tempfile::tempdir().unwrap();
    let numbers = write_frames(folder.path(), 2);
    write_speech(folder.path());
    memcheck(folder.path(), "faces", &numbers);
}

/// Programs built with the first released header.
#[test]
fn programs_of_the_older_header_run() {
    let folder = tempfile::tempdir().unwrap();
    let numbers = write_frames(folder.path(), FRAMES);
    let rate = write_speech(folder.path());
    let speech = root().join("models/head/clip/other.wav");
    std::fs::copy(speech, folder.path().join("speech.wav")).unwrap();
    let older = root().join("tests/c/older");
    let include = format!("-I{}", older.display());
    let program = build_with(folder.path(), "lipsync", "c11", Link::Shared, &[&include]);
    let mut command = harness(&program.unwrap());
    let output = support::run(command.arg(folder.path()).args(&numbers).arg(rate));
    assert!(
        output.contains("the same bytes from both paths"),
        "{output}"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_host_may_unload_and_load_again_and_have_two_copies() {
    let folder = tempfile::tempdir().unwrap();
    let program = build(folder.path(), "reload", "c11", Link::Loaded).unwrap();
    let library = folder.path().join("libstylelipsync.so.1");
    // Another file is another copy of the library in the process, as another version is.
    let copy = folder.path().join("copy.so");
    std::fs::copy(&library, &copy).unwrap();
    support::run(harness(&program).arg(library).arg(copy));
}
