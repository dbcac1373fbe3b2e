//! The clip that an instance renders with: its words, its options, and the frame that says what the
//! person looks like.

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::Arc;

use stylelipsync::audio::Rate;
use stylelipsync::face::MaskTrim;
use stylelipsync::frame::{ColourMatch, Transfer};
use stylelipsync::model::Provider;
use stylelipsync::track::Selection;
use stylelipsync::{Clip, ClipOptions, Engine, Timing};

use crate::controls::{Settings, Speaker};
use crate::fault::{Fault, Result};
use crate::host::Host;
use crate::image::Image;
use crate::instance::Instance;
use crate::pixels::Picture;
use crate::shared::{self, EngineKey, FileKey};

/// The automatic reference is chosen among every third of so many frames, from the first with a
/// face on.
const CANDIDATES: i64 = 25;
const EVERY: usize = 3;
/// How a face is looked for in a clip that begins without one: every so many frames, so often.
const STEP: i64 = 8;
const LOOKS: i64 = 64;
/// References that an instance remembers: of some faces, at some sizes.
const KNOWN: usize = 8;

/// What a reference is sought by.
#[derive(Clone, Debug, PartialEq)]
pub struct Sought {
    engine: EngineKey,
    selection: Selection,
    transfer: Transfer,
    frame: Option<i32>,
    range: Option<[i64; 2]>,
    /// Proxies have references of their own.
    size: (usize, usize),
}

/// The same in the controls' terms: whether a search lies ahead, before an image is there.
#[derive(Clone, Debug, PartialEq)]
struct Asked {
    bundle: Option<PathBuf>,
    provider: Provider,
    speaker: Speaker,
    input_colour: i32,
    frame: Option<i32>,
    range: Option<[i64; 2]>,
}

impl Asked {
    fn of(settings: &Settings, range: Option<[i64; 2]>) -> Self {
        Self {
            bundle: settings.bundle.clone(),
            provider: settings.provider,
            speaker: settings.speaker,
            input_colour: settings.input_colour,
            frame: settings.reference,
            range,
        }
    }
}

/// A reference's place among those of the process: what was sought, and the frames among which it
/// was chosen with what they show. Without frames each frame is its own reference.
#[derive(Clone, Debug, PartialEq)]
pub struct ReferenceKey {
    sought: Sought,
    candidates: Vec<(i64, u128)>,
}

/// What a search found.
#[derive(Clone)]
pub struct Found {
    asked: Asked,
    key: ReferenceKey,
    /// A clip that knows the candidates.
    clip: Arc<Clip>,
}

/// A clip among those of the process.
#[derive(Clone, Debug, PartialEq)]
pub struct ClipKey {
    voice: FileKey,
    person: Option<FileKey>,
    options: ClipOptions,
    reference: ReferenceKey,
}

/// The clip that a frame is rendered with.
pub struct Chosen {
    pub engine: EngineKey,
    pub clip: Arc<Clip>,
}

/// Where a frame lies: its number in the clip, and the host's time of it.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    pub frame: i64,
    pub time: f64,
}

impl Moment {
    /// The host's time of another frame.
    pub fn time_of(&self, frame: i64) -> f64 {
        self.time + (frame - self.frame) as f64
    }
}

