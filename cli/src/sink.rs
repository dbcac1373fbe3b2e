//! Where results go: a movie through ffmpeg, or a folder of pictures.
//!
//! Everything is written under a temporary name next to the target and renamed at the very end;
//! dropping a sink before that removes what it wrote. So a target is complete or unchanged.

use std::ffi::OsString;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Stdio};

use image::ImageFormat;
use tempfile::{TempDir, TempPath};

use crate::ai_metadata;
use crate::failure::{Failure, Result};
use crate::format::{Kind, PictureKind};
use crate::light::Light;
use crate::movie::codec::{Coding, Wanted};
use crate::movie::encoder;
use crate::movie::encoder::Format;
use crate::movie::raw::Packets;
use crate::open_exr;
use crate::picture::Picture;
use crate::tool::{self, Tool};

/// How a frame becomes bytes: done by the workers, since PNGs take time.
#[derive(Clone, Copy, Debug)]
pub enum Encoding {
    Raw,
    Picture(PictureKind, Light),
}

impl Encoding {
    /// Encodes one frame for the sink that asked for this encoding.
    ///
    /// # Errors
    /// [`Failure::Output`] when the PNG encoder fails.
    pub fn encode(self, picture: Picture) -> Result<Vec<u8>> {
        self.encode_marked(picture, false)
    }

    /// As [`encode`](Self::encode); a `marked` picture states that it is synthetic. Movies are marked as a
    /// whole.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn encode_marked(self, picture: Picture, marked: bool) -> Result<Vec<u8>> {
        match self {
            Self::Raw => Ok(picture.displayed().data),
            Self::Picture(kind, light) if marked => Ok(ai_metadata::mark_picture(
                kind,
                encoded(picture, kind, &light, true)?,
            )),
            Self::Picture(kind, light) => encoded(picture, kind, &light, false),
        }
    }
}

/// Encodes a frame.
///
/// # Errors
/// [`Failure::Output`] when the encoder fails.
fn encoded(picture: Picture, kind: PictureKind, light: &Light, marked: bool) -> Result<Vec<u8>> {
    let failed = |reason: &dyn std::fmt::Display| {
        let name = kind.ending().to_uppercase();
        Failure::Output(format!("a frame cannot be written as {name}: {reason}"))
    };
    let format = match kind {
        PictureKind::Png => ImageFormat::Png,
        PictureKind::Tiff => ImageFormat::Tiff,
        PictureKind::Exr => {
            let bytes = match picture.original.as_deref() {
                Some(original) => open_exr::encode(original, &picture.data, marked),
                None => light.encode(&picture, marked),
            };
            return bytes.map_err(|reason| failed(&reason));
        }
    };
    let image = picture
        .into_image()
        .ok_or_else(|| failed(&"its size is wrong"))?;
    let mut bytes = Vec::new();
    image
        .write_to(&mut Cursor::new(&mut bytes), format)
        .map_err(|e| failed(&e))?;
    Ok(bytes)
}

/// An open target.
pub enum Sink {
    Movie {
        tool: Tool,
        pipe: Option<ChildStdin>,
        /// Frames with time stamps; without them ffmpeg counts raw frames.
        packets: Option<Packets>,
        temporary: TempPath,
        target: PathBuf,
    },
    Folder {
        folder: NewFolder,
        pictures: PictureKind,
        light: Light,
    },
}

impl Sink {
    /// Starts to write `target`.
    ///
    /// # Errors
    /// [`Failure::Output`] when its folder cannot be written; [`Failure::Tool`] from ffmpeg.
    pub fn create(target: &Path, format: &Format) -> Result<Self> {
        let kind = Kind::of(target)?;
        if kind == Kind::Folder {
            return Ok(Self::Folder {
                folder: NewFolder::create(target)?,
                pictures: format.pictures,
                light: Light::of(format.like),
            });
        }
        let temporary = temporary_movie(target)?;
        let usual;
        let coding = match format.coding {
            Some(coding) => coding,
            None => {
                usual = Coding::choose(kind, Wanted::default(), &format.layout, format.like)?;
                &usual
            }
        };
        let format = &Format {
            layout: format.layout.displayed(),
            ..format.clone()
        };
        let mut command = encoder::command(kind, format, coding);
        command
            .arg(tool::file(&temporary))
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        let mut tool = Tool::start("ffmpeg", command, format!("writing {}", target.display()))?;
        let pipe = tool.stdin();
        Ok(Self::Movie {
            tool,
            pipe,
            packets: encoder::packets(format),
            temporary,
            target: target.to_owned(),
        })
    }

    /// What [`Sink::write`] wants its bytes to be.
    pub fn encoding(&self) -> Encoding {
        match self {
            Self::Movie { .. } => Encoding::Raw,
            Self::Folder {
                pictures, light, ..
            } => Encoding::Picture(*pictures, *light),
        }
    }

