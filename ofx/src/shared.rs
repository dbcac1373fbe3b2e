//! What is costly, once for the process: engines, decoded words, clips with their references and
//! codes, persons, and what was seen in which picture. Keyed by what it was made from, so that an
//! instance that is made anew for each frame finds all of it again.

use std::hash::Hash;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::LazyLock;
use std::time::SystemTime;

use parking_lot::Mutex;
use stylelipsync::adapt::Person;
use stylelipsync::audio::decode_file;
use stylelipsync::frame::FrameRef;
use stylelipsync::model::Provider;
use stylelipsync::{Clip, Engine, EngineOptions, Error, Sight};
use xxhash_rust::xxh3::Xxh3;

use crate::fault::{Fault, Result};
use crate::reference::{ClipKey, ReferenceKey};

/// Engines at once: one for each bundle and device in use.
const ENGINES: usize = 4;
const VOICES: usize = 32;
const CLIPS: usize = 32;
const PERSONS: usize = 16;
/// Pictures whose faces are known: some seconds each of a few clips.
const SIGHTS: usize = 2048;
/// To know a picture again, one of so many rows is looked at, and of that one piece in so many.
const ROWS: usize = 8;
const PIECES: usize = 4;
/// Bytes of a piece: what memory hands over at once.
const PIECE: usize = 64;

/// Things by what they were made from; the one used longest ago goes when there are too many.
struct Store<K, V> {
    limit: usize,
    slots: Mutex<Vec<Slot<K, V>>>,
}

/// A key and its thing, once it is made.
type Slot<K, V> = (K, Arc<Mutex<Option<V>>>);

impl<K: PartialEq + Clone, V: Clone> Store<K, V> {
    const fn new(limit: usize) -> Self {
        Self {
            limit,
            slots: Mutex::new(Vec::new()),
        }
    }

    /// The thing of a key; made where it is not there. Who asks for it meanwhile waits, who asks for
    /// another does not. A failure is not kept.
    fn get(&self, key: &K, make: impl FnOnce() -> Result<V>) -> Result<V> {
        let slot = {
            let mut slots = self.slots.lock();
            // The newest are asked for most.
            let slot = match slots.iter().rposition(|(known, _)| known == key) {
                Some(at) => slots.remove(at),
                None => (key.clone(), Arc::default()),
            };
            if slots.len() >= self.limit {
                slots.remove(0);
            }
            slots.push(slot);
            slots
                .last()
                .map(|(_, slot)| slot.clone())
                .unwrap_or_default()
        };
        let mut slot = slot.lock();
        match &*slot {
            Some(thing) => Ok(thing.clone()),
            None => Ok(slot.insert(make()?).clone()),
        }
    }

    fn clear(&self) {
        self.slots.lock().clear();
    }
}

/// A file's content, by its name and what the system says of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FileKey {
    path: PathBuf,
    length: u64,
    changed: Option<SystemTime>,
}

impl FileKey {
    /// # Errors
    /// [`Fault::Told`] when there is no such file.
    pub fn of(path: &Path) -> Result<Self> {
        let told = |source| {
            Fault::from(Error::Read {
                path: path.to_owned(),
                source,
            })
        };
        let about = std::fs::metadata(path).map_err(told)?;
        Ok(Self {
            path: path.to_owned(),
            length: about.len(),
            changed: about.modified().ok(),
        })
    }
}

/// A bundle, `None` the one built in, on a device.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EngineKey {
    bundle: Option<FileKey>,
    provider: Provider,
}

/// A picture of a size in a format, as an engine sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct SightKey {
    engine: EngineKey,
    transfer: stylelipsync::frame::Transfer,
    picture: u128,
}

static ENGINE: Store<EngineKey, Arc<Engine>> = Store::new(ENGINES);
static VOICE: Store<FileKey, Arc<Vec<f32>>> = Store::new(VOICES);
static PERSON: Store<(EngineKey, FileKey), Arc<Person>> = Store::new(PERSONS);
static CLIP: LazyLock<Store<ClipKey, Arc<Clip>>> = LazyLock::new(|| Store::new(CLIPS));
static REFERENCE: LazyLock<Store<ReferenceKey, Arc<Clip>>> = LazyLock::new(|| Store::new(CLIPS));
static SIGHT: LazyLock<Mutex<Sights>> = LazyLock::new(Mutex::default);

/// Sights, and in which order they came.
#[derive(Default)]
struct Sights {
    known: std::collections::HashMap<u128, (SightKey, Sight)>,
    order: std::collections::VecDeque<u128>,
}

