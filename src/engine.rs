//! The engine: a bundle of networks on a provider, and everything else that all clips share.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::face::{CropProtocol, FaceEmbedding, FaceModel, MaskProtocol, ReferenceWarpProtocol};
use crate::frame::{FrameRef, Transfer};
use crate::latent::ShapeSource;
use crate::model::networks::{Generator, Threads};
use crate::model::{Bundle, Networks, Person, Provider, ProviderReport, Runtime};
use crate::parallel::Parallel;
use crate::track::select::choose;
use crate::track::{Selection, Tracker};
use crate::{Error, Result};

/// How an engine is made.
#[derive(Debug, Clone, Default)]
pub struct EngineOptions {
    /// The execution provider of the networks.
    pub provider: Provider,
    /// Threads of one network run on the CPU, and the most runs of one network at once; 0: the number
    /// of cores.
    pub threads: usize,
    /// Several frames are to be processed at once, on as many threads: each network run then uses one
    /// thread alone, which is faster together and slower for a single frame. The bytes are the same.
    pub parallel_frames: bool,
    /// The folder of a bundle; `None`: the bundle embedded in the library.
    pub bundle: Option<PathBuf>,
}

impl EngineOptions {
    fn threads(&self) -> Threads {
        let threads = Threads::from(self.threads);
        match self.parallel_frames {
            true => Threads { each: 1, ..threads },
            false => threads,
        }
    }
}

/// Facts about an engine, for logs and reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineInfo {
    /// Version of this library.
    pub version: &'static str,
    /// Name and version of the bundle.
    pub bundle: String,
    /// The provider in use, and why others were refused.
    pub provider: ProviderReport,
    /// The most threads that networks use on the CPU.
    pub threads: usize,
    /// The loaded ONNX Runtime library, and where it was found.
    pub runtime: String,
}

/// The networks and everything else that all clips share.
///
/// Make one engine and share it: any number of clips on any number of threads may use it at once.
///
/// ```no_run
/// use stylelipsync::{Clip, ClipOptions, Engine, EngineOptions, Provider};
///
/// # fn main() -> stylelipsync::Result<()> {
/// let engine = Engine::new(&EngineOptions {
///     provider: Provider::Cpu,
///     ..EngineOptions::default()
/// })?;
/// let info = engine.info();
/// println!("{} on {:?}", info.bundle, info.provider.used);
///
/// // Clips hold the engine; each network is built once.
/// let one = Clip::new(engine.clone(), ClipOptions::default())?;
/// let other = Clip::new(engine, ClipOptions::default())?;
/// # drop((one, other));
/// # Ok(())
/// # }
/// ```
pub struct Engine {
    bundle: Bundle,
    networks: Networks,
    tracker: Tracker,
    face_model: FaceModel,
    crop: CropProtocol,
    mask: MaskProtocol,
    reference_warp: Option<ReferenceWarpProtocol>,
    shapes: ShapeSource,
    runtime: String,
    /// The generators of the persons in use, by the person's hash.
    persons: Mutex<HashMap<String, Weak<Generator>>>,
}

impl Engine {
    /// Loads ONNX Runtime and the bundle, all of whose files are checked. A network is built when it is first
    /// needed: by a clip, or by the first frame that is analysed.
    ///
    /// # Errors
    /// [`Error::Runtime`] when ONNX Runtime is not found,
    /// [`Error::Bundle`] or [`Error::Read`] when the bundle is incomplete or damaged, [`Error::Provider`]
    /// when the provider that was asked for by name cannot be used.
    pub fn new(options: &EngineOptions) -> Result<Arc<Self>> {
        let bundle = match &options.bundle {
            Some(folder) => Bundle::open(folder)?,
            None => Bundle::embedded()?,
        };
        let networks = Networks::open(&bundle, options.provider, options.threads())?;
        let parallel = Parallel::new(networks.threads().each);
        let manifest = bundle.manifest();
        let shapes = ShapeSource::new(manifest)?;
        let library = Runtime::start(options.threads)?.library();
        Ok(Arc::new(Self {
            tracker: Tracker::new(manifest, parallel),
            face_model: bundle.face_model()?,
            crop: manifest.crop,
            mask: manifest.mask,
            reference_warp: manifest.carry,
            runtime: format!("{} ({})", library.path.display(), library.source),
            shapes,
            networks,
            bundle,
            persons: Mutex::default(),
        }))
    }

