//! The command `render`.

use std::path::Path;
use std::sync::Arc;

use stylelipsync::audio::{RATE, Rate};
use stylelipsync::model::Person;
use stylelipsync::{Clip, ClipOptions, Consent, Engine, Error, FrameOptions, Label, MarkId};

use crate::active;
use crate::ai_metadata;
use crate::args::{FrameRange, MarkingArguments, RenderArguments};
use crate::credentials::{Credentials, Parent};
use crate::face::RenderedFace;
use crate::failure::{Failure, Result};
use crate::format::{Kind, PictureKind};
use crate::layers;
use crate::lipsync::{PersonFrames, RenderJob, Summary, Tracks, Watch, WatchedFrame};
use crate::marks::Marks;
use crate::movie::codec::{self, Coding, Wanted};
use crate::movie::others::Others;
use crate::rate::FrameRate;
use crate::session;
use crate::sink;
use crate::source::{self, Source};
use crate::speakers::{self, Speaker};
use crate::stills::{Content, Still};
use crate::tool::{self, joined};

/// Watches no frame.
struct Unwatched;

impl Watch for Unwatched {
    fn wants(&self, _: u64) -> bool {
        false
    }

    fn see(&mut self, _: WatchedFrame) {}
}

/// Runs `render`.
///
/// # Errors
/// Any error that stops it; the outputs are then unchanged.
pub fn run(arguments: &RenderArguments) -> Result<()> {
    // The outputs are checked before hours of work.
    if let Some(folder) = &arguments.layers {
        layers::check(folder, arguments)?;
    }
    for target in [Some(&arguments.out), arguments.matte.as_ref()]
        .into_iter()
        .flatten()
    {
        sink::check(target)?;
        if target.exists() && target.canonicalize().ok() == arguments.video.canonicalize().ok() {
            return Err(Failure::writing(target, "it is the clip itself"));
        }
    }
    let frame_options = FrameOptions {
        articulation: arguments.articulation,
        detail: arguments.detail,
        ..FrameOptions::default()
    };
    frame_options.check()?;
    let marks = marks_of(&arguments.marking, &arguments.video)?;
    let consent = arguments.marking.consent_file.as_ref();
    let consent = consent.map(Consent::load).transpose()?;
    let Inputs {
        source,
        mut speakers,
        others,
        engine: mut opened,
    } = Inputs::open(arguments)?;
    // Where it must be fetched and is not needed to find the face, the engine is opened when all other inputs are
    // known to be good.
    let opened_early = opened.is_some();
    if let (RenderedFace::Speaking, [only]) = (&arguments.face, &mut speakers[..]) {
        let engine = match &opened {
            Some(engine) => engine,
            None => opened.insert(arguments.engine.open()?),
        };
        let clip = (&source, arguments.video.as_path());
        only.face = active::speaking_face(engine, clip, arguments.engine.workers())?;
    }
    let seconds = speakers::longest(&speakers);
    let source = source::extended(source, seconds, arguments.fit)?;
    // Only a movie has sound.
    let unmixed = Kind::of(&arguments.out)? != Kind::Folder && arguments.audio.is_none();
    let mixed = match speakers.len() > 1 && unmixed {
        true => Some(speakers::mixed(&speakers)?),
        false => None,
    };
    let sound = speakers::sound(arguments, &speakers, mixed.as_deref())?;
    let (Some(sound), Some((first, further))) = (sound, speakers.split_first()) else {
        return Err(Failure::Input("nobody speaks".into()));
    };
    let range = match &arguments.frames {
        Some(FrameRange(range)) => *range.start()..range.end().saturating_add(1),
        None => 0..u64::MAX,
    };
    let (coding, others) = result_of(arguments, &source, others)?;
    let engine = match opened {
        Some(engine) => engine,
        None => arguments.engine.open()?,
    };
    if opened_early {
        // After what is said of the inputs, as where it is opened last.
        session::announce(&engine);
    }
    let options = ClipOptions {
        timing: source.timing()?,
        transfer: source.transfer(),
        selection: first.face.selection(&engine)?,
        strength: arguments.strength,
        context: arguments.context.into(),
        reference_gap: gap(arguments.reference_gap)?,
        ignore_occlusion: arguments.ignore_occlusion,
        require_consent: arguments.marking.require_consent,
        label: arguments.marking.label.map(|corner| Label {
            corner: corner.into(),
            size: arguments.marking.label_size,
            opacity: arguments.marking.label_opacity,
        }),
        ..ClipOptions::default()
    };
    let mut clip = Clip::new(engine, options)?;
    clip.set_audio(&first.speech.samples, first.speech.rate, 1)?;
    for speaker in further {
        speaker.add_to(&mut clip)?;
    }
    if let Some(path) = &arguments.analysis {
        if matches!(source, Source::Extended(_)) {
            return Err(Failure::Input(format!(
                "{}: an analysis file does not hold the frames that a single picture is held for",
                path.display()
            )));
        }
        clip.load_analysis(path)?;
    }
    for path in &arguments.reference {
        let still = Still {
            name: String::new(),
            content: Content::File(path.clone()),
        };
        let picture = still.decode()?.like(source.layout());
        clip.add_reference(&picture.view()?)?;
    }
    if let Some(path) = first.person {
        clip.set_person(Some(&Person::load(path, clip.engine().bundle())?))?;
    }
    if !arguments.no_watermark {
        let id = MarkId::of_inputs(&clip.provenance());
        clip.set_watermark(Some(id));
    }
    clip.set_consent(consent);
    clip.check_consent()?;
    let job = RenderJob {
        tracks: Tracks {
            clip: &clip,
            source: &source,
            number_faces: speakers.iter().any(|speaker| speaker.face.is_number()),
            person: match arguments.reference[..] {
                _ if arguments.analysis.is_some() => PersonFrames::Known,
                [] => PersonFrames::All,
                [..] => PersonFrames::None,
            },
            workers: arguments.engine.workers(),
        },
        sound,
        speech: speakers.iter().map(|speaker| speaker.track.path).collect(),
        frames: range,
        out: &arguments.out,
        pictures: arguments.pictures.unwrap_or_else(|| source.pictures()),
        coding: coding.as_ref(),
        others: others.as_ref(),
        matte: arguments.matte.as_deref(),
        layers: arguments.layers.as_deref(),
        marks: &marks,
        articulation: arguments.articulation,
        detail: arguments.detail,
    };
    let summary = job.run(&mut Unwatched)?;
    report_length(
        seconds,
        &source,
        job.frames.start + summary.frames,
        arguments.frames.is_none(),
    );
    report(&summary, &arguments.out);
    Ok(())
}

