//! Objects that are costly to make, shared by all instances of the process: engines, decoded audio,
//! clips with their references, persons, and the faces found in pictures. They are cached by what
//! they are made from, since hosts create and destroy instances often, some for each frame.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use stylelipsync::adapt::Person;
use stylelipsync::audio::decode_file;
use stylelipsync::face::FaceEmbedding;
use stylelipsync::frame::{FrameRef, PixelFormat, Transfer, fingerprint};
use stylelipsync::model::Provider;
use stylelipsync::track::Look;
use stylelipsync::{Analysis, Engine, EngineOptions, Error, FrameFaces, Renderer};

use crate::cache::Cache;
use crate::clip_parts::ClipParts;
use crate::error::{ActionError, Result};
use crate::keys::{ClipKey, EngineKey, FileKey, PictureKey, ReferenceKey};
use crate::waveform::Waveform;

/// Capacities. An engine is one model on one device; pictures are some seconds each of a few clips.
const ENGINES: NonZeroUsize = NonZeroUsize::new(4).unwrap();
const AUDIO_FILES: NonZeroUsize = NonZeroUsize::new(32).unwrap();
const CLIPS: NonZeroUsize = NonZeroUsize::new(32).unwrap();
const PERSONS: NonZeroUsize = NonZeroUsize::new(16).unwrap();
const PICTURES: NonZeroUsize = NonZeroUsize::new(2048).unwrap();

/// Mono samples at 16 kHz.
type Samples = Arc<Vec<f32>>;

static ENGINE: LazyLock<Cache<EngineKey, Arc<Engine>>> = LazyLock::new(|| Cache::new(ENGINES));
static AUDIO: LazyLock<Cache<FileKey, Samples>> = LazyLock::new(|| Cache::new(AUDIO_FILES));
static WAVEFORM: LazyLock<Cache<FileKey, Arc<Waveform>>> =
    LazyLock::new(|| Cache::new(AUDIO_FILES));
static PERSON: LazyLock<Cache<(EngineKey, FileKey), Arc<Person>>> =
    LazyLock::new(|| Cache::new(PERSONS));
static EMBEDDING: LazyLock<Cache<(EngineKey, FileKey), FaceEmbedding>> =
    LazyLock::new(|| Cache::new(PERSONS));
static CLIP: LazyLock<Cache<ClipKey, Arc<ClipParts>>> = LazyLock::new(|| Cache::new(CLIPS));
static REFERENCE: LazyLock<Cache<ReferenceKey, Arc<Analysis>>> =
    LazyLock::new(|| Cache::new(CLIPS));
static FACES: LazyLock<Cache<PictureKey, FrameFaces>> = LazyLock::new(|| Cache::new(PICTURES));
static LOOKS: LazyLock<Cache<PictureKey, Arc<Look>>> = LazyLock::new(|| Cache::new(PICTURES));

/// The engine of a model folder (`None`: the built-in model) on a device.
///
/// # Errors
/// [`ActionError::User`] with the engine's message.
pub fn engine(bundle: Option<&Path>, provider: Provider) -> Result<(EngineKey, Arc<Engine>)> {
    if bundle.is_some_and(|folder| folder.as_os_str().is_empty()) {
        return Err(ActionError::User(
            "Model Folder: no folder is chosen".into(),
        ));
    }
    let key = EngineKey {
        bundle: bundle
            .map(|folder| FileKey::of(&folder.join("manifest.json")))
            .transpose()
            .map_err(of_control("Model Folder"))?,
        provider,
    };
    let options = EngineOptions {
        provider,
        threads: 0,
        bundle: bundle.map(Path::to_owned),
        ..EngineOptions::default()
    };
    let failed = |error: Error| {
        let control = match error {
            Error::Provider { .. } => "Device",
            _ => "Model",
        };
        of_control(control)(error.into())
    };
    let engine = ENGINE.get(&key, || Engine::new(&options).map_err(failed))?;
    Ok((key, engine))
}

/// The samples of an audio file: mono, 16 kHz.
///
/// # Errors
/// [`ActionError::User`] when the file cannot be read, or has no audio.
pub fn audio(path: &Path) -> Result<(FileKey, Samples)> {
    let key = audio_key(path)?;
    let decode = || decode_file(path)?.to_16k();
    let failed = |error: Error| {
        let reason = ActionError::User(format!("{}: {error}", path.display()));
        of_control("Audio File")(reason)
    };
    let samples = AUDIO.get(&key, || Ok(decode().map_err(failed)?.into()))?;
    Ok((key, samples))
}

