//! What identifies a shared object: files by their path, size and modification time, and the clips
//! and references that are made from them.

use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use stylelipsync::frame::Transfer;
use stylelipsync::model::Provider;
use stylelipsync::track::Selection;
use stylelipsync::{ClipOptions, Error};

use crate::controls::InputColour;
use crate::error::{ActionError, Result};

/// The content of a file, as far as the file system tells without reading it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FileKey {
    path: PathBuf,
    length: u64,
    modified: Option<SystemTime>,
}

impl FileKey {
    /// # Errors
    /// [`ActionError::User`] when there is no such file, or when it is a pipe, a device or a folder:
    /// opening a pipe would block the render until somebody writes to it.
    pub fn of(path: &Path) -> Result<Self> {
        let metadata = std::fs::metadata(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        if !metadata.is_file() {
            let reason = format!("{} is not a regular file", path.display());
            return Err(ActionError::User(reason));
        }
        Ok(Self {
            path: path.to_owned(),
            length: metadata.len(),
            modified: metadata.modified().ok(),
        })
    }
}

/// A model bundle (`None`: the built-in one) on a device.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EngineKey {
    pub bundle: Option<FileKey>,
    pub provider: Provider,
}

/// What the search for a reference depends on, besides the pictures.
#[derive(Clone, Debug, PartialEq)]
pub struct ReferenceQuery {
    pub engine: EngineKey,
    pub selection: Selection,
    pub input_colour: InputColour,
    /// The frame that the user chose.
    pub frame: Option<i32>,
    /// The first frame of the shot; `None`: the shot in which the source's first face is found.
    pub shot: Option<i64>,
    /// First and last frame of the source.
    pub range: Option<[i64; 2]>,
    /// Width and height, pixels: proxies have references of their own.
    pub size: (usize, usize),
}

/// A reference: the query, and the frames among which it was chosen with their fingerprints. Without
/// frames, each frame is its own reference.
#[derive(Clone, Debug, PartialEq)]
pub struct ReferenceKey {
    pub query: ReferenceQuery,
    pub candidates: Vec<(i64, u128)>,
}

impl ReferenceKey {
    /// The candidate with the longest way from a frame: a host that gives it gives the others too.
    pub fn farthest_from(&self, frame: i64) -> Option<i64> {
        let frames = self.candidates.iter().map(|(candidate, _)| *candidate);
        frames.max_by_key(|candidate| candidate.abs_diff(frame))
    }
}

/// A clip of the engine: everything that its frames depend on, besides the pictures.
#[derive(Clone, Debug, PartialEq)]
pub struct ClipKey {
    pub audio: FileKey,
    pub person: Option<FileKey>,
    pub options: ClipOptions,
    pub watermark: bool,
    pub reference: ReferenceKey,
}

// The floating-point fields come from `Settings`, which lets only finite numbers through, or from the
// host's image bounds: no key differs from itself.
impl Eq for ReferenceKey {}
impl Eq for ClipKey {}

// Floating-point fields are left out of the hash: equal keys still have equal hashes.
impl Hash for ReferenceKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.query.engine.hash(state);
        self.query.frame.hash(state);
        self.query.size.hash(state);
        self.candidates.hash(state);
    }
}

impl Hash for ClipKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.audio.hash(state);
        self.person.hash(state);
        self.reference.hash(state);
    }
}

/// A picture, as the face detector of an engine sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PictureKey {
    pub engine: EngineKey,
    pub transfer: Transfer,
    pub fingerprint: u128,
}