/// What a render is made from.
struct Inputs<'a> {
    source: Source,
    speakers: Vec<Speaker<'a>>,
    /// The other streams of a movie.
    others: Option<Others>,
    /// Absent where ONNX Runtime must be fetched first.
    engine: Option<Arc<Engine>>,
}

impl<'a> Inputs<'a> {
    /// Opens all of them at once: each waits for other programs or for the processor.
    ///
    /// # Errors
    /// The first in the order of the fields; [`Failure::Tool`] without ffmpeg, where a movie is read or written, after
    /// those of video and audio.
    fn open(arguments: &'a RenderArguments) -> Result<Self> {
        let kind = Kind::of(&arguments.out)?;
        let video = arguments.video.as_path();
        let find_others = || {
            let movie = Source::is_movie(video);
            movie.then(|| Others::find(video, kind)).transpose()
        };
        let targets = [Some(&arguments.out), arguments.matte.as_ref()];
        let targets = targets.into_iter().flatten();
        let kinds = targets
            .map(|target| Kind::of(target))
            .collect::<Result<Vec<_>>>()?;
        let movies = Source::is_movie(video) || kinds.iter().any(|kind| *kind != Kind::Folder);
        let find_ffmpeg = || movies.then(tool::ffmpeg).transpose();
        let open_engine = || arguments.engine.open_early(arguments.context.into());
        std::thread::scope(|scope| {
            let engine = scope.spawn(open_engine);
            let ffmpeg = scope.spawn(find_ffmpeg);
            let others = scope.spawn(find_others);
            let speakers = scope.spawn(|| Speaker::all(arguments));
            let source = Source::open(video, arguments.rate);
            let (speakers, others, engine) = (joined(speakers), joined(others), joined(engine));
            let ffmpeg = joined(ffmpeg);
            // A file that is not there is named whether ffmpeg is there or not.
            let (source, speakers) = (source?, speakers?);
            ffmpeg?;
            Ok::<_, Failure>(Self {
                source,
                speakers,
                others: others?,
                engine: engine?,
            })
        })
    }
}

/// How the result is marked: certificates are checked before hours of work.
///
/// # Errors
/// [`Failure::Credentials`] for certificates, a key or a source's credentials that cannot be used.
fn marks_of(arguments: &MarkingArguments, video: &Path) -> Result<Marks> {
    let credentials = match &arguments.credentials {
        Some(files) => {
            let credentials = Credentials::open(files, arguments.tsa.as_deref())?;
            Some((credentials, Parent::of(video)?))
        }
        None => None,
    };
    if arguments.no_ai_metadata {
        log::warn!("{}", ai_metadata::TURNED_OFF);
    }
    Ok(Marks {
        ai_metadata: !arguments.no_ai_metadata,
        credentials,
        report: arguments.report.clone(),
    })
}

