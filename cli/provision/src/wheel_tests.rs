use super::*;

/// A package of our own making, so that no test here needs the network.
fn package(folder: &Path) -> (PathBuf, Wheel) {
    use std::io::Write;
    let path = folder.join("toy-1.0-py3-none-any.whl");
    let mut archive = zip::ZipWriter::new(File::create(&path).unwrap());
    let options = zip::write::SimpleFileOptions::default();
    for (name, content) in [("toy/libtoy.so", "library"), ("toy/LICENSE", "licence")] {
        archive.start_file(name, options).unwrap();
        archive.write_all(content.as_bytes()).unwrap();
    }
    archive.finish().unwrap();
    let sha256 = hex::encode(Sha256::digest(fs::read(&path).unwrap()));
    let wheel = Wheel {
        requirement: "toy==1.0",
        platform: "any",
        file: "toy-1.0-py3-none-any.whl",
        sha256: sha256.leak(),
        folder: "toy-1.0",
        members: &["toy/libtoy.so", "toy/LICENSE"],
    };
    (path, wheel)
}

/// A stand-in for Python whose `pip download` copies a file into the folder that is its last
/// argument, and counts how often it was called.
#[cfg(unix)]
fn copying_python(folder: &Path, package: &Path) -> Pip {
    let script = format!(
        "echo called >> '{calls}'\nfor last in \"$@\"; do :; done\ncp '{package}' \"$last\"\n",
        calls = folder.join("calls").display(),
        package = package.display()
    );
    scripted_python(folder, &script)
}

#[cfg(unix)]
fn scripted_python(folder: &Path, script: &str) -> Pip {
    use std::os::unix::fs::PermissionsExt;
    let python = folder.join("python3");
    fs::write(&python, format!("#!/bin/sh\n{script}")).unwrap();
    fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
    Pip::with_pythons([python])
}

#[cfg(unix)]
#[test]
fn a_good_package_is_unpacked_once_even_by_eight_threads() {
    let folder = tempfile::tempdir().unwrap();
    let (path, wheel) = package(folder.path());
    let pip = copying_python(folder.path(), &path);
    let cache = folder.path().join("cache");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let library = fetch(&wheel, &pip, &cache).unwrap();
                assert_eq!(fs::read_to_string(library).unwrap(), "library");
            });
        }
    });
    assert_eq!(
        fs::read_to_string(cache.join("toy-1.0/LICENSE")).unwrap(),
        "licence"
    );
    assert_eq!(
        fs::read_to_string(folder.path().join("calls"))
            .unwrap()
            .lines()
            .count(),
        1
    );
    assert!(!cache.join("fetching").exists());
}

#[cfg(unix)]
#[test]
fn another_hash_is_refused_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let (path, mut wheel) = package(folder.path());
    wheel.sha256 = "0000000000000000000000000000000000000000000000000000000000000000";
    let pip = copying_python(folder.path(), &path);
    let cache = folder.path().join("cache");
    let message = fetch(&wheel, &pip, &cache).unwrap_err().to_string();
    assert!(
        message.contains("has SHA-256") && message.contains("not the pinned 0000"),
        "{message}"
    );
    assert!(!cache.join("toy-1.0").exists() && !cache.join("fetching").exists());
}

#[cfg(unix)]
#[test]
fn a_package_without_the_library_is_refused_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let (path, mut wheel) = package(folder.path());
    wheel.members = &["toy/LICENSE", "toy/libother.so"];
    let pip = copying_python(folder.path(), &path);
    let cache = folder.path().join("cache");
    let message = fetch(&wheel, &pip, &cache).unwrap_err().to_string();
    assert!(message.contains("toy/libother.so"), "{message}");
    assert!(!cache.join("toy-1.0").exists());
}

#[test]
fn missing_python_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (_, wheel) = package(folder.path());
    let pip = Pip::with_pythons(["no-such-python3", "no-such-python"]);
    let message = fetch(&wheel, &pip, folder.path()).unwrap_err().to_string();
    assert!(message.contains("Python 3 with pip is needed"), "{message}");
    assert!(
        message.contains("no-such-python3, no-such-python"),
        "{message}"
    );
}

#[cfg(unix)]
#[test]
fn python_without_pip_gives_its_own_words() {
    let folder = tempfile::tempdir().unwrap();
    let (_, wheel) = package(folder.path());
    let pip = scripted_python(
        folder.path(),
        "echo '/usr/bin/python3: No module named pip' >&2; exit 1",
    );
    let message = fetch(&wheel, &pip, &folder.path().join("cache"))
        .unwrap_err()
        .to_string();
    assert!(message.contains("No module named pip"), "{message}");
}

/// The real pip, sent to a port where nobody listens.
#[test]
fn offline_is_an_error_with_pips_reason() {
    let folder = tempfile::tempdir().unwrap();
    let mut pip = Pip::of_this_machine();
    pip.variables = [
        ("PIP_INDEX_URL", "http://127.0.0.1:9/simple"),
        ("PIP_EXTRA_INDEX_URL", ""),
        ("PIP_FIND_LINKS", ""),
        (
            "PIP_CONFIG_FILE",
            if cfg!(windows) { "nul" } else { "/dev/null" },
        ),
        ("PIP_RETRIES", "0"),
        ("NO_PROXY", "127.0.0.1"),
        ("no_proxy", "127.0.0.1"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .to_vec();
    let cache = folder.path().join("cache");
    let wheel = for_this_platform(Component::OnnxRuntime).unwrap();
    let message = fetch(wheel, &pip, &cache).unwrap_err().to_string();
    assert!(
        message.contains("pip download onnxruntime==1.32.0` failed"),
        "{message}"
    );
    assert!(message.contains("No matching distribution"), "{message}");
    assert!(!cache.join(wheel.folder).exists() && !cache.join("fetching").exists());
}

#[cfg(unix)]
#[test]
fn a_cache_that_cannot_be_written_is_a_write_error() {
    let folder = tempfile::tempdir().unwrap();
    let (path, wheel) = package(folder.path());
    let pip = copying_python(folder.path(), &path);
    // A file where the folder should be: refused for root too, unlike a read-only folder.
    let error = fetch(&wheel, &pip, &path.join("cache")).unwrap_err();
    assert!(matches!(error, Error::Write { .. }), "{error}");
}

#[test]
fn pins_are_well_formed_and_one_to_a_platform() {
    let mut hashes = std::collections::BTreeSet::new();
    for component in [Component::OnnxRuntime, Component::WebGpu] {
        for (os, processor) in [
            ("linux", "x86_64"),
            ("linux", "aarch64"),
            ("macos", "aarch64"),
            ("windows", "x86_64"),
            ("windows", "aarch64"),
        ] {
            let wheel = pinned(component, os, processor).unwrap();
            assert!(wheel.sha256.len() == 64 && hashes.insert(wheel.sha256));
            assert!(wheel.file.contains(wheel.platform));
        }
        assert!(pinned(component, "plan9", "x86_64").is_none());
    }
}
