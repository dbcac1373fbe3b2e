//! What `cargo cinstall` leaves is what a C or C++ program needs: headers, libraries, pkg-config,
//! a CMake package, manual pages. The examples are built from it, outside the tree, and run.
//!
//! Skipped, with a word, where cargo-c, cmake or pkg-config is not installed.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use stylelipsync::model::locate::Component;
use stylelipsync_provision::provision;

mod skip;

#[path = "c/support.rs"]
#[allow(
    dead_code,
    reason = "compilers and libraries are found by CMake and make"
)]
mod support;

/// Frames that the examples render: the stream's reference is among the first 25.
const FRAMES: usize = 27;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn missing() -> Option<&'static str> {
    let answers = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).stderr(Stdio::null());
        command.output().is_ok_and(|output| output.status.success())
    };
    let wanted: [(&str, &[&str], &str); 3] = [
        ("cargo", &["cinstall", "--version"], "cargo-c"),
        ("cmake", &["--version"], "cmake"),
        ("pkg-config", &["--version"], "pkg-config"),
    ];
    let lacks = wanted
        .iter()
        .find(|(program, arguments, _)| !answers(program, arguments));
    lacks.map(|(_, _, package)| *package)
}

/// Installs into `prefix`.
fn install(prefix: &Path) {
    let program = std::env::current_exe().unwrap();
    let target = program.ancestors().nth(3).unwrap();
    support::run(
        Command::new("cargo")
            .current_dir(root())
            .args([
                "cinstall",
                "--locked",
                "--profile",
                "quick",
                "--libdir",
                "lib",
            ])
            // Cargo and the one in cargo-c would each build anew what the other has built.
            .arg("--target-dir")
            .arg(target.join("cinstall"))
            .arg("--prefix")
            .arg(prefix)
            .args(["-p", "stylelipsync"]),
    );
}

/// The bundled head as raw RGBA frames in one file, and as PPM pictures in a folder.
fn write_head(folder: &Path) -> (u32, u32) {
    let (mut size, mut raw) = ((0, 0), Vec::new());
    fs::create_dir(folder.join("in")).unwrap();
    fs::create_dir(folder.join("out")).unwrap();
    for index in 0..FRAMES {
        let path = root().join(format!("models/head/clip/frames/{index:04}.jpg"));
        let picture = image::open(path).unwrap();
        size = (picture.width(), picture.height());
        raw.extend_from_slice(picture.to_rgba8().as_raw());
        let mut ppm = format!("P6\n{} {}\n255\n", size.0, size.1).into_bytes();
        ppm.extend_from_slice(picture.to_rgb8().as_raw());
        fs::write(folder.join(format!("in/{index:04}.ppm")), ppm).unwrap();
    }
    fs::write(folder.join("in.rgba"), raw).unwrap();
    size
}

fn examples_built_by_cmake(prefix: &Path, folder: &Path) -> PathBuf {
    let build = folder.join("cmake");
    support::run(
        Command::new("cmake")
            .arg("-S")
            .arg(folder.join("native"))
            .arg("-B")
            .arg(&build)
            .arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display()))
            .arg("-DCMAKE_BUILD_TYPE=Release"),
    );
    support::run(Command::new("cmake").arg("--build").arg(&build));
    build
}

fn examples_built_by_make(prefix: &Path, folder: &Path) -> PathBuf {
    let place = folder.join("native");
    support::run(
        Command::new("make")
            .current_dir(&place)
            .env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig")),
    );
    place
}