    /// Takes the next frame; `name` is for folders.
    ///
    /// # Errors
    /// [`Failure::Output`] when the disk refuses, [`Failure::Tool`] when ffmpeg has ended.
    pub fn write(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        match self {
            Self::Movie { pipe, packets, .. } => {
                let head = packets.as_mut().map(|packets| packets.head(bytes.len()));
                let written = pipe.as_mut().map_or(Ok(()), |pipe| {
                    pipe.write_all(&head.unwrap_or_default())?;
                    pipe.write_all(bytes)
                });
                // ffmpeg's own last message says more than "broken pipe": `complete` reports it.
                written.map_err(|error| Failure::Tool(format!("ffmpeg was lost: {error}")))
            }
            Self::Folder {
                folder, pictures, ..
            } => folder.write(format!("{name}.{}", pictures.ending()).into(), bytes),
        }
    }

    /// Ends the result, which has not got its name yet.
    ///
    /// # Errors
    /// As [`Sink::write`], with ffmpeg's last message.
    pub fn complete(self) -> Result<Unnamed> {
        match self {
            Self::Movie {
                tool,
                pipe,
                temporary,
                target,
                ..
            } => {
                drop(pipe);
                tool.finish()?;
                Ok(Unnamed::Movie(UnnamedMovie {
                    temporary,
                    target,
                    beside: None,
                }))
            }
            Self::Folder { folder, .. } => Ok(Unnamed::Folder(folder)),
        }
    }

    /// After a failed [`Sink::write`]: ffmpeg's own message, else `failure`.
    pub fn explain(self, failure: Failure) -> Failure {
        match self {
            Self::Movie { tool, pipe, .. } if matches!(failure, Failure::Tool(_)) => {
                drop(pipe);
                tool.finish().err().unwrap_or(failure)
            }
            _ => failure,
        }
    }
}

/// A complete result that has not got its name yet. Dropping it removes it.
pub enum Unnamed {
    Movie(UnnamedMovie),
    Folder(NewFolder),
}

/// A complete movie under a temporary name.
pub struct UnnamedMovie {
    pub temporary: TempPath,
    pub target: PathBuf,
    /// A file that gets its name together with the movie.
    pub beside: Option<(TempPath, PathBuf)>,
}

impl Unnamed {
    /// Gives the result its name.
    ///
    /// # Errors
    /// [`Failure::Output`] when the disk refuses.
    pub fn name(self) -> Result<()> {
        let movie = match self {
            Self::Folder(folder) => return folder.finish(),
            Self::Movie(movie) => movie,
        };
        let persist = |temporary: TempPath, target: &Path| {
            let renamed = temporary.persist(target);
            renamed.map_err(|error| Failure::writing(target, error.error))
        };
        let beside = match movie.beside {
            Some((temporary, target)) => {
                persist(temporary, &target)?;
                Some(target)
            }
            None => None,
        };
        persist(movie.temporary, &movie.target).inspect_err(|_| {
            if let Some(beside) = beside {
                // It belongs to a movie that is not there.
                let _ = std::fs::remove_file(beside);
            }
        })
    }
}

/// A folder of files that gets its name when it is complete.
pub struct NewFolder {
    temporary: TempDir,
    target: PathBuf,
    names: Vec<OsString>,
}

impl NewFolder {
    /// Starts to write `target`.
    ///
    /// # Errors
    /// [`Failure::Output`] when the folder that it lies in cannot be written.
    pub fn create(target: &Path) -> Result<Self> {
        // Inside an existing folder, since only that one may be ours to write.
        let place = if target.is_dir() {
            target
        } else {
            parent(target)
        };
        let mut temporary = temporary();
        open_permissions(&mut temporary, 0o777);
        let temporary = temporary
            .tempdir_in(place)
            .map_err(|error| Failure::writing(target, error))?;
        Ok(Self {
            temporary,
            target: target.to_owned(),
            names: Vec::new(),
        })
    }

    /// Adds a file of these bytes.
    ///
    /// # Errors
    /// [`Failure::Output`] when the disk refuses.
    pub fn write(&mut self, name: OsString, bytes: &[u8]) -> Result<()> {
        std::fs::write(self.temporary.path().join(&name), bytes)
            .map_err(|error| Failure::writing(&self.target.join(&name), error))?;
        self.names.push(name);
        Ok(())
    }

    /// Adds a copy of a file.
    ///
    /// # Errors
    /// [`Failure::Output`] when it cannot be read, or the disk refuses.
    pub fn copy(&mut self, name: OsString, from: &Path) -> Result<()> {
        std::fs::copy(from, self.temporary.path().join(&name)).map_err(|error| {
            let reason = format!("copying {}: {error}", from.display());
            Failure::writing(&self.target.join(&name), reason)
        })?;
        self.names.push(name);
        Ok(())
    }

