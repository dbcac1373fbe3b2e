//! Writes the plug-in bundle. The effect's library is taken from the folder of this program.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use stylelipsync::model::locate::Component;
use stylelipsync_ofx::bundle::{System, lay_out};
use stylelipsync_provision::provision;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let into = match (arguments.next(), arguments.next()) {
        (None, _) => PathBuf::from("."),
        (Some(folder), None) if !folder.to_string_lossy().starts_with('-') => folder.into(),
        _ => {
            eprintln!(
                "usage: ofx-bundle [FOLDER]\n\nWrites StyleLipSync.ofx.bundle into the folder."
            );
            return ExitCode::from(2);
        }
    };
    match write_bundle(&into) {
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

fn write_bundle(into: &Path) -> Result<PathBuf, String> {
    let system = System::here().ok_or("there are no OpenFX hosts for this system")?;
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let built = program.with_file_name(system.library());
    if !built.is_file() {
        return Err(format!(
            "{} is missing: run cargo build -p stylelipsync-ofx",
            built.display()
        ));
    }
    let message = |error: stylelipsync::Error| error.to_string();
    let runtime = provision(Component::OnnxRuntime).map_err(message)?;
    lay_out(into, system, &built, &[runtime.path]).map_err(message)
}