/// The engine of a bundle's folder on a device.
///
/// # Errors
/// [`Fault::Told`] with the engine's sentence.
pub fn engine(bundle: Option<&Path>, provider: Provider) -> Result<(EngineKey, Arc<Engine>)> {
    if bundle.is_some_and(|folder| folder.as_os_str().is_empty()) {
        return Err(Fault::Told("Model Folder: none is chosen".into()));
    }
    let key = EngineKey {
        bundle: bundle
            .map(|folder| FileKey::of(&folder.join("manifest.json")))
            .transpose()?,
        provider,
    };
    let options = EngineOptions {
        provider,
        threads: 0,
        bundle: bundle.map(Path::to_owned),
    };
    let engine = ENGINE.get(&key, || Ok(Engine::new(&options)?))?;
    Ok((key, engine))
}

/// The words of an audio file: mono, 16 kHz.
///
/// # Errors
/// [`Fault::Told`] when it cannot be read or holds none.
pub fn voice(path: &Path) -> Result<(FileKey, Arc<Vec<f32>>)> {
    let key = FileKey::of(path)?;
    let told = |error: Error| Fault::Told(format!("Audio File {}: {error}", path.display()));
    let decode = || decode_file(path)?.to_16k();
    let samples = VOICE.get(&key, || Ok(decode().map_err(told)?.into()))?;
    Ok((key, samples))
}

/// The person of a file.
///
/// # Errors
/// [`Fault::Told`] when it cannot be read, or was made from another bundle.
pub fn person(engine: (&EngineKey, &Engine), path: &Path) -> Result<(FileKey, Arc<Person>)> {
    let key = FileKey::of(path)?;
    let load = || Ok(Arc::new(Person::load(path, engine.1.bundle())?));
    let person = PERSON.get(&(engine.0.clone(), key.clone()), load)?;
    Ok((key, person))
}

/// The clip of a key.
///
/// # Errors
/// What `make` fails with.
pub fn clip(key: &ClipKey, make: impl FnOnce() -> Result<Clip>) -> Result<Arc<Clip>> {
    CLIP.get(key, || Ok(Arc::new(make()?)))
}

/// The clip that knows the candidates for a reference.
///
/// # Errors
/// What `make` fails with.
pub fn reference(key: &ReferenceKey, make: impl FnOnce() -> Result<Clip>) -> Result<Arc<Clip>> {
    REFERENCE.get(key, || Ok(Arc::new(make()?)))
}

/// What a clip sees in a picture.
///
/// # Errors
/// [`Fault::Told`] when a network fails.
pub fn sight(engine: &EngineKey, clip: &Clip, picture: &FrameRef<'_>) -> Result<Sight> {
    let hash = fingerprint(picture);
    let key = SightKey {
        engine: engine.clone(),
        transfer: clip.options().transfer,
        picture: hash,
    };
    if let Some((known, sight)) = SIGHT.lock().known.get(&hash)
        && *known == key
    {
        return Ok(sight.clone());
    }
    // No lock is held while the networks look: of two who look at once both see the same.
    let sight = clip.see(picture)?;
    let mut sights = SIGHT.lock();
    if sights.known.insert(hash, (key, sight.clone())).is_none() {
        sights.order.push_back(hash);
    }
    while sights.order.len() > SIGHTS {
        let oldest = sights.order.pop_front();
        oldest.and_then(|oldest| sights.known.remove(&oldest));
    }
    Ok(sight)
}

/// Tells pictures apart by a grid of small pieces, fine enough for lips that alone move: a whole 4K
/// frame of floats would take longer to read than a face to paint.
pub fn fingerprint(picture: &FrameRef<'_>) -> u128 {
    let mut hash = Xxh3::new();
    let (width, height) = (picture.width(), picture.height());
    hash.update(&(width as u64).to_ne_bytes());
    hash.update(&(height as u64).to_ne_bytes());
    hash.update(&[picture.format() as u8]);
    for (line, y) in (0..height).step_by(ROWS).enumerate() {
        let pieces = picture.row(y).chunks(PIECE);
        // Each line begins at another piece, so that no column is left out.
        for piece in pieces.skip(line % PIECES).step_by(PIECES) {
            hash.update(piece);
        }
    }
    hash.digest128()
}

/// Lets go of what can be had again in a moment.
pub fn purge() {
    *SIGHT.lock() = Sights::default();
    VOICE.clear();
}

/// Lets go of everything. Clips in use stay until their instances go.
pub fn forget() {
    purge();
    CLIP.clear();
    REFERENCE.clear();
    PERSON.clear();
    ENGINE.clear();
}