/// The level of an audio file over time.
///
/// # Errors
/// As [`audio`].
pub fn waveform(path: &Path) -> Result<Arc<Waveform>> {
    let (key, samples) = audio(path)?;
    WAVEFORM.get(&key, || Ok(Arc::new(Waveform::of(&samples))))
}

/// The key of an audio file, which is not read.
///
/// # Errors
/// [`ActionError::User`] when there is no such file.
pub fn audio_key(path: &Path) -> Result<FileKey> {
    FileKey::of(path).map_err(of_control("Audio File"))
}

/// The person of a file.
///
/// # Errors
/// [`ActionError::User`] when the file cannot be read, or was made with another model.
pub fn person(engine: (&EngineKey, &Engine), path: &Path) -> Result<(FileKey, Arc<Person>)> {
    let key = FileKey::of(path).map_err(of_control("Person File"))?;
    let load = || {
        let person = Person::load(path, engine.1.bundle()).map_err(ActionError::from);
        Ok(Arc::new(person.map_err(of_control("Person File"))?))
    };
    let person = PERSON.get(&(engine.0.clone(), key.clone()), load)?;
    Ok((key, person))
}

/// Who the largest face in a picture is; `None`: no file is chosen.
///
/// # Errors
/// [`ActionError::User`] when the file cannot be read, or shows no face.
pub fn embedding(engine: (&EngineKey, &Engine), path: Option<&Path>) -> Result<FaceEmbedding> {
    let of_face = of_control("Face Picture");
    let path = path.ok_or_else(|| of_face(ActionError::User("no file is chosen".into())))?;
    let key = FileKey::of(path).map_err(&of_face)?;
    let load = || {
        let picture = image::open(path);
        let picture = picture.map_err(|error| ActionError::User(error.to_string()))?;
        let pixels = picture.to_rgba8();
        let (width, height) = pixels.dimensions();
        let view = FrameRef::packed(&pixels, width, height, PixelFormat::Rgba8)?;
        Ok(engine.1.recognize(&view, Transfer::Display)?)
    };
    EMBEDDING.get(&(engine.0.clone(), key), || load().map_err(of_face))
}

/// Puts the control's name before a message to the user.
fn of_control(label: &str) -> impl Fn(ActionError) -> ActionError {
    move |error| match error {
        ActionError::User(reason) => ActionError::User(format!("{label}: {reason}")),
        error => error,
    }
}

/// The clip of a key.
///
/// # Errors
/// What `make` returns.
pub fn clip(key: &ClipKey, make: impl FnOnce() -> Result<ClipParts>) -> Result<Arc<ClipParts>> {
    CLIP.get(key, || Ok(Arc::new(make()?)))
}

/// The analysis of the candidates for a reference.
///
/// # Errors
/// What `make` returns.
pub fn reference(
    key: &ReferenceKey,
    make: impl FnOnce() -> Result<Analysis>,
) -> Result<Arc<Analysis>> {
    REFERENCE.get(key, || Ok(Arc::new(make()?)))
}

/// The faces that a renderer finds in a picture.
///
/// # Errors
/// [`ActionError::User`] when a network fails.
pub fn faces(
    engine: &EngineKey,
    renderer: &Renderer,
    picture: &FrameRef<'_>,
) -> Result<FrameFaces> {
    let key = picture_key(engine, renderer, picture);
    FACES.get(&key, || Ok(renderer.find_faces(picture)?))
}

/// The look of a picture, and its fingerprint.
///
/// # Errors
/// As [`faces`].
pub fn look(
    engine: &EngineKey,
    renderer: &Renderer,
    picture: &FrameRef<'_>,
) -> Result<(Arc<Look>, u128)> {
    let key = picture_key(engine, renderer, picture);
    let look = LOOKS.get(&key, || Ok(Arc::new(renderer.look(picture)?)))?;
    Ok((look, key.fingerprint))
}

fn picture_key(engine: &EngineKey, renderer: &Renderer, picture: &FrameRef<'_>) -> PictureKey {
    PictureKey {
        engine: engine.clone(),
        transfer: renderer.options().transfer,
        fingerprint: fingerprint(picture),
    }
}

/// Drops what is quick to make again.
pub fn purge() {
    FACES.clear();
    LOOKS.clear();
    AUDIO.clear();
    WAVEFORM.clear();
}

/// Drops everything. Objects in use live until their last user drops them.
pub fn clear() {
    purge();
    CLIP.clear();
    REFERENCE.clear();
    PERSON.clear();
    EMBEDDING.clear();
    ENGINE.clear();
}
