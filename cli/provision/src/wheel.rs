//! Fetching a pinned package from the Python package index and unpacking the library in it.
//!
//! pip is used as a download client only: it knows the user's mirrors, proxies and certificates.
//! Only a download with the SHA-256 pinned here is used.

use sha2::{Digest, Sha256};
use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use stylelipsync::model::locate::Component;
use stylelipsync::{Error, Result};

/// One package file of the index, and the members that are kept.
#[derive(Debug)]
pub(crate) struct Wheel {
    /// Name and version as pip takes them.
    requirement: &'static str,
    /// pip's platform tag.
    platform: &'static str,
    /// The package file's exact name.
    file: &'static str,
    /// SHA-256 of the package file.
    sha256: &'static str,
    /// Folder inside the cache folder.
    folder: &'static str,
    /// The members that are kept, the shared library first.
    members: &'static [&'static str],
}

impl Wheel {
    pub(crate) fn library_in(&self, cache: &Path) -> PathBuf {
        cache.join(self.folder).join(base_name(self.members[0]))
    }
}

fn base_name(member: &str) -> &str {
    member.rsplit('/').next().unwrap_or(member)
}

/// The largest member that is unpacked; ONNX Runtime itself is 35 MB.
const LARGEST_MEMBER: u64 = 256 << 20;

macro_rules! runtime {
    ($platform:literal, $library:literal, $sha256:literal) => {
        &Wheel {
            requirement: "onnxruntime==1.32.0",
            platform: $platform,
            file: concat!("onnxruntime-1.32.0-cp312-cp312-", $platform, ".whl"),
            sha256: $sha256,
            folder: "onnxruntime-1.32.0",
            members: &[
                concat!("onnxruntime/capi/", $library),
                "onnxruntime/LICENSE",
                "onnxruntime/ThirdPartyNotices.txt",
            ],
        }
    };
}

macro_rules! webgpu {
    ($platform:literal, $sha256:literal, $($library:literal),+) => {
        &Wheel {
            requirement: "onnxruntime-ep-webgpu==0.4.0",
            platform: $platform,
            file: concat!("onnxruntime_ep_webgpu-0.4.0-py3-none-", $platform, ".whl"),
            sha256: $sha256,
            folder: "onnxruntime-ep-webgpu-0.4.0",
            members: &[
                $(concat!("onnxruntime_ep_webgpu/", $library),)+
                "onnxruntime_ep_webgpu-0.4.0.dist-info/licenses/LICENSE",
                "onnxruntime_ep_webgpu-0.4.0.dist-info/licenses/ThirdPartyNotices.txt",
            ],
        }
    };
}

macro_rules! openvino {
    ($platform:literal, $sha256:literal, $($library:literal),+) => {
        &Wheel {
            requirement: "onnxruntime-ep-openvino==1.8.1",
            platform: $platform,
            file: concat!("onnxruntime_ep_openvino-1.8.1-py3-none-", $platform, ".whl"),
            sha256: $sha256,
            folder: "onnxruntime-ep-openvino-1.8.1",
            members: &[
                $(concat!("onnxruntime_ep_openvino/", $library),)+
                "onnxruntime_ep_openvino/cache.json",
                "onnxruntime_ep_openvino/third-party-programs.txt",
                // The only place in the package that names its licence.
                "onnxruntime_ep_openvino-1.8.1.dist-info/METADATA",
            ],
        }
    };
}

