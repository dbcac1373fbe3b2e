//! What marks a result as synthetic: plain metadata, and signed content credentials.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use stylelipsync::Provenance;

use crate::ai_metadata;
use crate::credentials::{Credentials, Parent, PictureList, is_embedded, sidecar_of};
use crate::failure::{Failure, Result};
use crate::format::Kind;
use crate::sink::{self, Unnamed};

/// How a result is marked.
#[derive(Default)]
pub struct Marks {
    /// Whether the container states the digital source type.
    pub ai_metadata: bool,
    /// Who signs, and what the result was made from.
    pub credentials: Option<(Credentials, Parent)>,
    /// Where the report is written.
    pub report: Option<PathBuf>,
}

impl Marks {
    /// Marks a result before it gets its name: a failure leaves nothing. `pictures` are those of a folder.
    ///
    /// # Errors
    /// [`Failure::Credentials`] when it cannot be signed; [`Failure::Output`] when the disk refuses.
    pub fn apply(
        &self,
        out: &mut Unnamed,
        provenance: &Provenance,
        pictures: &PictureList,
    ) -> Result<()> {
        match out {
            Unnamed::Movie(movie) => {
                if self.ai_metadata {
                    ai_metadata::mark_movie(Kind::of(&movie.target)?, &movie.temporary)?;
                }
                let Some((credentials, parent)) = &self.credentials else {
                    return Ok(());
                };
                let title = file_name(&movie.target);
                if is_embedded(&movie.target) {
                    let signed = sink::temporary_movie(&movie.target)?;
                    let files = (&*movie.temporary, &*signed);
                    credentials.embed(files, provenance, &title, parent)?;
                    movie.temporary = signed;
                } else {
                    let temporary = &movie.temporary;
                    let mut file = File::open(temporary)
                        .map_err(|error| Failure::reading(temporary, error))?;
                    let bytes = credentials.beside(&mut file, provenance, &title, parent)?;
                    let target = sidecar_of(&movie.target);
                    movie.beside = Some((sink::temporary_file(&target, &bytes)?, target));
                }
            }
            Unnamed::Folder(folder) => {
                let Some((credentials, parent)) = &self.credentials else {
                    return Ok(());
                };
                let first = provenance.frames.first.unwrap_or(0).cast_unsigned();
                let last = (first + pictures.len() as u64).saturating_sub(1);
                let name = PictureList::name(first, last);
                let bytes = pictures.to_bytes()?;
                let content = &mut Cursor::new(&bytes);
                let signed = credentials.beside(content, provenance, &name, parent)?;
                folder.write(sidecar_of(Path::new(&name)).into(), &signed)?;
                folder.write(name.into(), &bytes)?;
            }
        }
        Ok(())
    }

    /// Writes the report, where one was asked for.
    ///
    /// # Errors
    /// [`Failure::Output`] when the disk refuses.
    pub fn write_report(&self, provenance: &Provenance) -> Result<()> {
        match &self.report {
            Some(path) => sink::write_whole(path, provenance.to_json()?.as_bytes()),
            None => Ok(()),
        }
    }
}

/// SHA-256 of a file, in hexadecimal.
///
/// # Errors
/// [`Failure::Input`] when it cannot be read.
pub fn file_hash(path: &Path) -> Result<String> {
    let failed = |error| Failure::reading(path, error);
    let mut file = File::open(path).map_err(failed)?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer).map_err(failed)? {
            0 => return Ok(hex::encode(hash.finalize())),
            count => hash.update(&buffer[..count]),
        }
    }
}

pub fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}
