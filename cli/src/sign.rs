//! The command `sign`: signs what an editor exported, with the report that the effect wrote.

use std::fs::File;
use std::io::Cursor;
use std::path::Path;

use stylelipsync::Provenance;

use crate::args::SignArguments;
use crate::credentials::{Credentials, Parent, PictureList, is_embedded, sidecar_of};
use crate::failure::{Failure, Result};
use crate::marks::file_name;
use crate::movie::probe;
use crate::sink;
use crate::stills;

/// The most bytes of a report.
const LARGEST: u64 = 1 << 20;

/// Runs `sign`.
///
/// # Errors
/// Any error that stops it; the file is then unchanged.
pub fn run(arguments: &SignArguments) -> Result<()> {
    let file = arguments.file.as_path();
    let reports = arguments.from.iter().map(|path| report(path));
    let reports = reports.collect::<Result<Vec<_>>>()?;
    let mut provenance = Provenance::merged(&reports)?;
    let frames = count(file)?;
    if let Some(frames) = frames {
        provenance.frames.fit(frames).map_err(|reason| {
            Failure::Input(format!(
                "{} does not belong to the report: {reason}",
                file.display()
            ))
        })?;
    }
    let credentials = Credentials::open(&arguments.credentials, arguments.tsa.as_deref())?;
    let parent = Parent::of(arguments.source.as_deref().unwrap_or(file))?;
    let out = arguments.out.as_deref().unwrap_or(file);
    if file.is_dir() {
        sign_folder(&credentials, file, &provenance, &parent)?;
    } else if is_embedded(file) {
        if stills::ending(out) != stills::ending(file) {
            return Err(Failure::writing(out, "it must have the ending of the file"));
        }
        let signed = sink::temporary_movie(out)?;
        let title = file_name(out);
        credentials.embed((file, &signed), &provenance, &title, &parent)?;
        signed
            .persist(out)
            .map_err(|error| Failure::writing(out, error.error))?;
    } else {
        let mut content = File::open(file).map_err(|error| Failure::reading(file, error))?;
        let title = file_name(file);
        let signed = credentials.beside(&mut content, &provenance, &title, &parent)?;
        sink::write_whole(&sidecar_of(file), &signed)?;
    }
    eprintln!("signed: {}", out.display());
    Ok(())
}

/// Reads a report.
fn report(path: &Path) -> Result<Provenance> {
    let length = std::fs::metadata(path).map_err(|error| Failure::reading(path, error))?;
    if length.len() > LARGEST {
        return Err(Failure::reading(path, "it is too large for a report"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| Failure::reading(path, error))?;
    Provenance::parse(&text).map_err(|error| Failure::reading(path, error))
}

/// The frames of a movie, of a folder of pictures, or of a picture; `None` for audio.
///
/// # Errors
/// [`Failure::Input`] when it cannot be read; [`Failure::Tool`] without ffprobe.
pub fn count(file: &Path) -> Result<Option<u64>> {
    Ok(match file {
        folder if folder.is_dir() => Some(stills::pictures(folder)?.len() as u64),
        picture if stills::is_picture(picture) => Some(1),
        audio if stills::ending(audio).as_deref() == Some("wav") => None,
        movie => Some(probe::movie(movie)?.frames),
    })
}

fn sign_folder(
    credentials: &Credentials,
    folder: &Path,
    provenance: &Provenance,
    parent: &Parent,
) -> Result<()> {
    let mut list = PictureList::default();
    for path in stills::pictures(folder)? {
        let bytes = std::fs::read(&path).map_err(|error| Failure::reading(&path, error))?;
        list.add(&file_name(&path), &bytes);
    }
    let first = provenance.frames.first.unwrap_or(0).cast_unsigned();
    let name = PictureList::name(first, (first + list.len() as u64).saturating_sub(1));
    let bytes = list.to_bytes()?;
    let signed = credentials.beside(&mut Cursor::new(&bytes), provenance, &name, parent)?;
    sink::write_whole(&folder.join(&name), &bytes)?;
    sink::write_whole(&folder.join(sidecar_of(Path::new(&name))), &signed)
}
