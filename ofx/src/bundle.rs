//! The plug-in bundle: the folder that hosts look for. The same code writes it for every system.
//!
//! ```text
//! StyleLipSync.ofx.bundle/Contents/
//!   Info.plist
//!   Linux-x86-64/StyleLipSync.ofx        (MacOS, Win64)  with ONNX Runtime beside it
//!   Resources/org.stylelipsync.LipSync.png, licences
//! ```
//!
//! The networks are embedded in `StyleLipSync.ofx`.

use std::fs;
use std::path::{Path, PathBuf};

use stylelipsync::{Error, Result};

use crate::identity::IDENTIFIER;

/// The folder's name.
pub const NAME: &str = "StyleLipSync.ofx.bundle";
const BINARY: &str = "StyleLipSync.ofx";
const ICON: &[u8] = include_bytes!("../resources/icon.png");
const LICENCES: [(&str, &str); 3] = [
    ("LICENSE-MIT.txt", include_str!("../../LICENSE-MIT")),
    ("LICENSE-APACHE.txt", include_str!("../../LICENSE-APACHE")),
    (
        "LICENSE-ONNXRUNTIME.txt",
        include_str!("../resources/onnxruntime.txt"),
    ),
];

/// An operating system with OpenFX hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Linux.
    Linux,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

impl System {
    /// The system of this build; `None` where there are no hosts.
    pub fn here() -> Option<Self> {
        Self::by_name(std::env::consts::OS)
    }

    /// By the name of [`std::env::consts::OS`]: `linux`, `macos` or `windows`.
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "linux" => Some(Self::Linux),
            "macos" => Some(Self::MacOs),
            "windows" => Some(Self::Windows),
            _ => None,
        }
    }

    /// The folder of its binaries, as the OpenFX specification names it.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Linux => "Linux-x86-64",
            Self::MacOs => "MacOS",
            Self::Windows => "Win64",
        }
    }

    /// The file name of this crate's dynamic library.
    pub fn library(self) -> &'static str {
        match self {
            Self::Linux => "libstylelipsync_ofx.so",
            Self::MacOs => "libstylelipsync_ofx.dylib",
            Self::Windows => "stylelipsync_ofx.dll",
        }
    }
}

/// Writes the bundle into the folder `into`. `library` is the effect's dynamic library; `dependencies`
/// are the files that it loads (ONNX Runtime, providers), and `texts` are licences for its resources.
/// An existing bundle is replaced once the new one is complete.
///
/// # Errors
/// [`Error::Read`], [`Error::Write`].
pub fn lay_out(
    into: &Path,
    system: System,
    library: &Path,
    dependencies: &[PathBuf],
    texts: &[PathBuf],
) -> Result<PathBuf> {
    let (whole, part) = (into.join(NAME), into.join(format!("{NAME}.part")));
    remove(&part)?;
    let contents = part.join("Contents");
    let binaries = contents.join(system.folder());
    let resources = contents.join("Resources");
    for folder in [&binaries, &resources] {
        fs::create_dir_all(folder).map_err(writing(folder))?;
    }
    copy(library, &binaries.join(BINARY))?;
    for (folder, files) in [(&binaries, dependencies), (&resources, texts)] {
        for file in files {
            let none = || Error::Argument {
                field: "dependencies",
                reason: format!("{} has no file name", file.display()),
            };
            copy(file, &folder.join(file.file_name().ok_or_else(none)?))?;
        }
    }
    let icon = format!("{}.png", IDENTIFIER.to_string_lossy());
    write(&resources.join(icon), ICON)?;
    for (name, text) in LICENCES {
        write(&resources.join(name), text.as_bytes())?;
    }
    write(&contents.join("Info.plist"), plist().as_bytes())?;
    remove(&whole)?;
    fs::rename(&part, &whole).map_err(writing(&whole))?;
    Ok(whole)
}

/// The effect's binary in a bundle.
pub fn binary(bundle: &Path, system: System) -> PathBuf {
    bundle.join("Contents").join(system.folder()).join(BINARY)
}

fn plist() -> String {
    let identifier = IDENTIFIER.to_string_lossy();
    let pairs = [
        ("CFBundleDevelopmentRegion", "English"),
        ("CFBundleExecutable", BINARY),
        ("CFBundleIdentifier", &identifier),
        ("CFBundleInfoDictionaryVersion", "6.0"),
        ("CFBundleName", "StyleLipSync"),
        ("CFBundlePackageType", "BNDL"),
        ("CFBundleShortVersionString", env!("CARGO_PKG_VERSION")),
        ("CFBundleVersion", env!("CARGO_PKG_VERSION")),
    ];
    let pairs =
        pairs.map(|(key, value)| format!("  <key>{key}</key>\n  <string>{value}</string>\n"));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n<dict>\n{}</dict>\n</plist>\n",
        pairs.concat()
    )
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(writing(folder)(error)),
        _ => Ok(()),
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let bytes = fs::read(from).map_err(|source| Error::Read {
        path: from.to_owned(),
        source,
    })?;
    write(to, &bytes)
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).map_err(writing(path))
}

fn writing(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Write { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_of_every_system() {
        let place = tempfile::tempdir().unwrap();
        let (library, runtime) = (
            place.path().join("built"),
            place.path().join("libonnxruntime"),
        );
        fs::write(&library, b"effect").unwrap();
        fs::write(&runtime, b"runtime").unwrap();
        let notices = place.path().join("notices.txt");
        fs::write(&notices, b"notices").unwrap();
        for system in [System::Linux, System::MacOs, System::Windows] {
            let out = place.path().join(system.folder());
            let bundle = lay_out(
                &out,
                system,
                &library,
                std::slice::from_ref(&runtime),
                std::slice::from_ref(&notices),
            )
            .unwrap();
            assert_eq!(
                fs::read(bundle.join("Contents/Resources/notices.txt")).unwrap(),
                b"notices"
            );
            assert_eq!(fs::read(binary(&bundle, system)).unwrap(), b"effect");
            let contents = bundle.join("Contents");
            assert_eq!(
                fs::read(contents.join(system.folder()).join("libonnxruntime")).unwrap(),
                b"runtime"
            );
            assert!(
                contents
                    .join("Resources/org.stylelipsync.LipSync.png")
                    .is_file()
            );
            let plist = fs::read_to_string(contents.join("Info.plist")).unwrap();
            assert!(
                plist
                    .contains("<key>CFBundleExecutable</key>\n  <string>StyleLipSync.ofx</string>")
            );
            // A second run replaces the bundle: no old file is left.
            fs::write(contents.join("stale"), b"").unwrap();
            let again = lay_out(&out, system, &library, &[], &[]).unwrap();
            assert!(!again.join("Contents/stale").exists());
            assert_eq!(
                fs::read_dir(&out).unwrap().count(),
                1,
                "no temporary folder is left"
            );
        }
        let missing = lay_out(place.path(), System::Linux, Path::new("/none"), &[], &[]);
        assert!(matches!(missing, Err(Error::Read { .. })));
    }
}
