//! Model bundles that are not embedded in the program but installed with it, found by their name.

use std::path::{Component, Path, PathBuf};

use crate::failure::{Failure, Result};

/// Where a bundle lies below the folder that a program is installed in, and below a checkout.
const PLACES: [&str; 2] = ["share/stylelipsync", "models"];

/// The folder of what `--bundle` names: a folder, or the name of a bundle installed with `program`.
///
/// # Errors
/// [`Failure::Tool`] for a name that nothing is installed under.
pub fn folder(given: &Path, program: Option<&Path>) -> Result<PathBuf> {
    let mut parts = given.components();
    let single = matches!(
        (parts.next(), parts.next()),
        (Some(Component::Normal(_)), None)
    );
    if !single || given.exists() {
        return Ok(given.to_owned());
    }
    program
        .iter()
        .flat_map(|program| program.ancestors().skip(1))
        .flat_map(|folder| PLACES.map(|place| folder.join(place).join(given)))
        .find(|folder| folder.join("manifest.json").is_file())
        .ok_or_else(|| {
            let name = given.display();
            Failure::Tool(format!(
                "--bundle {name}: neither a folder nor a bundle that is installed with this program; it would lie \
                 in share/stylelipsync/{name} beside the program's folder"
            ))
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
    use super::*;
    use std::fs;

    #[test]
    fn a_bundle_is_found_by_name_beside_the_program_and_in_a_checkout() {
        let root = tempfile::tempdir().unwrap();
        for (installed, program) in [
            ("share/stylelipsync/cleared", "bin/stylelipsync"),
            ("models/cleared", "target/release/stylelipsync"),
        ] {
            let root = root.path().join(installed.len().to_string());
            let (wanted, program) = (root.join(installed), root.join(program));
            fs::create_dir_all(&wanted).unwrap();
            let error = folder(Path::new("cleared"), Some(&program)).unwrap_err();
            assert!(
                error.to_string().starts_with("--bundle cleared: neither"),
                "{error}"
            );
            fs::write(wanted.join("manifest.json"), "{}").unwrap();
            assert_eq!(
                folder(Path::new("cleared"), Some(&program)).unwrap(),
                wanted
            );
        }
    }

    #[test]
    fn a_path_is_taken_as_it_is() {
        let here = tempfile::tempdir().unwrap();
        for path in [
            here.path(),
            Path::new("no/such"),
            Path::new("../cleared"),
            Path::new("/x"),
        ] {
            assert_eq!(folder(path, None).unwrap(), path);
        }
        assert!(folder(Path::new("cleared"), None).is_err());
    }
}