/// The pinned package of a component, for an operating system and a processor.
fn pinned(component: Component, os: &str, processor: &str) -> Option<&'static Wheel> {
    Some(match (component, os, processor) {
        (Component::OnnxRuntime, "linux", "x86_64") => runtime!(
            "manylinux_2_28_x86_64",
            "libonnxruntime.so.1.32.0",
            "99e1074c4b2197accd5073052a465361be17b89c093b8ffb6e6bd8f986c52df8"
        ),
        (Component::OnnxRuntime, "linux", "aarch64") => runtime!(
            "manylinux_2_28_aarch64",
            "libonnxruntime.so.1.32.0",
            "e36c187006e7a7c8b8d6d57f1a209dd63f52430dca6c282b177718ad6b841054"
        ),
        (Component::OnnxRuntime, "macos", "aarch64") => runtime!(
            "macosx_14_0_arm64",
            "libonnxruntime.1.32.0.dylib",
            "d52510bbbcc880c13b826f7d75cdf33ac5cf0bb864d960000fc29ce73f0cb83e"
        ),
        (Component::OnnxRuntime, "windows", "x86_64") => runtime!(
            "win_amd64",
            "onnxruntime.dll",
            "efe7456952c243a05a53d5b8732953625144642c2f3989094277f6217f0c0c40"
        ),
        (Component::OnnxRuntime, "windows", "aarch64") => runtime!(
            "win_arm64",
            "onnxruntime.dll",
            "64d394c69d561af3efd4d4f49dcac8f11d0ce135a20701c16d53b74056cd4cf8"
        ),
        (Component::WebGpu, "linux", "x86_64") => webgpu!(
            "manylinux_2_28_x86_64",
            "5d8c961eda91a88961cad1fb7621f389f006b18497d6ea9ecf96f729f066cbfb",
            "libonnxruntime_providers_webgpu.so"
        ),
        (Component::WebGpu, "linux", "aarch64") => webgpu!(
            "manylinux_2_28_aarch64",
            "17f660db53b1a509c63e721ac6784a2daa1c4e91a968523ee9986505ee5b0a55",
            "libonnxruntime_providers_webgpu.so"
        ),
        (Component::WebGpu, "macos", "aarch64") => webgpu!(
            "macosx_14_0_universal2",
            "8d0a91d44b43d931c3068b9134aed9770f27803e353c2b58c93e1700bb68bcca",
            "libonnxruntime_providers_webgpu.dylib"
        ),
        (Component::WebGpu, "windows", "x86_64") => webgpu!(
            "win_amd64",
            "7db646669d1a2390551da675115ea125e68cb3d4d2c3a2d6e463372bf8d6ea87",
            "onnxruntime_providers_webgpu.dll",
            "dxcompiler.dll",
            "dxil.dll"
        ),
        (Component::WebGpu, "windows", "aarch64") => webgpu!(
            "win_arm64",
            "a9586f6744370776059edd794c11bca2f563258a5bd2707864aefff31d3af39f",
            "onnxruntime_providers_webgpu.dll",
            "dxcompiler.dll",
            "dxil.dll"
        ),
        (Component::OpenVino, "linux", "x86_64") => openvino!(
            "manylinux_2_28_x86_64",
            "3832643158c8c187fcab6db661cde2a8c06a2b3559d95d0f2411ac0e51c5e924",
            "libonnxruntime_providers_openvino_plugin.so",
            "libhwloc.so.15",
            "libopenvino.so.2641",
            "libopenvino_auto_batch_plugin.so",
            "libopenvino_auto_plugin.so",
            "libopenvino_hetero_plugin.so",
            "libopenvino_intel_cpu_plugin.so",
            "libopenvino_intel_gpu_plugin.so",
            "libopenvino_intel_npu_plugin.so",
            "libopenvino_ir_frontend.so.2641",
            "libopenvino_onnx_frontend.so.2641",
            "libtbb.so.12",
            "libtbbbind_2_5.so.3",
            "libtbbmalloc.so.2",
            "libtbbmalloc_proxy.so.2"
        ),
        (Component::OpenVino, "windows", "x86_64") => openvino!(
            "win_amd64",
            "1acd878be173b02bb8b953460f2f59b121e5f6e47ebc6aad490c0590cf6718fb",
            "onnxruntime_providers_openvino_plugin.dll",
            "openvino.dll",
            "openvino_auto_batch_plugin.dll",
            "openvino_auto_plugin.dll",
            "openvino_hetero_plugin.dll",
            "openvino_intel_cpu_plugin.dll",
            "openvino_intel_gpu_plugin.dll",
            "openvino_intel_npu_compiler.dll",
            "openvino_intel_npu_compiler_loader.dll",
            "openvino_intel_npu_plugin.dll",
            "openvino_intel_npu_vm_runtime.dll",
            "openvino_ir_frontend.dll",
            "openvino_onnx_frontend.dll",
            "tbb12.dll",
            "tbbbind_2_5.dll",
            "tbbmalloc.dll",
            "tbbmalloc_proxy.dll"
        ),
        _ => return None,
    })
}

/// The pinned package for the machine this runs on.
pub(crate) fn for_this_platform(component: Component) -> Result<&'static Wheel> {
    for_platform(component, std::env::consts::OS, std::env::consts::ARCH)
}

/// The pinned package for an operating system and a processor.
pub(crate) fn for_platform(
    component: Component,
    os: &str,
    processor: &str,
) -> Result<&'static Wheel> {
    pinned(component, os, processor).ok_or_else(|| {
        Error::Runtime(format!(
            "{} has no package for {os} on {processor}: set {} to a library built for it",
            component.title(),
            component.variable()
        ))
    })
}

/// How to call pip: the Python programs to try, in order, and environment variables for the child.
pub(crate) struct Pip {
    pythons: Vec<PathBuf>,
    variables: Vec<(&'static str, String)>,
}

impl Pip {
    pub(crate) fn of_this_machine() -> Self {
        // On Windows, `python3` is often a stub that opens the Store; `py` is Python's own launcher.
        match cfg!(windows) {
            true => Self::with_pythons(["py", "python", "python3"]),
            false => Self::with_pythons(["python3", "python"]),
        }
    }

    pub(crate) fn with_pythons<P: Into<PathBuf>>(pythons: impl IntoIterator<Item = P>) -> Self {
        Pip {
            pythons: pythons.into_iter().map(Into::into).collect(),
            variables: Vec::new(),
        }
    }

