//! Writes the plug-in bundle, for this system or for the one that the effect was cross-compiled for.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use stylelipsync::model::locate::Component;
use stylelipsync_ofx::bundle::{System, lay_out};
use stylelipsync_provision::{provision, provision_for};

const USAGE: &str = "\
usage: ofx-bundle [FOLDER] [--library FILE] [--system SYSTEM PROCESSOR] [--text FILE]...

Writes StyleLipSync.ofx.bundle into FOLDER (default: the current folder).

--library FILE   the effect's library (default: the one next to this program)
--system SYSTEM PROCESSOR
                 linux, macos or windows; x86_64 or aarch64 (default: this machine)
--text FILE      a licence that is added to the bundle's resources";

#[derive(Default)]
struct Options {
    folder: Option<PathBuf>,
    library: Option<PathBuf>,
    target: Option<(System, String, String)>,
    texts: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let Some(options) = parse(std::env::args_os().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match write_bundle(options) {
        Ok(bundle) => {
            println!("{}", bundle.display());
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("ofx-bundle: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut arguments: impl Iterator<Item = OsString>) -> Option<Options> {
    let mut options = Options::default();
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--library") => options.library = Some(arguments.next()?.into()),
            Some("--text") => options.texts.push(arguments.next()?.into()),
            Some("--system") => {
                let mut word = || arguments.next()?.into_string().ok();
                let (system, processor) = (word()?, word()?);
                options.target = Some((System::by_name(&system)?, system, processor));
            }
            Some(option) if option.starts_with('-') => return None,
            _ if options.folder.is_none() => options.folder = Some(argument.into()),
            _ => return None,
        }
    }
    Some(options)
}

fn write_bundle(options: Options) -> Result<PathBuf, String> {
    let message = |error: stylelipsync::Error| error.to_string();
    let (system, runtime) = match &options.target {
        Some((system, os, processor)) => {
            let runtime = provision_for(Component::OnnxRuntime, os, processor);
            (*system, runtime.map_err(message)?)
        }
        None => {
            let system = System::here().ok_or("there are no OpenFX hosts for this system")?;
            let runtime = provision(Component::OnnxRuntime).map_err(message)?;
            (system, runtime.path)
        }
    };
    let library = match options.library {
        Some(library) => library,
        None => built(system)?,
    };
    let folder = options.folder.unwrap_or(PathBuf::from("."));
    let mut texts = options.texts;
    // Lies next to a downloaded ONNX Runtime; one named by STYLELIPSYNC_ORT may lack it.
    let notices = runtime.with_file_name("ThirdPartyNotices.txt");
    texts.extend(Some(notices).filter(|file| file.is_file()));
    lay_out(&folder, system, &library, &[runtime], &texts).map_err(message)
}

fn built(system: System) -> Result<PathBuf, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let file: &Path = &program.with_file_name(system.library());
    match file.is_file() {
        true => Ok(file.to_owned()),
        false => Err(format!(
            "{} is missing: run cargo build -p stylelipsync-ofx",
            file.display()
        )),
    }
}
