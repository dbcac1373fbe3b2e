//! The analysis file: the faces of a clip's frames and the profiles that were made of them, so that a
//! clip is analysed once, however often and in however many processes it is rendered.
//!
//! A line of text, the format, a SHA-256 and the content as postcard encodes it. The content is checked
//! before it is used: it may come from anywhere.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::bank::Bank;
use super::bank_frame::{BankFrame, ReferenceImage};
use super::faces::FrameFaces;
use super::mouth_pose::MouthPose;
use super::profile::Profile;
use super::range::OpeningRange;
use super::reference::Reference;
use super::renderer::Renderer;
use super::shot_profile::{Dissolves, ShotProfile};
use crate::face::crop::IMAGE;
use crate::face::{Face, ReferencePicture};
use crate::frame::{FineBand, Transfer};
use crate::track::detect::MOST as MOST_FACES;
use crate::track::tracker::Seen;
use crate::track::{Look, Selection};
use crate::{Error, Result, files};

const MAGIC: &[u8] = b"StyleLipSync analysis\n";
const FORMAT: u32 = 6;
const HASH: usize = 32;
/// The largest file that is read. An hour of two faces at 60 frames a second takes about 350 MB.
const LARGEST: u64 = 2 << 30;

/// What a file holds, owned or borrowed.
#[derive(Serialize, Deserialize)]
struct Content {
    /// Identity of the bundle whose networks found the faces.
    bundle: String,
    /// Name and version of that bundle, for people.
    bundle_name: String,
    transfer: Transfer,
    /// In rising order.
    frames: Vec<StoredFrame>,
    /// The clip's own first.
    speakers: Vec<StoredSpeaker>,
}

#[derive(Serialize, Deserialize)]
struct StoredSpeaker {
    selection: Selection,
    /// In rising order.
    shots: Vec<StoredShot>,
}

#[derive(Serialize, Deserialize)]
struct StoredFrame {
    index: i64,
    fingerprint: u128,
    look: Look,
    faces: Vec<Face>,
}

#[derive(Serialize, Deserialize)]
struct StoredShot {
    start: i64,
    profile: Option<StoredProfile>,
}

#[derive(Serialize, Deserialize)]
struct StoredProfile {
    range: Option<OpeningRange>,
    identity: Vec<f32>,
    /// The reference first.
    bank: Vec<StoredPicture>,
    dissolves: Dissolves,
}

#[derive(Serialize, Deserialize)]
struct StoredPicture {
    index: i64,
    position: Option<i64>,
    quality: f64,
    mouth: MouthPose,
    picture: ReferencePicture,
    points: Vec<f32>,
    band: Option<FineBand>,
}

/// The parts of an analysis that a file holds.
pub(super) struct Parts {
    /// By index, in rising order.
    pub frames: Vec<(i64, FrameFaces)>,
    /// Of each speaker, the clip's own first.
    pub profiles: Vec<Arc<Profile>>,
}

/// Writes the file atomically. `renderers` are those of the speakers, whose transfer is the same.
///
/// # Errors
/// [`Error::Write`].
pub(super) fn save(path: &Path, parts: &Parts, renderers: &[&Renderer]) -> Result<()> {
    let Some(first) = renderers.first() else {
        return Ok(());
    };
    let bundle = first.engine().bundle();
    let manifest = bundle.manifest();
    let speaker = |(renderer, profile): (&&Renderer, &Arc<Profile>)| StoredSpeaker {
        selection: renderer.options().selection,
        shots: profile.by_start().map(StoredShot::of).collect(),
    };
    let content = Content {
        bundle: bundle.identity().to_owned(),
        bundle_name: format!("{} {}", manifest.name, manifest.version),
        transfer: first.options().transfer,
        frames: parts.frames.iter().map(StoredFrame::of).collect(),
        speakers: renderers.iter().zip(&parts.profiles).map(speaker).collect(),
    };
    let failed = |error: postcard::Error| Error::Write {
        path: path.to_owned(),
        source: std::io::Error::other(error),
    };
    let mut bytes = MAGIC.to_vec();
    bytes.extend(FORMAT.to_le_bytes());
    let start = bytes.len() + HASH;
    bytes.resize(start, 0);
    let mut bytes = postcard::to_extend(&content, bytes).map_err(failed)?;
    let hash = Sha256::digest(&bytes[start..]);
    bytes[start - HASH..start].copy_from_slice(&hash);
    files::write_whole(path, &bytes)
}

