//! The layers of a render as OpenEXR pictures, for compositing programs.
//!
//! One folder holds three sequences: `mouth.NAME.exr` (R, G, B multiplied by A, which is the matte), `matte.NAME.exr`
//! (Y) and `st.NAME.exr` (R = s, G = t). Their numbers are in the encoding of the source's.

use std::path::Path;

use exr::prelude::FlatSamples;
use stylelipsync::Layers;

use crate::args::RenderArguments;
use crate::failure::{Failure, Result};
use crate::format::Kind;
use crate::open_exr::{NewFile, Original};
use crate::sink::{self, NewFolder};

/// The sequences, by the beginnings of their files' names.
const NAMES: [&str; 3] = ["mouth", "matte", "st"];

/// The encoded layers of one frame.
pub type EncodedLayers = [Vec<u8>; 3];

/// A folder of layers that gets its name when it is complete.
pub struct LayersFolder(NewFolder);

impl LayersFolder {
    /// Starts to write `target`.
    ///
    /// # Errors
    /// [`Failure::Output`] when the folder that it lies in cannot be written.
    pub fn create(target: &Path) -> Result<Self> {
        Ok(Self(NewFolder::create(target)?))
    }

    /// Adds the layers of the frame that is called `name`.
    ///
    /// # Errors
    /// [`Failure::Output`] when the disk refuses.
    pub fn write(&mut self, name: &str, layers: &EncodedLayers) -> Result<()> {
        for (kind, bytes) in NAMES.iter().zip(layers) {
            self.0.write(format!("{kind}.{name}.exr").into(), bytes)?;
        }
        Ok(())
    }

    /// Gives the folder its name. In a folder that exists, files of the same names are replaced.
    ///
    /// # Errors
    /// [`Failure::Output`] when the disk refuses.
    pub fn name(self) -> Result<()> {
        self.0.finish()
    }
}

/// How the layers of a frame are written.
pub struct Frame<'a> {
    /// A pixel's width divided by its height.
    pub pixel_aspect: f64,
    /// The EXR file that the frame came from, whose display window is kept.
    pub original: Option<&'a Original>,
    /// Whether the mouth states that it is synthetic.
    pub marked: bool,
}

impl Frame<'_> {
    /// Encodes the layers, in 32-bit float without loss.
    ///
    /// # Errors
    /// [`Failure::Output`] when the encoder fails.
    pub fn encode(&self, layers: &Layers) -> Result<EncodedLayers> {
        let size = [layers.width, layers.height];
        let plane = |k: usize| layers.mouth.iter().map(|pixel| pixel[k]).collect();
        let place = |k: usize| layers.st.iter().map(|st| st[k]).collect();
        let mouth = [
            ("A", plane(3)),
            ("B", plane(2)),
            ("G", plane(1)),
            ("R", plane(0)),
        ];
        Ok([
            self.file(size, mouth, self.marked)?,
            self.file(size, [("Y", plane(3))], false)?,
            self.file(size, [("G", place(1)), ("R", place(0))], false)?,
        ])
    }

    /// A file of these channels.
    fn file<const N: usize>(
        &self,
        size: [usize; 2],
        channels: [(&str, Vec<f32>); N],
        marked: bool,
    ) -> Result<Vec<u8>> {
        let file = NewFile {
            size,
            window: self.original.map(Original::display_window),
            pixel_aspect: self.pixel_aspect as f32,
            chromaticities: None,
            marked,
        };
        let channels = channels.map(|(name, samples)| (name, FlatSamples::F32(samples)));
        file.encode(channels).map_err(|reason| {
            Failure::Output(format!("a layer cannot be written as EXR: {reason}"))
        })
    }
}

/// Fails now, before any work, where the layers could not be written later.
///
/// # Errors
/// [`Failure::Output`] for a folder that cannot be written, that is another output or the clip itself.
pub fn check(folder: &Path, arguments: &RenderArguments) -> Result<()> {
    let refuse = |reason: &str| Err(Failure::writing(folder, reason));
    if Kind::of(folder).ok() != Some(Kind::Folder) {
        return refuse("layers are written into a folder");
    }
    sink::check(folder)?;
    let same = |other: &Path| {
        folder == other
            || (folder.exists() && folder.canonicalize().ok() == other.canonicalize().ok())
    };
    if same(&arguments.video) {
        return refuse("it is the clip itself");
    }
    if same(&arguments.out) || arguments.matte.as_deref().is_some_and(same) {
        return refuse("result, matte and layers need folders of their own");
    }
    Ok(())
}
