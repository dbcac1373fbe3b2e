//! The source of a render as the parent ingredient: what was opened before it was edited.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use c2pa::{Builder, Ingredient};
use serde_json::json;

use super::faults::failures;
use super::formats::{format_of, sidecar_of};
use super::manifest;
use super::pictures::PictureList;
use super::reading;
use crate::failure::{Failure, Result};

/// Where a result comes from.
#[derive(Clone, Debug)]
pub enum Parent {
    /// A file that can hold credentials; those that it has are kept in the result's.
    File { path: PathBuf, format: &'static str },
    /// A file whose credentials lie beside it.
    Beside(PathBuf),
    /// A folder of pictures with the signed lists of them.
    Folder { title: String, lists: Vec<PathBuf> },
    /// A folder or a file without credentials of a kind that C2PA does not know: by its name only.
    Named(String),
}

pub fn title_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

impl Parent {
    /// The parent of what is rendered from `source`.
    ///
    /// # Errors
    /// [`Failure::Input`] when it cannot be read; [`Failure::Credentials`] when it has credentials that do not
    /// hold: a result that names it as its parent would pass on a broken claim.
    pub fn of(source: &Path) -> Result<Self> {
        let title = title_of(source);
        if source.is_dir() {
            let mut lists = PictureList::all_in(source)?;
            lists.retain(|list| sidecar_of(list).is_file());
            for path in &lists {
                check(source, path)?;
                PictureList::open(path)?.check(source)?;
            }
            return Ok(match lists.is_empty() {
                true => Self::Named(title),
                false => Self::Folder { title, lists },
            });
        }
        let path = source.to_owned();
        match format_of(source) {
            None if sidecar_of(source).is_file() => {
                check(source, source)?;
                Ok(Self::Beside(path))
            }
            Some(format) if check(source, source)? => Ok(Self::File { path, format }),
            _ => Ok(Self::Named(title)),
        }
    }

    /// Adds the ingredient to a manifest.
    ///
    /// # Errors
    /// [`Failure::Input`] when the source cannot be read any more; [`Failure::Credentials`].
    pub(super) fn add_to(&self, builder: &mut Builder) -> Result<()> {
        match self {
            Self::File { path, format } => {
                let mut file = File::open(path).map_err(|error| Failure::reading(path, error))?;
                let described = json!({ "title": title_of(path), "relationship": "parentOf" });
                builder
                    .add_ingredient_from_stream(described.to_string(), format, &mut file)
                    .map_err(manifest::failed)?;
            }
            Self::Beside(path) => add_signed(builder, path, "parentOf")?,
            Self::Folder { title, lists } => match lists.as_slice() {
                [list] => add_signed(builder, list, "parentOf")?,
                // A manifest has one parent.
                lists => {
                    add_named(builder, title);
                    for list in lists {
                        add_signed(builder, list, "componentOf")?;
                    }
                }
            },
            Self::Named(title) => add_named(builder, title),
        }
        Ok(())
    }
}

fn add_named(builder: &mut Builder, title: &str) {
    let mut ingredient = Ingredient::new_v2(title.to_owned(), "application/octet-stream");
    ingredient.set_is_parent();
    builder.add_ingredient(ingredient);
}

/// Adds a file whose credentials lie beside it. `Builder` itself takes embedded ones only.
fn add_signed(builder: &mut Builder, path: &Path, relationship: &str) -> Result<()> {
    let reader = reading::open(path, None)?.map_err(manifest::failed)?;
    let sidecar = sidecar_of(path);
    let manifests = fs::read(&sidecar).map_err(|error| Failure::reading(&sidecar, error))?;
    let described = json!({
        "title": title_of(path),
        "format": "application/octet-stream",
        "relationship": relationship,
        // Its key among the ingredients, which must differ.
        "label": title_of(path),
        "active_manifest": reader.active_label(),
        "validation_results": reader.validation_results(),
    });
    let mut ingredient = Ingredient::from_json(&described.to_string()).map_err(manifest::failed)?;
    ingredient
        .set_manifest_data(manifests)
        .map_err(manifest::failed)?;
    builder.add_ingredient(ingredient);
    Ok(())
}

/// Whether C2PA can take the file `signed` of a source apart; its credentials, if it has any, hold.
///
/// # Errors
/// As [`Parent::of`].
fn check(source: &Path, signed: &Path) -> Result<bool> {
    let broken = |what: &dyn std::fmt::Display| {
        Failure::Credentials(format!(
            "{}: the source's own content credentials are broken: {what}",
            source.display()
        ))
    };
    match reading::open(signed, None)? {
        Ok(reader) => match failures(&reader) {
            faults if faults.is_empty() => Ok(true),
            faults => Err(broken(&faults.join(", "))),
        },
        Err(c2pa::Error::JumbfNotFound | c2pa::Error::RemoteManifestUrl(_)) => Ok(true),
        // A file that C2PA cannot take apart may still be one that ffmpeg reads.
        Err(c2pa::Error::UnsupportedType | c2pa::Error::InvalidAsset(_)) => Ok(false),
        Err(error) => Err(broken(&error)),
    }
}