/// Reads the file.
///
/// # Errors
/// [`Error::Read`]; [`Error::Analysis`] for a file that is none, is damaged, or is of another bundle or
/// of other options or speakers.
pub(super) fn load(path: &Path, renderers: &[&Renderer]) -> Result<Parts> {
    let bytes = files::read_below(path, LARGEST)?;
    let parts = decode(&bytes).and_then(|content| content.into_parts(renderers));
    parts.map_err(|reason| Error::Analysis {
        path: path.to_owned(),
        reason,
    })
}

fn decode(bytes: &[u8]) -> std::result::Result<Content, String> {
    let none = || "is not an analysis file".to_owned();
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(none)?;
    let (format, rest) = rest.split_first_chunk().ok_or_else(none)?;
    let format = u32::from_le_bytes(*format);
    if format != FORMAT {
        return Err(format!("has format {format}; this library reads {FORMAT}"));
    }
    let (hash, rest) = rest.split_at_checked(HASH).ok_or_else(none)?;
    if Sha256::digest(rest).as_slice() != hash {
        return Err("is damaged or was truncated".into());
    }
    postcard::from_bytes(rest).map_err(|error| format!("is damaged: {error}"))
}

/// Whether all numbers are finite, and as many as there must be.
fn are_valid(values: &[f32], count: usize) -> bool {
    values.len() == count && values.iter().all(|value| value.is_finite())
}

impl Content {
    fn into_parts(self, renderers: &[&Renderer]) -> std::result::Result<Parts, String> {
        let Some(first) = renderers.first() else {
            return Err("is for a clip without speakers".into());
        };
        let engine = first.engine();
        if self.bundle != engine.bundle().identity() {
            let name = &engine.bundle().manifest().name;
            return Err(format!(
                "was made by other networks ({}: {:.12}...) than those in use ({name}: {:.12}...)",
                self.bundle_name,
                self.bundle,
                engine.bundle().identity()
            ));
        }
        let (own, wanted) = (self.transfer, first.options().transfer);
        if own != wanted {
            return Err(format!("is of {own:?} frames, not of {wanted:?} ones"));
        }
        let (own, wanted) = (self.speakers.len(), renderers.len());
        if own != wanted {
            return Err(format!("was made for {own} speakers, not for {wanted}"));
        }
        if !self.frames.is_sorted_by(|a, b| a.index < b.index) {
            return Err("is damaged: its frames are out of order".into());
        }
        let model = engine.face_model();
        let sizes = (model.n_identity(), model.n_expression());
        let frame = |frame: StoredFrame| {
            let index = frame.index;
            let faces = frame.into_faces(sizes);
            let faces = faces.ok_or_else(|| format!("is damaged: the faces of frame {index}"))?;
            Ok((index, faces))
        };
        let frames = self.frames.into_iter().map(frame);
        let frames = frames.collect::<std::result::Result<_, String>>()?;
        let speakers = self.speakers.into_iter().zip(renderers);
        let profiles = speakers.map(|(speaker, renderer)| speaker.into_profile(renderer));
        let profiles = profiles.collect::<std::result::Result<_, String>>()?;
        Ok(Parts { frames, profiles })
    }
}

impl StoredSpeaker {
    fn into_profile(self, renderer: &Renderer) -> std::result::Result<Arc<Profile>, String> {
        let (own, wanted) = (self.selection, renderer.options().selection);
        if own != wanted {
            return Err(format!("was made for another face: {own}, not {wanted}"));
        }
        if !self.shots.is_sorted_by(|a, b| a.start < b.start) {
            return Err("is damaged: its shots are out of order".into());
        }
        let shot = |shot: StoredShot| {
            let start = shot.start;
            let broken = || format!("is damaged: the profile of the shot at {start}");
            let profile = shot
                .profile
                .map(|profile| profile.into_profile(renderer)?.ok_or_else(broken));
            Ok((start, profile.transpose()?.map(Arc::new)))
        };
        let shots = self.shots.into_iter().map(shot);
        let shots = shots.collect::<std::result::Result<_, String>>()?;
        let profile = Profile::of_shots(shots);
        let profile = profile.map_err(|_| "is damaged: no shot shows the face".to_owned())?;
        Ok(Arc::new(profile))
    }
}

