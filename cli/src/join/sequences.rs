//! Pieces that are folders of pictures: the pictures are copied into one folder.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use exr::meta::MetaData;
use image::{ImageDecoder, ImageReader};

use crate::args::JoinArguments;
use crate::failure::{Failure, Result};
use crate::interrupt;
use crate::join::check::{self, argument};
use crate::sink::NewFolder;
use crate::stills::{self, ending};

/// A picture of a piece.
struct Frame {
    /// The name before the number.
    text: String,
    number: u128,
    /// The number as it is written.
    digits: String,
    path: PathBuf,
}

impl Frame {
    /// # Errors
    /// [`Failure::Input`] when the name does not end in a number.
    fn of(path: PathBuf) -> Result<Self> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let text = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let digits = name[text.len()..].to_owned();
        let number = digits.parse().map_err(|_| {
            let reason = "its name does not end in a frame number";
            Failure::Input(format!("cannot join {}: {reason}", path.display()))
        })?;
        Ok(Self {
            text: text.to_owned(),
            number,
            digits,
            path,
        })
    }
}

/// Joins the folders. Returns the number of frames.
///
/// # Errors
/// [`Failure::Input`] when a frame is missing, there twice, or unlike the first; [`Failure::Output`] from the disk.
pub fn join(arguments: &JoinArguments) -> Result<u64> {
    let JoinArguments { pieces, out, .. } = arguments;
    if arguments.audio.is_some() {
        return Err(argument("audio", "a folder of pictures has no audio"));
    }
    let mut frames = Vec::new();
    for folder in pieces {
        let pictures = stills::pictures(folder)?;
        if pictures.is_empty() {
            let none = format!("the piece {} contains no picture", folder.display());
            return Err(Failure::Input(none));
        }
        for path in pictures {
            frames.push(Frame::of(path)?);
        }
    }
    frames.sort_by(|a, b| (&a.text, a.number, &a.path).cmp(&(&b.text, b.number, &b.path)));
    check_numbers(&frames)?;
    let total = frames.len() as u64;
    if let Some(last) = frames.last() {
        check::count(arguments.count, total, &last.path)?;
    }
    check_alike(&frames)?;
    check_target(out, &frames)?;
    let mut result = NewFolder::create(out)?;
    for Frame { path, .. } in &frames {
        interrupt::check()?;
        result.copy(name(path), path)?;
    }
    result.finish()?;
    Ok(total)
}

/// Every number once.
fn check_numbers(frames: &[Frame]) -> Result<()> {
    for pair in frames.windows(2) {
        let [one, next] = pair else { continue };
        let (a, b) = (one.path.display(), next.path.display());
        if one.text != next.text {
            return Err(Failure::Input(format!(
                "{a} and {b} differ in more than the frame number"
            )));
        }
        if one.number == next.number {
            let digits = &one.digits;
            return Err(Failure::Input(format!(
                "frame {digits} is there twice: {a} and {b}"
            )));
        }
        let missing = next.number - one.number - 1;
        if missing > 0 {
            let width = one.digits.len();
            let first = format!("{:0width$}", one.number + 1);
            let which = match missing {
                1 => format!("frame {first} is missing"),
                _ => format!("frames {first} to {:0width$} are missing", next.number - 1),
            };
            return Err(Failure::Input(format!("{which}: after {a} comes {b}")));
        }
    }
    Ok(())
}

/// Size and format of the first frame are those of all.
fn check_alike(frames: &[Frame]) -> Result<()> {
    let Some((first, others)) = frames.split_first() else {
        return Ok(());
    };
    let wanted = description(&first.path)?;
    for frame in others {
        interrupt::check()?;
        let found = description(&frame.path)?;
        if found != wanted {
            return Err(Failure::Input(format!(
                "{} is {found}, but {} is {wanted}",
                frame.path.display(),
                first.path.display()
            )));
        }
    }
    Ok(())
}

/// Size and format, from the file's header.
///
/// # Errors
/// [`Failure::Input`] when the file is not a picture.
fn description(path: &Path) -> Result<String> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::Input(format!(
            "cannot read the picture {}: {error}",
            path.display()
        ))
    };
    let kind = ending(path).unwrap_or_default().to_uppercase();
    if kind == "EXR" {
        let meta = MetaData::read_from_file(path, false).map_err(|error| failed(&error))?;
        let layers = meta.headers.iter().map(|header| {
            let size = header.shared_attributes.display_window.size;
            let channels = header.channels.list.iter();
            let channels: Vec<String> = channels
                .map(|channel| format!("{} {:?}", channel.name, channel.sample_type))
                .collect();
            format!("{}x{} ({})", size.0, size.1, channels.join(", "))
        });
        let layers: Vec<String> = layers.collect();
        return Ok(format!("{kind} {}", layers.join("; ")));
    }
    let decoder = ImageReader::open(path)
        .and_then(ImageReader::with_guessed_format)
        .map_err(|error| failed(&error))?
        .into_decoder()
        .map_err(|error| failed(&error))?;
    let (width, height) = decoder.dimensions();
    let colours = decoder.original_color_type();
    Ok(format!("{kind} {width}x{height} ({colours:?})"))
}

/// An existing folder must not keep pictures that are not the result's.
fn check_target(out: &Path, frames: &[Frame]) -> Result<()> {
    if !out.is_dir() {
        return Ok(());
    }
    let names: std::collections::HashSet<OsString> =
        frames.iter().map(|frame| name(&frame.path)).collect();
    let there = stills::pictures(out)?;
    match there.iter().find(|path| !names.contains(&name(path))) {
        Some(other) => Err(Failure::writing(
            out,
            format!(
                "it already contains {}, which is in none of the pieces",
                name(other).display()
            ),
        )),
        None => Ok(()),
    }
}

fn name(path: &Path) -> OsString {
    path.file_name().unwrap_or_default().to_owned()
}