/// Runs both examples; gives their frames, as RGB.
fn rendered(programs: &Path, prefix: &Path, folder: &Path, size: (u32, u32)) -> [Vec<u8>; 2] {
    let words = root().join("models/head/clip/other.wav");
    let runtime = provision(Component::OnnxRuntime).expect("ONNX Runtime");
    let program = |name: &str| {
        let mut command = Command::new(programs.join(name));
        command
            .env("STYLELIPSYNC_ORT", &runtime.path)
            .env("LD_LIBRARY_PATH", prefix.join("lib"));
        command
    };
    let streamed = program("filter")
        .args([size.0.to_string(), size.1.to_string()])
        .args(["25", "1"])
        .arg(&words)
        .stdin(fs::File::open(folder.join("in.rgba")).unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&streamed.stderr);
    assert!(streamed.status.success() && said.is_empty(), "{said}");
    let (pixels, _) = streamed.stdout.as_chunks::<4>();
    let streamed = pixels
        .iter()
        .flat_map(|[r, g, b, _]| [*r, *g, *b])
        .collect();

    let mut pictures = program("pictures");
    pictures.args([folder.join("in"), folder.join("out"), words]);
    let said = support::run(pictures.args(["25", "1"]));
    assert_eq!(said, format!("{FRAMES} pictures\n"));
    let area = size.0 as usize * size.1 as usize * 3;
    let read = |index: usize| {
        let ppm = fs::read(folder.join(format!("out/{index:04}.ppm"))).unwrap();
        ppm[ppm.len() - area..].to_vec()
    };
    [streamed, (0..FRAMES).flat_map(read).collect()]
}

#[test]
fn programs_are_built_from_what_is_installed() {
    if let Some(package) = missing() {
        skip::skip(package);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (prefix, folder) = (folder.path().join("prefix"), folder.path());
    install(&prefix);
    for file in [
        "include/stylelipsync.h",
        "include/stylelipsync.hpp",
        "lib/libstylelipsync.a",
        "lib/libstylelipsync.so",
        "lib/libstylelipsync.so.1",
        "lib/pkgconfig/stylelipsync.pc",
        "share/stylelipsync/cmake/stylelipsyncConfig.cmake",
        "share/stylelipsync/cmake/stylelipsyncConfigVersion.cmake",
        "share/man/man1/stylelipsync.1",
    ] {
        assert!(prefix.join(file).is_file(), "{file} is not installed");
    }
    let package = fs::read_to_string(prefix.join("lib/pkgconfig/stylelipsync.pc")).unwrap();
    assert!(package.contains("Version: 0.1.0"), "{package}");
    assert!(package.contains("Libs.private:"), "{package}");
    let name = support::run(
        Command::new("readelf")
            .arg("-d")
            .arg(prefix.join("lib/libstylelipsync.so")),
    );
    assert!(name.contains("[libstylelipsync.so.1]"), "{name}");
    assert!(name.contains("NODELETE"), "{name}");

    // Outside the tree: nothing of it but what was installed can be found.
    fs::create_dir(folder.join("native")).unwrap();
    for entry in fs::read_dir(root().join("examples/native")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, folder.join("native").join(path.file_name().unwrap())).unwrap();
    }
    let size = write_head(folder);
    let by_cmake = examples_built_by_cmake(&prefix, folder);
    let by_make = examples_built_by_make(&prefix, folder);
    let [streamed, random] = rendered(&by_cmake, &prefix, folder, size);
    // The stream renders with the frames of its first second, the other program with all: the mouths
    // differ a little, and nothing else does.
    assert_eq!(streamed.len(), random.len());
    let apart = |(a, b): (&u8, &u8)| f64::from(a.abs_diff(*b));
    let sum: f64 = streamed.iter().zip(&random).map(apart).sum();
    let mean = sum / streamed.len() as f64;
    assert!(mean < 1.0, "{mean} levels apart");
    let source = fs::read(folder.join("in.rgba")).unwrap();
    let (source, _) = source.as_chunks::<4>();
    let (frames, _) = streamed.as_chunks::<3>();
    assert_eq!(source.len(), frames.len());
    let changed = source
        .iter()
        .zip(frames)
        .filter(|(a, b)| a[..3] != b[..])
        .count();
    assert!(changed > source.len() / 50, "{changed} pixels changed");
    assert!(rendered(&by_make, &prefix, folder, size) == [streamed, random]);
}