/// The clip for the settings; `source` is the frame at hand.
///
/// # Errors
/// [`Fault::Told`] with what is missing or wrong, for the editor; [`Fault::Aborted`].
pub fn choose(
    host: &Host,
    instance: &Instance,
    settings: &Settings,
    moment: Moment,
    scale: [f64; 2],
    source: &Image<'_>,
) -> Result<Chosen> {
    let none = || Fault::Told("Audio File: none is chosen".into());
    let audio = settings.audio.as_deref().ok_or_else(none)?;
    let (voice, samples) = shared::voice(audio)?;
    let (engine_key, engine) = shared::engine(settings.bundle.as_deref(), settings.provider)?;
    let person = match &settings.person {
        Some(path) => Some(shared::person((&engine_key, &engine), path)?),
        None => None,
    };
    let options = options(host, instance, settings, scale, source)?;
    let range = instance.range(host);
    let sought = Sought {
        engine: engine_key.clone(),
        selection: options.selection,
        transfer: options.transfer,
        frame: settings.reference,
        range,
        size: source.size(),
    };
    let search = Search {
        host,
        instance,
        moment,
        source,
        sought: &sought,
        lacked: Cell::new(false),
    };
    let known = instance
        .found
        .lock()
        .iter()
        .find(|found| found.key.sought == sought)
        .cloned();
    let found = match known {
        Some(found) => found,
        None => search.run(&engine, Asked::of(settings, range), &options)?,
    };
    let key = ClipKey {
        voice,
        person: person.as_ref().map(|(key, _)| key.clone()),
        options,
        reference: found.key,
    };
    let clip = shared::clip(&key, || {
        let mut clip = Clip::new(engine, key.options.clone())?;
        clip.set_samples(samples)?;
        clip.set_person(person.as_ref().map(|(_, person)| &**person))?;
        clip.share_reference(&found.clip)?;
        Ok(clip)
    })?;
    Ok(Chosen {
        engine: engine_key,
        clip,
    })
}

/// The engine's options of the settings.
///
/// # Errors
/// [`Fault::Told`] where no frame rate is known.
pub fn options(
    host: &Host,
    instance: &Instance,
    settings: &Settings,
    scale: [f64; 2],
    source: &Image<'_>,
) -> Result<ClipOptions> {
    let told = || Fault::Told("the host tells no frame rate: set Frame Rate Override".into());
    let fps = settings
        .frame_rate
        .or_else(|| instance.rate(host))
        .ok_or_else(told)?;
    let rate = rational(fps)?;
    let start = rate.position(i64::from(settings.audio_start));
    let full = ColourMatch::default();
    let share = |limit: f32| 1.0 + (limit - 1.0) * settings.colour_match;
    Ok(ClipOptions {
        timing: Timing::Constant(rate),
        audio_offset: start + (settings.audio_offset * 16.0).round() as i64,
        selection: match settings.speaker {
            Speaker::Largest => Selection::Largest,
            Speaker::FromLeft(number) => Selection::FromLeft(number),
            // Canonical coordinates have square pixels and the origin at the bottom left, whatever the
            // scale.
            Speaker::Point([x, y]) => Selection::Point {
                x: x * scale[0] / source.aspect - f64::from(source.bounds.x1),
                y: f64::from(source.bounds.y2) - y * scale[1],
            },
        },
        transfer: match settings.input_colour {
            1 => Transfer::Srgb,
            2 => Transfer::Rec709,
            3 | 4 => Transfer::Linear,
            _ => Transfer::Display,
        },
        colour_match: ColourMatch {
            limit: share(full.limit),
            local: share(full.local),
        },
        mask: MaskTrim {
            grow: settings.mask_grow,
            feather: settings.mask_feather,
        },
        strength: 1.0,
        memory: None,
    })
}

/// The frames that the search for the reference may ask for; none once it is over.
pub fn searched(
    instance: &Instance,
    settings: &Settings,
    range: Option<[i64; 2]>,
) -> Option<[i64; 2]> {
    let asked = Asked::of(settings, range);
    if instance
        .found
        .lock()
        .iter()
        .any(|found| found.asked == asked)
    {
        return None;
    }
    match (settings.reference.map(i64::from), range) {
        (Some(frame), _) => Some([frame, frame]),
        (None, Some([first, last])) => Some([first, last.min(first + LOOKS * STEP + CANDIDATES)]),
        (None, None) => None,
    }
}

/// The exact rate that a host's number stands for: 23.976 is 24000/1001.
fn rational(fps: f64) -> Result<Rate> {
    let whole = fps.round();
    let (num, den) = if (fps - whole).abs() < 1e-4 {
        (whole, 1)
    } else if (fps - whole * 1000.0 / 1001.0).abs() < 2e-3 {
        (whole * 1000.0, 1001)
    } else {
        ((fps * 1000.0).round(), 1000)
    };
    Ok(Rate::new(num as u32, den)?)
}

