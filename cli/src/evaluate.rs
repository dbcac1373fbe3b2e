//! The command `evaluate`.

use std::path::Path;
use std::sync::Arc;

use stylelipsync::evaluate::Recognition;
use stylelipsync::evaluate::silence::Silence;
use stylelipsync::{Clip, ClipOptions, Engine, Timing};

use crate::args::{EvaluateArguments, FrameRange};
use crate::audio::AudioArguments;
use crate::failure::{Failure, Result};
use crate::lipsync::{PersonFrames, Tracks};
use crate::measure::{MeasureJob, RESULT, ResultFrames, SOURCE, Seen};
use crate::rate::FrameRate;
use crate::render::rate;
use crate::report::{About, Report, Sync};
use crate::sheet::Sheet;
use crate::source::Source;
use crate::voice::{Listener, Voice, scores};

/// Columns of the contact sheet.
const MOMENTS: u64 = 10;

/// Runs `evaluate`: the table on standard output, the rest where the arguments say.
///
/// # Errors
/// Any error that stops it; a mismatch of the clips names the property that differs.
pub fn run(arguments: &EvaluateArguments) -> Result<()> {
    let inputs = Inputs::open(arguments)?;
    let source_rate = rate(inputs.source.rate())?;
    // Inputs are checked before minutes of work.
    let speech = inputs.speech(arguments)?;
    let own = inputs.own(arguments)?;
    let engine = arguments.engine.open()?;
    let recognition = recognition(arguments, &engine)?;
    let listener = Listener::load(&engine)?;
    if listener.is_none() {
        log::warn!(
            "the bundle has no SyncNet with a window of five frames: LSE-D and LSE-C are not measured"
        );
    }
    let options = ClipOptions {
        timing: Timing::Constant(source_rate),
        selection: arguments.face.selection(&engine)?,
        ..ClipOptions::default()
    };
    let clip = Clip::new(engine, options)?;
    let range = match &arguments.frames {
        Some(FrameRange(range)) => *range.start()..range.end().saturating_add(1),
        None => 0..u64::MAX,
    };
    let tracks = Tracks {
        clip: &clip,
        source: &inputs.source,
        number_faces: arguments.face.is_number(),
        person: PersonFrames::Reference,
        workers: arguments.engine.workers(),
    };
    let count = tracks.analyse(&range)?;
    let job = MeasureJob {
        clip: &clip,
        source: &inputs.source,
        source_name: inputs.name,
        result: inputs.shown(arguments),
        reconstruction: arguments.truth.is_some(),
        frames: range.start..range.start + count,
        end: range.end,
        rate: source_rate,
        listener: listener.as_ref(),
        recognition: recognition.as_ref(),
        workers: arguments.engine.workers(),
    };
    let mut sheet = Sheet::of(MOMENTS, range.start, count);
    let seen = job.run(&mut sheet)?;
    if seen.rows.iter().all(Option::is_none) {
        return Err(Failure::Input(format!(
            "no usable face was found in any of the {count} frames of {}",
            inputs.name
        )));
    }
    let sync = match &listener {
        Some(listener) => listen(listener, &job, &seen, &speech, own.as_ref())?,
        None => Sync::default(),
    };
    let about = About {
        arguments,
        engine: clip.engine(),
        rate: inputs.source.rate(),
        first: range.start,
        reconstruction: job.reconstruction,
    };
    let silence = Silence::find(&speech.samples);
    let heard = |frame: u64| silence.at(speech.at(frame, source_rate));
    let report = Report::new(&about, &seen, &sync, heard);
    if let Some(path) = &arguments.json {
        let text = report.json(&about, &seen)?;
        std::fs::write(path, text).map_err(|error| Failure::writing(path, error))?;
    }
    if let Some(path) = &arguments.sheet {
        let image = sheet.into_image();
        image
            .save(path)
            .map_err(|error| Failure::writing(path, error))?;
    }
    print!("{report}");
    Ok(())
}

/// Both clips, checked against each other.
struct Inputs<'a> {
    source: Source,
    /// `TRUTH` or `SOURCE`.
    name: &'static str,
    path: &'a Path,
    result: Option<Source>,
}

impl<'a> Inputs<'a> {
    fn open(arguments: &'a EvaluateArguments) -> Result<Self> {
        let (name, path) = match (&arguments.truth, &arguments.source) {
            (Some(path), _) => ("TRUTH", path.as_path()),
            (None, Some(path)) => ("SOURCE", path.as_path()),
            // clap refuses this.
            (None, None) => return Err(Failure::Input("neither --truth nor --source".into())),
        };
        for target in [&arguments.json, &arguments.sheet].into_iter().flatten() {
            let folder = target.parent().filter(|p| !p.as_os_str().is_empty());
            if target.is_dir() || folder.is_some_and(|folder| !folder.is_dir()) {
                return Err(Failure::writing(target, "it cannot be a file there"));
            }
        }
        let given = |path: &Path| arguments.rate.filter(|_| path.is_dir());
        let result = match &arguments.result {
            Some(path) => Some(constant(Source::open(path, given(path))?, path)),
            None => None,
        };
        // A folder takes the rate of the movie that it is compared with.
        let movie = result.as_ref().and_then(Source::movie);
        let rate = given(path).or(movie.map(|m| m.rate).filter(|_| path.is_dir()));
        let source = constant(Source::open(path, rate)?, path);
        if let Some(result) = &result {
            fit(result, &source, name)?;
        }
        Ok(Self {
            source,
            name,
            path,
            result,
        })
    }