/// How the result is written. What is not kept is reported, before hours of work.
///
/// # Errors
/// [`Failure::Engine`] for a codec or a quality that does not fit; [`Failure::Tool`] when ffmpeg lacks what is
/// needed.
fn result_of(
    arguments: &RenderArguments,
    source: &Source,
    others: Option<Others>,
) -> Result<(Option<Coding>, Option<Others>)> {
    let kind = Kind::of(&arguments.out)?;
    let wanted = Wanted {
        codec: arguments.codec,
        quality: arguments.quality,
    };
    let asked = wanted.codec.is_some() || wanted.quality.is_some() || arguments.keep_streams;
    if kind == Kind::Folder && asked {
        return Err(Failure::Engine(Error::Argument {
            field: "codec",
            reason: "pictures have no codec, quality or streams".into(),
        }));
    }
    if kind != Kind::Folder && arguments.pictures.is_some() {
        return Err(Failure::Engine(Error::Argument {
            field: "pictures",
            reason: "the result is a movie: name a folder for pictures".into(),
        }));
    }
    let movie = source.movie();
    let linear = arguments.pictures == Some(PictureKind::Exr);
    let mut losses = movie.map_or(Vec::new(), |movie| codec::lost_of_any(kind, linear, movie));
    let coding = match kind {
        Kind::Folder => None,
        _ => Some(Coding::choose(kind, wanted, &source.layout(), movie)?),
    };
    losses.extend(coding.iter().flat_map(|coding| coding.losses.clone()));
    let others = others.filter(|others| {
        match arguments.keep_streams {
            true => losses.extend(others.losses.clone()),
            false if others.there.is_empty() => {}
            false => losses.push(format!(
                "{} (--keep-streams keeps what {} can hold)",
                others.there.join(", "),
                kind.name()
            )),
        }
        arguments.keep_streams
    });
    for loss in losses {
        log::warn!("not kept: {loss}");
    }
    Ok((coding, others))
}

/// The gap between a frame and the references that it is rendered from, in samples at 16 kHz.
///
/// # Errors
/// [`Error::Argument`] when it is negative or too long.
fn gap(seconds: f64) -> Result<i64> {
    if (0.0..1e6).contains(&seconds) {
        return Ok((seconds * f64::from(RATE)).round() as i64);
    }
    Err(Failure::Engine(Error::Argument {
        field: "reference-gap",
        reason: format!("{seconds} s is out of range"),
    }))
}

/// The library's rate.
///
/// # Errors
/// From the library when it refuses the rate.
pub fn rate(rate: FrameRate) -> Result<Rate> {
    Ok(Rate::new(rate.num, rate.den)?)
}

/// Reports what was done, and warns of frames that were left unchanged.
pub fn report(summary: &Summary, out: &Path) {
    let frames = summary.frames;
    if let [_, _, ..] = summary.without_face[..] {
        for (number, without) in summary.without_face.iter().enumerate() {
            eprintln!(
                "speaker {}: {} of {frames} frames show the face",
                number + 1,
                frames - without
            );
            if *without == frames {
                log::warn!("speaker {}: the face was found in no frame", number + 1);
            }
        }
        eprintln!("{frames} frames: {}", out.display());
        return;
    }
    let without_face = summary.without_face.first().copied().unwrap_or(0);
    if without_face == frames {
        log::warn!("no face was found in any of the {frames} frames: the picture is unchanged");
    } else if without_face > 0 {
        log::warn!("no face was found in {without_face} of {frames} frames: those are unchanged");
    }
    eprintln!("{frames} frames: {}", out.display());
}

/// The video determines the length: warns where the audio's differs by more than a frame.
fn report_length(sound: f64, source: &Source, frames: u64, whole: bool) {
    let picture = source.seconds(frames);
    let frame = source.rate().seconds(1);
    if !whole {
        return;
    }
    if sound > picture + frame {
        log::warn!(
            "the audio is {:.2} s longer than the picture: no frame is added, so its end is \
             not heard (--fit holds, loops or bounces the picture)",
            sound - picture
        );
    } else if sound + frame < picture {
        log::warn!(
            "the audio is {:.2} s shorter than the picture: silence follows it, and the mouth rests",
            picture - sound
        );
    }
}