    /// Gives the folder its name.
    ///
    /// # Errors
    /// [`Failure::Output`] when the disk refuses.
    pub fn finish(self) -> Result<()> {
        let Self {
            temporary,
            target,
            names,
        } = self;
        // One step where the folder is new. On a farm another machine may have made it
        // since: then, as for an existing folder, each frame is complete or absent.
        if !target.is_dir() && std::fs::rename(temporary.path(), &target).is_ok() {
            return Ok(());
        }
        for name in names {
            let place = target.join(&name);
            std::fs::rename(temporary.path().join(&name), &place)
                .map_err(|error| Failure::writing(&place, error))?;
        }
        Ok(())
    }
}

/// A file next to the movie `target`, to be renamed when it is complete.
///
/// # Errors
/// [`Failure::Output`] when its folder cannot be written.
pub fn temporary_movie(target: &Path) -> Result<TempPath> {
    let extension = target.extension().unwrap_or_default().to_string_lossy();
    let suffix = format!(".{extension}");
    let mut temporary = temporary();
    open_permissions(&mut temporary, 0o666);
    let file = temporary
        .suffix(&suffix)
        .tempfile_in(parent(target))
        .map_err(|error| Failure::writing(target, error))?;
    Ok(file.into_temp_path())
}

fn temporary() -> tempfile::Builder<'static, 'static> {
    let mut temporary = tempfile::Builder::new();
    temporary.prefix(".stylelipsync-");
    temporary
}

/// Fails now, before any work, where [`Sink::create`] would fail later because of the target itself.
///
/// # Errors
/// As [`Sink::create`].
pub fn check(target: &Path) -> Result<()> {
    let kind = Kind::of(target)?;
    if kind == Kind::Folder && target.exists() && !target.is_dir() {
        return Err(Failure::writing(target, "it is a file, not a folder"));
    }
    let folder = if target.is_dir() {
        target
    } else {
        parent(target)
    };
    tempfile::tempfile_in(folder).map_err(|error| Failure::writing(target, error))?;
    Ok(())
}

/// A file of these bytes next to `target`, to be renamed to it.
///
/// # Errors
/// [`Failure::Output`] when the disk refuses.
pub fn temporary_file(target: &Path, bytes: &[u8]) -> Result<TempPath> {
    let temporary = temporary_movie(target)?;
    std::fs::write(&temporary, bytes).map_err(|error| Failure::writing(target, error))?;
    Ok(temporary)
}

/// Writes a small file completely or not at all.
///
/// # Errors
/// [`Failure::Output`] when the disk refuses.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |error| Failure::writing(path, error);
    let mut builder = tempfile::Builder::new();
    open_permissions(&mut builder, 0o666);
    let mut file = builder.tempfile_in(parent(path)).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// The folder that a path lies in.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Temporary files are private by default, but these become results: the user's umask decides.
#[cfg(unix)]
fn open_permissions(builder: &mut tempfile::Builder, mode: u32) {
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
}

#[cfg(not(unix))]
fn open_permissions(_: &mut tempfile::Builder, _: u32) {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::{Depth, Layout, SQUARE};
    use crate::rate::FrameRate;

    fn folder_format() -> Format<'static> {
        let layout = Layout {
            width: 2,
            height: 2,
            depth: Depth::Eight,
            alpha: true,
            pixel_aspect: SQUARE,
        };
        Format {
            layout,
            rate: FrameRate { num: 25, den: 1 },
            times: None,
            first: 0,
            part: None,
            like: None,
            sound: None,
            others: None,
            pictures: PictureKind::Png,
            coding: None,
            ai_metadata: false,
        }
    }

    #[test]
    fn a_dropped_folder_leaves_nothing_and_a_finished_one_all() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("out");
        let mut sink = Sink::create(&target, &folder_format()).unwrap();
        sink.write("0001", b"one").unwrap();
        drop(sink);
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);

        let mut sink = Sink::create(&target, &folder_format()).unwrap();
        sink.write("0001", b"one").unwrap();
        sink.complete().unwrap().name().unwrap();
        // A second range into the same folder, as on a farm.
        let mut sink = Sink::create(&target, &folder_format()).unwrap();
        sink.write("0002", b"two").unwrap();
        sink.complete().unwrap().name().unwrap();
        assert_eq!(std::fs::read(target.join("0001.png")).unwrap(), b"one");
        assert_eq!(std::fs::read(target.join("0002.png")).unwrap(), b"two");
        assert_eq!(std::fs::read_dir(&target).unwrap().count(), 2);
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1);
    }
}