    fn shown<'b>(&'b self, arguments: &EvaluateArguments) -> ResultFrames<'b> {
        match (&self.result, arguments.baseline) {
            (Some(result), _) => ResultFrames::Clip(result),
            (None, Some(baseline)) => ResultFrames::Baseline(baseline),
            // clap asks for one of the two.
            (None, None) => ResultFrames::Clip(&self.source),
        }
    }

    /// The speech of the result.
    fn speech(&self, arguments: &EvaluateArguments) -> Result<Voice> {
        let wanted = &arguments.sound;
        if let Some(path) = &arguments.audio {
            let voice = Voice::read(path, wanted)?;
            return voice
                .ok_or_else(|| Failure::Input(format!("audio: {} holds none", path.display())));
        }
        let result = self.result.as_ref().zip(arguments.result.as_deref());
        if let Some(voice) = result.map_or(Ok(None), |(clip, path)| sound_of(clip, path, wanted))? {
            return Ok(voice);
        }
        if let Some(path) = &arguments.own_audio
            && let Some(voice) = Voice::read(path, wanted)?
        {
            return Ok(voice);
        }
        sound_of(&self.source, self.path, wanted)?.ok_or_else(|| {
            Failure::Input("audio: neither clip has sound of its own: give --audio".into())
        })
    }

    /// The sound of the truth or of the source: its own, or the result's speech where the truth has
    /// the same.
    fn own(&self, arguments: &EvaluateArguments) -> Result<Option<Voice>> {
        if let Some(path) = &arguments.own_audio {
            return Voice::read(path, &AudioArguments::default());
        }
        match sound_of(&self.source, self.path, &AudioArguments::default())? {
            None if arguments.truth.is_some() => Ok(Some(self.speech(arguments)?)),
            voice => Ok(voice),
        }
    }
}

/// The sound of a movie.
fn sound_of(clip: &Source, path: &Path, wanted: &AudioArguments) -> Result<Option<Voice>> {
    match clip {
        Source::Movie { .. } => Voice::read(path, wanted),
        Source::Stills { .. } | Source::Extended(_) => Ok(None),
    }
}

/// Windows of SyncNet need a constant rate, and pixels are compared as they are displayed.
fn constant(clip: Source, path: &Path) -> Source {
    if clip.times().is_some() {
        log::warn!(
            "{} has a variable frame rate: it is resampled to a constant {}",
            path.display(),
            clip.rate()
        );
    }
    clip.resampled().displayed()
}

/// Refuses clips that cannot be compared frame by frame.
fn fit(result: &Source, source: &Source, name: &str) -> Result<()> {
    let differs = |field: &str, mine: String, theirs: String| {
        Err(Failure::Input(format!(
            "{field}: RESULT has {mine}, {name} has {theirs}"
        )))
    };
    let size = |clip: &Source| {
        let layout = clip.layout();
        format!("{}x{}", layout.width, layout.height)
    };
    if size(result) != size(source) {
        return differs("size", size(result), size(source));
    }
    let same = |a: FrameRate, b: FrameRate| {
        u64::from(a.num) * u64::from(b.den) == u64::from(b.num) * u64::from(a.den)
    };
    let movie = result.movie();
    if let Some(movie) = movie.filter(|movie| !same(movie.rate, source.rate())) {
        return differs("rate", movie.rate.to_string(), source.rate().to_string());
    }
    // Containers may be wrong about their number of frames, folders are not.
    if let (Source::Stills { stills, .. }, Source::Stills { stills: others, .. }) = (result, source)
        && stills.len() != others.len()
    {
        return differs("frames", stills.len().to_string(), others.len().to_string());
    }
    Ok(())
}

fn recognition(arguments: &EvaluateArguments, engine: &Arc<Engine>) -> Result<Option<Recognition>> {
    let Some(path) = &arguments.recognition else {
        return Ok(None);
    };
    let info = engine.info();
    Ok(Some(Recognition::open(
        path,
        info.provider.used,
        info.threads,
    )?))
}

/// LSE of the result with its speech, and of the source with its own sound.
fn listen(
    listener: &Listener,
    job: &MeasureJob<'_>,
    seen: &Seen,
    speech: &Voice,
    own: Option<&Voice>,
) -> Result<Sync> {
    let mouths = |side: usize| {
        let shapes: Vec<Option<Vec<f32>>> = seen
            .rows
            .iter()
            .map(|row| row.as_ref().map(|row| row.shapes[side].clone()))
            .collect();
        listener.mouths(&shapes, job.frames.start, job.rate)
    };
    let pixels = |side: usize| seen.pixels.as_ref().map(|pixels| &pixels[side]);
    let made = mouths(RESULT)?;
    let sounds = listener.sounds(speech, &made)?;
    let result = scores(&sounds, &made, pixels(RESULT));
    let real = match own {
        Some(own) => {
            let seen = mouths(SOURCE)?;
            let same = own.offset == speech.offset && own.samples == speech.samples;
            let heard = if same {
                sounds
            } else {
                listener.sounds(own, &seen)?
            };
            scores(&heard, &seen, pixels(SOURCE))
        }
        None => [None, None],
    };
    Ok(Sync { result, real })
}