    /// Downloads one package file into `folder`.
    fn download(&self, wheel: &Wheel, folder: &Path) -> Result<()> {
        for python in &self.pythons {
            let child = Command::new(python)
                .args([
                    "-m",
                    "pip",
                    "download",
                    "--quiet",
                    "--no-input",
                    "--no-deps",
                ])
                .args(["--disable-pip-version-check", "--only-binary=:all:"])
                .args(["--implementation", "cp", "--python-version", "3.12"])
                .args(["--platform", wheel.platform, wheel.requirement, "--dest"])
                .arg(folder)
                .envs(self.variables.iter().map(|(name, value)| (name, value)))
                .stdin(Stdio::null())
                .output();
            match child {
                Ok(output) if output.status.success() => return Ok(()),
                Ok(output) => {
                    return Err(Error::Runtime(format!(
                        "`{} -m pip download {}` failed: {}",
                        python.display(),
                        wheel.requirement,
                        complaint(&output.stderr)
                    )));
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => {
                    return Err(Error::Runtime(format!(
                        "{} cannot be started: {error}",
                        python.display()
                    )));
                }
            }
        }
        let tried: Vec<_> = self
            .pythons
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        Err(Error::Runtime(format!(
            "Python 3 with pip is needed to fetch {}, and none of {} is on the PATH; install one, \
             or fetch {} by hand and set the variable",
            wheel.requirement,
            tried.join(", "),
            wheel.file
        )))
    }
}

/// The last lines of pip's output, on one line: the reason is at the end.
fn complaint(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    match lines.len() {
        0 => "it gave no reason".into(),
        n => lines[n.saturating_sub(2)..].join(" "),
    }
}

/// The package's library in the cache folder, fetched when it is not there yet.
///
/// A lock file makes parallel callers wait for the one that fetches. The folder appears by one
/// rename, so that a caller never sees half of it.
pub(crate) fn fetch(wheel: &Wheel, pip: &Pip, cache: &Path) -> Result<PathBuf> {
    let library = wheel.library_in(cache);
    let writing = |path: &Path| {
        let path = path.to_path_buf();
        move |source| Error::Write { path, source }
    };
    fs::create_dir_all(cache).map_err(writing(cache))?;
    let lock_path = cache.join("lock");
    let lock = File::create(&lock_path).map_err(writing(&lock_path))?;
    lock.lock().map_err(writing(&lock_path))?;
    if library.is_file() {
        return Ok(library);
    }
    log::info!(
        "fetching {} through pip into {}",
        wheel.requirement,
        cache.display()
    );

    // Under the lock, so anything here was left by a process that was killed.
    let work = Scratch(cache.join("fetching"));
    let _ = fs::remove_dir_all(&work.0);
    let unpacked = work.0.join("unpacked");
    fs::create_dir_all(&unpacked).map_err(writing(&unpacked))?;
    pip.download(wheel, &work.0)?;
    let package = work.0.join(wheel.file);
    check_hash(&package, wheel)?;
    unpack(&package, wheel, &unpacked)?;
    let folder = cache.join(wheel.folder);
    let _ = fs::remove_dir_all(&folder);
    fs::rename(&unpacked, &folder).map_err(writing(&folder))?;
    Ok(library)
}

/// A folder that is removed with the value.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn check_hash(package: &Path, wheel: &Wheel) -> Result<()> {
    let reading = |source| Error::Read {
        path: package.to_path_buf(),
        source,
    };
    let mut file = File::open(package).map_err(reading)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0u8; 1 << 20];
    loop {
        match file.read(&mut buffer).map_err(reading)? {
            0 => break,
            n => hash.update(&buffer[..n]),
        }
    }
    let found = hex::encode(hash.finalize());
    if found != wheel.sha256 {
        return Err(Error::Runtime(format!(
            "{} has SHA-256 {found}, not the pinned {}; it was not unpacked",
            wheel.file, wheel.sha256
        )));
    }
    Ok(())
}

fn unpack(package: &Path, wheel: &Wheel, folder: &Path) -> Result<()> {
    let broken = |reason: String| Error::Runtime(format!("{}: {reason}", wheel.file));
    let file = File::open(package).map_err(|source| Error::Read {
        path: package.into(),
        source,
    })?;
    let mut archive = zip::ZipArchive::new(file).map_err(|error| broken(error.to_string()))?;
    for member in wheel.members {
        let packed = archive
            .by_name(member)
            .map_err(|error| broken(format!("{member}: {error}")))?;
        if packed.size() > LARGEST_MEMBER {
            return Err(broken(format!("{member} is {} bytes", packed.size())));
        }
        let path = folder.join(base_name(member));
        let written = File::create(&path)
            .and_then(|mut out| {
                let copied = std::io::copy(&mut packed.take(LARGEST_MEMBER), &mut out)?;
                out.sync_all().map(|()| copied)
            })
            .map_err(|source| Error::Write { path, source })?;
        log::debug!("unpacked {member}, {written} bytes");
    }
    Ok(())
}

#[cfg(test)]
#[path = "wheel_tests.rs"]
mod tests;