impl StoredFrame {
    fn of((index, frame): &(i64, FrameFaces)) -> Self {
        Self {
            index: *index,
            fingerprint: frame.fingerprint,
            look: (*frame.look).clone(),
            faces: frame.faces.to_vec(),
        }
    }

    /// `None` where a face cannot be one of this model.
    fn into_faces(self, (identity, expression): (usize, usize)) -> Option<FrameFaces> {
        let is_valid = |face: &Face| {
            let places = face.centre.iter().chain([&face.side]);
            face.pose.is_finite()
                && face.side > 0.0
                && places.into_iter().all(|place| place.abs() < 1e6)
                && (0.0..=1.0).contains(&face.confidence)
                && are_valid(&face.identity, identity)
                && are_valid(&face.expression, expression)
        };
        let valid = self.faces.len() <= MOST_FACES && self.faces.iter().all(is_valid);
        valid.then(|| {
            FrameFaces::alone(Seen {
                faces: self.faces,
                look: self.look,
                fingerprint: self.fingerprint,
            })
        })
    }
}

impl StoredShot {
    fn of((start, profile): (i64, Option<&ShotProfile>)) -> Self {
        let profile = profile.map(|profile| StoredProfile {
            range: profile.range(),
            identity: profile.anchor().identity.clone(),
            bank: profile
                .bank()
                .frames()
                .iter()
                .map(StoredPicture::of)
                .collect(),
            dissolves: profile.dissolves(),
        });
        Self { start, profile }
    }
}

impl StoredProfile {
    /// `Ok(None)` where it cannot be one of the engine's model.
    fn into_profile(self, renderer: &Renderer) -> std::result::Result<Option<ShotProfile>, String> {
        let engine = renderer.engine();
        let valid = are_valid(&self.identity, engine.face_model().n_identity())
            && self
                .range
                .is_none_or(|known| (0.0..=10.0).contains(&known.range))
            && self.dissolves.are_valid()
            && !self.bank.is_empty()
            && self.bank.len() <= super::bank::MOST
            && self.bank.iter().all(|picture| picture.is_valid(renderer));
        if !valid {
            return Ok(None);
        }
        let frames: Vec<_> = self
            .bank
            .into_iter()
            .map(StoredPicture::into_frame)
            .collect();
        let network = |error: Error| error.to_string();
        let anchor = Reference::of(engine, self.identity, &frames[0]).map_err(network)?;
        let profile = ShotProfile::new(anchor, Bank::of(frames), self.range);
        let profile = profile.dissolving(self.dissolves);
        profile.encode(engine).map_err(network)?;
        Ok(Some(profile))
    }
}

impl StoredPicture {
    fn of(frame: &Arc<BankFrame>) -> Self {
        let image = &frame.image;
        Self {
            index: frame.index,
            position: frame.position,
            quality: frame.quality,
            mouth: frame.mouth.clone(),
            picture: image.picture.clone(),
            points: image.points.clone(),
            band: image.band.clone(),
        }
    }

    fn is_valid(&self, renderer: &Renderer) -> bool {
        let model = renderer.engine().face_model();
        self.quality.is_finite()
            && self.mouth.is_valid(model)
            && self.picture.is_valid(IMAGE)
            && are_valid(&self.points, 2 * model.control_vertices().len())
            && self.band.as_ref().is_none_or(|band| band.is_valid(IMAGE))
    }

    fn into_frame(self) -> Arc<BankFrame> {
        let image = ReferenceImage {
            picture: self.picture,
            points: self.points,
            band: self.band,
        };
        let time = (self.index, self.position);
        Arc::new(BankFrame::new(time, self.quality, self.mouth, image))
    }
}