/// The search for the reference among the host's frames.
struct Search<'a> {
    host: &'a Host,
    instance: &'a Instance,
    moment: Moment,
    source: &'a Image<'a>,
    sought: &'a Sought,
    /// The host had not all that it was asked for: what was found is not worth remembering.
    lacked: Cell<bool>,
}

impl Search<'_> {
    /// Searches, and notes in the instance what was found.
    fn run(&self, engine: &Arc<Engine>, asked: Asked, options: &ClipOptions) -> Result<Found> {
        let key = ReferenceKey {
            sought: self.sought.clone(),
            candidates: self.candidates(&Clip::new(engine.clone(), options.clone())?)?,
        };
        let clip = shared::reference(&key, || {
            let clip = Clip::new(engine.clone(), options.clone())?;
            for (frame, _) in &key.candidates {
                self.with(
                    *frame,
                    |picture| Ok(clip.analyze(*frame, &picture.view()?)?),
                )?;
            }
            Ok(clip)
        })?;
        let found = Found { asked, key, clip };
        if !self.lacked.get() {
            let mut known = self.instance.found.lock();
            if known.len() >= KNOWN {
                known.remove(0);
            }
            known.push(found.clone());
        }
        Ok(found)
    }

    /// The frames among which the reference is chosen, and what they show. `clip` looks.
    fn candidates(&self, clip: &Clip) -> Result<Vec<(i64, u128)>> {
        let here = |frame| frame == self.moment.frame;
        let shown = |frame| self.with(frame, |picture| Ok(shared::fingerprint(&picture.view()?)));
        let face = |frame| {
            self.with(frame, |picture| {
                let sight = shared::sight(&self.sought.engine, clip, &picture.view()?)?;
                Ok(sight.chosen(self.sought.selection).is_some())
            })
        };
        let range = match (self.sought.frame.map(i64::from), self.sought.range) {
            (Some(frame), _) if !self.host.temporal && !here(frame) => return Ok(Vec::new()),
            (Some(frame), _) => match face(frame)? {
                Some(true) => frame..=frame,
                Some(false) => {
                    let reason = format!("Reference Frame: there is no face in frame {frame}");
                    return Err(Fault::Told(reason));
                }
                None => {
                    let reason = format!("Reference Frame: the host has no frame {frame}");
                    return Err(Fault::Told(reason));
                }
            },
            (None, Some([first, last])) if self.host.temporal => {
                let looks = (0..LOOKS).map(|look| first + look * STEP);
                let mut looks = looks.take_while(|frame| *frame <= last);
                let found = looks.find_map(|frame| match face(frame) {
                    Ok(Some(true)) => Some(Ok(frame)),
                    Ok(_) => None,
                    Err(fault) => Some(Err(fault)),
                });
                match found.transpose()? {
                    Some(start) => start..=last.min(start + CANDIDATES - 1),
                    None => return Ok(Vec::new()),
                }
            }
            _ => return Ok(Vec::new()),
        };
        let mut candidates = Vec::new();
        for frame in range.step_by(EVERY) {
            candidates.extend(shown(frame)?.map(|shown| (frame, shown)));
        }
        Ok(candidates)
    }

    /// Does something with a frame; `None` where the host has it not.
    fn with<T>(
        &self,
        frame: i64,
        work: impl FnOnce(&Picture<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        if self.host.aborts(self.instance.effect) {
            return Err(Fault::Aborted);
        }
        if frame == self.moment.frame {
            return work(&Picture::of(self.source)).map(Some);
        }
        let time = self.moment.time_of(frame);
        match Image::fetch(self.host, self.instance.source, time)? {
            Some(image) => work(&Picture::of(&image)).map(Some),
            None => {
                self.lacked.set(true);
                Ok(None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::rational;

    #[test]
    fn rates_that_hosts_tell_are_the_exact_ones() {
        for (fps, num, den) in [
            (25.0, 25, 1),
            (23.976, 24_000, 1001),
            (23.976_023_976, 24_000, 1001),
            (29.97, 30_000, 1001),
            (59.94, 60_000, 1001),
            (12.5, 12_500, 1000),
            (24.000_01, 24, 1),
        ] {
            let rate = rational(fps).unwrap();
            assert_eq!((rate.num, rate.den), (num, den), "{fps}");
        }
    }
}