    /// The threads that the engine's own loops may use for one frame.
    pub(crate) fn parallel(&self) -> Parallel {
        Parallel::new(self.networks.threads().each)
    }

    /// Who the largest face in a picture is, for [`Selection::Like`].
    ///
    /// # Errors
    /// [`Error::NoFace`] when there is none in it; [`Error::State`] when the bundle cannot tell people
    /// apart; [`Error::Network`], [`Error::Frame`].
    pub fn recognize(&self, picture: &FrameRef<'_>, transfer: Transfer) -> Result<FaceEmbedding> {
        if self.networks.recognition.is_none() {
            return Err(Error::State(format!(
                "the bundle {} has no network that tells people apart: select the face in another way",
                self.bundle.manifest().name
            )));
        }
        let seen = self.tracker.track(&self.networks, picture, transfer)?;
        let largest = choose(&seen.faces, &[], Selection::Largest);
        largest
            .and_then(|at| seen.faces[at].embedding)
            .ok_or(Error::NoFace("the picture of the person"))
    }

    /// Facts about this engine.
    pub fn info(&self) -> EngineInfo {
        let manifest = self.bundle.manifest();
        EngineInfo {
            version: env!("CARGO_PKG_VERSION"),
            bundle: format!("{} {}", manifest.name, manifest.version),
            provider: self.networks.provider().clone(),
            threads: self.networks.threads().most,
            runtime: self.runtime.clone(),
        }
    }

    /// The bundle: sizes and provenance of the networks.
    pub fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// The networks, for evaluation and tests.
    pub fn networks(&self) -> &Networks {
        &self.networks
    }

    /// The generator with a person's tensors; made at the first request, shared while it is in use.
    pub(crate) fn generator_of(&self, person: &Person) -> Result<Arc<Generator>> {
        let known = |persons: &HashMap<String, Weak<Generator>>| {
            persons.get(person.hash()).and_then(Weak::upgrade)
        };
        if let Some(generator) = known(&self.persons.lock()) {
            return Ok(generator);
        }
        // No lock is held while the session is made. If two threads make one, one of them is kept.
        let (provider, threads) = (self.networks.provider().used, self.networks.threads());
        let made = Generator::adapted(&self.bundle, provider, threads, &person.tensors())?;
        let made = Arc::new(made);
        let mut persons = self.persons.lock();
        if let Some(generator) = known(&persons) {
            return Ok(generator);
        }
        persons.retain(|_, generator| generator.strong_count() > 0);
        persons.insert(person.hash().to_owned(), Arc::downgrade(&made));
        Ok(made)
    }

    /// The tracker: faces in one frame.
    pub fn tracker(&self) -> &Tracker {
        &self.tracker
    }

    /// The face model.
    pub fn face_model(&self) -> &FaceModel {
        &self.face_model
    }

    /// The placement of the aligned crop.
    pub fn crop(&self) -> &CropProtocol {
        &self.crop
    }

    /// Sizes of the mask.
    pub fn mask(&self) -> MaskProtocol {
        self.mask
    }

    /// How the reference is warped; `None` if the generator of this bundle does not take it.
    pub fn reference_warp(&self) -> Option<ReferenceWarpProtocol> {
        self.reference_warp
    }

    pub(crate) fn shapes(&self) -> &ShapeSource {
        &self.shapes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_are_shared_between_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<Engine>();
        shared::<crate::clip::Clip>();
    }
}
