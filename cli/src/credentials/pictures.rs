//! The list of a folder's pictures with their hashes: C2PA has no format for folders, so this list is signed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::failure::{Failure, Result};

const FORMAT: &str = "stylelipsync.pictures";
/// The most bytes of a list: a million pictures take a tenth of it.
const LARGEST: u64 = 1 << 30;

/// The pictures of a render, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PictureList {
    format: String,
    version: u32,
    /// SHA-256 of each file, in hexadecimal.
    pictures: BTreeMap<String, String>,
}

impl Default for PictureList {
    fn default() -> Self {
        Self {
            format: FORMAT.into(),
            version: 1,
            pictures: BTreeMap::new(),
        }
    }
}

impl PictureList {
    /// The name of the list of the frames `first` to `last`: pieces of a farm may lie in one folder.
    pub fn name(first: u64, last: u64) -> String {
        format!("credentials-{first}-{last}.json")
    }

    /// The lists in a folder, in the order of their names.
    ///
    /// # Errors
    /// [`Failure::Input`] when the folder cannot be read.
    pub fn all_in(folder: &Path) -> Result<Vec<PathBuf>> {
        let failed = |error| Failure::reading(folder, error);
        let mut lists = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if is_list(&path) {
                lists.push(path);
            }
        }
        lists.sort();
        Ok(lists)
    }

    pub fn add(&mut self, name: &str, bytes: &[u8]) {
        let hash = hex::encode(Sha256::digest(bytes));
        self.pictures.insert(name.to_owned(), hash);
    }

    pub fn len(&self) -> usize {
        self.pictures.len()
    }

    /// The bytes of the list's file.
    ///
    /// # Errors
    /// [`Failure::Output`] when it cannot be written as JSON.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        serde_json::to_vec_pretty(self).map_err(|error| Failure::Output(error.to_string()))
    }

    /// Reads a list.
    ///
    /// # Errors
    /// [`Failure::Input`] when it cannot be read; [`Failure::Credentials`] when it is not a list.
    pub fn open(path: &Path) -> Result<Self> {
        let length = std::fs::metadata(path).map_err(|error| Failure::reading(path, error))?;
        let refuse = |reason: String| Failure::Credentials(format!("{}: {reason}", path.display()));
        if length.len() > LARGEST {
            return Err(refuse("is too large".into()));
        }
        let bytes = std::fs::read(path).map_err(|error| Failure::reading(path, error))?;
        let list: Self = serde_json::from_slice(&bytes)
            .map_err(|error| refuse(format!("is not a list of pictures: {error}")))?;
        // A name that is a path could make the check read files elsewhere.
        let plain = |name: &String| Path::new(name).file_name() == Some(name.as_ref());
        if list.format != FORMAT || list.version != 1 || !list.pictures.keys().all(plain) {
            return Err(refuse("is not a list of pictures of version 1".into()));
        }
        Ok(list)
    }

    /// Compares the files in the list's folder.
    ///
    /// # Errors
    /// [`Failure::Credentials`] that names the first picture that is missing or was changed.
    pub fn check(&self, folder: &Path) -> Result<()> {
        for (name, wanted) in &self.pictures {
            let path = folder.join(name);
            let refuse = |what: &str| {
                Err(Failure::Credentials(format!(
                    "{}: {what} after the folder was signed",
                    path.display()
                )))
            };
            match std::fs::read(&path) {
                Ok(bytes) if hex::encode(Sha256::digest(&bytes)) == *wanted => {}
                Ok(_) => return refuse("the pixels or the file were changed"),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    return refuse("the picture was removed");
                }
                Err(error) => return Err(Failure::reading(&path, error)),
            }
        }
        Ok(())
    }
}

fn is_list(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.starts_with("credentials-") && name.ends_with(".json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_or_missing_picture_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut list = PictureList::default();
        for name in ["a.png", "b.png"] {
            std::fs::write(folder.path().join(name), name).unwrap();
            list.add(name, name.as_bytes());
        }
        let path = folder.path().join(PictureList::name(3, 4));
        std::fs::write(&path, list.to_bytes().unwrap()).unwrap();
        assert_eq!(
            PictureList::all_in(folder.path()).unwrap(),
            std::slice::from_ref(&path)
        );
        let read = PictureList::open(&path).unwrap();
        assert_eq!(read, list);
        read.check(folder.path()).unwrap();

        std::fs::write(folder.path().join("b.png"), "other").unwrap();
        let changed = read.check(folder.path()).unwrap_err().to_string();
        assert!(changed.contains("b.png: the pixels"), "{changed}");
        std::fs::remove_file(folder.path().join("a.png")).unwrap();
        let missing = read.check(folder.path()).unwrap_err().to_string();
        assert!(
            missing.contains("a.png: the picture was removed"),
            "{missing}"
        );

        let forged = String::from_utf8(list.to_bytes().unwrap()).unwrap();
        std::fs::write(&path, forged.replace("a.png", "../a.png")).unwrap();
        assert!(PictureList::open(&path).is_err());
    }
}
