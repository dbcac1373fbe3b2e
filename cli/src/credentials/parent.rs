//! The source of a render as the parent ingredient: what was opened before it was edited.

use std::fs::File;
use std::path::{Path, PathBuf};

use c2pa::{Builder, Ingredient, Reader};
use serde_json::json;

use super::faults::failures;
use super::formats::format_of;
use super::manifest;
use crate::failure::{Failure, Result};

/// Where a result comes from.
#[derive(Clone, Debug)]
pub enum Parent {
    /// A file; the credentials that it has are kept in the result's.
    File { path: PathBuf, format: &'static str },
    /// A folder, or a file of a kind that C2PA does not know: by its name only.
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
        let Some(format) = format_of(source).filter(|_| source.is_file()) else {
            return Ok(Self::Named(title_of(source)));
        };
        let file = File::open(source).map_err(|error| Failure::reading(source, error))?;
        let read = Reader::from_context(manifest::context(None)?).with_stream(format, file);
        let broken = |what: &dyn std::fmt::Display| {
            Failure::Credentials(format!(
                "{}: the source's own content credentials are broken: {what}",
                source.display()
            ))
        };
        match read {
            Ok(reader) => match failures(&reader) {
                faults if faults.is_empty() => {}
                faults => return Err(broken(&faults.join(", "))),
            },
            Err(c2pa::Error::JumbfNotFound | c2pa::Error::RemoteManifestUrl(_)) => {}
            // A file that C2PA cannot take apart may still be one that ffmpeg reads.
            Err(c2pa::Error::UnsupportedType | c2pa::Error::InvalidAsset(_)) => {
                return Ok(Self::Named(title_of(source)));
            }
            Err(error) => return Err(broken(&error)),
        }
        Ok(Self::File {
            path: source.to_owned(),
            format,
        })
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
            Self::Named(title) => {
                let mut ingredient = Ingredient::new_v2(title.clone(), "application/octet-stream");
                ingredient.set_is_parent();
                builder.add_ingredient(ingredient);
            }
        }
        Ok(())
    }
}
