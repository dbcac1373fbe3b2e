use super::*;

fn nowhere(cache: &Path) -> Places {
    Places {
        variable: None,
        folders: Vec::new(),
        cache: Some(cache.to_path_buf()),
    }
}

fn touch(path: &Path) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, b"library").unwrap();
}

#[test]
fn variable_wins_over_beside_wins_over_cache() {
    for component in [Component::OnnxRuntime, Component::WebGpu] {
        let folder = tempfile::tempdir().unwrap();
        let (cache, beside) = (folder.path().join("cache"), folder.path().join("beside"));
        let mut places = nowhere(&cache);
        places.folders.push(beside.clone());

        let cached = places.cached(component).unwrap();
        assert!(cached.starts_with(&cache));
        touch(&cached);
        assert_eq!(
            places.locate(component).unwrap(),
            Found {
                path: cached,
                source: Source::Cache
            }
        );

        let lies_beside = beside.join(component.file_names()[0]);
        touch(&lies_beside);
        assert_eq!(
            places.locate(component).unwrap(),
            Found {
                path: lies_beside,
                source: Source::Beside
            }
        );

        let named = folder.path().join("mine.so");
        touch(&named);
        places.variable = Some(named.clone());
        let source = Source::Variable(component.variable());
        assert_eq!(
            places.locate(component).unwrap(),
            Found {
                path: named,
                source
            }
        );
    }
}

#[test]
fn a_variable_that_names_nothing_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut places = nowhere(folder.path());
    touch(&places.cached(Component::OnnxRuntime).unwrap());
    places.variable = Some(folder.path().join("gone.so"));
    let message = places
        .locate(Component::OnnxRuntime)
        .unwrap_err()
        .to_string();
    assert!(message.contains("STYLELIPSYNC_ORT names"), "{message}");
    assert!(message.contains("gone.so"), "{message}");
}

/// `<prefix>/bin/stylelipsync` and `<prefix>/lib/libstylelipsync.so.1` share one ONNX Runtime.
#[test]
fn packages_keep_it_in_lib_stylelipsync() {
    let of = |folder: &str| packaged(Path::new(folder));
    for folder in ["/opt/it/bin", "/opt/it/lib", "/opt/it/lib64"] {
        assert_eq!(of(folder), Some("/opt/it/lib/stylelipsync".into()));
    }
    // What lies beside any other folder may be anybody's.
    assert_eq!([of("/tmp/mine"), of("/")], [None, None]);
}

#[test]
fn nothing_found_says_where_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let mut places = nowhere(folder.path());
    places.folders.push(PathBuf::from("/somewhere"));
    let message = places
        .locate(Component::OnnxRuntime)
        .unwrap_err()
        .to_string();
    for part in [
        "STYLELIPSYNC_ORT",
        "/somewhere",
        "onnxruntime-1.32.0",
        "doctor --fetch",
    ] {
        assert!(message.contains(part), "{message}");
    }
    let message = places.locate(Component::OpenVino).unwrap_err().to_string();
    assert!(message.contains("doctor --fetch --openvino`"), "{message}");
}
