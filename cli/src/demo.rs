//! The command `demo`: the bundled clip, embedded in the program, lip-synced to the bundled speech.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use stylelipsync::audio::decode_file;
use stylelipsync::{Clip, ClipOptions, MarkId, SpeechContext, Timing};

use crate::ai_metadata;
use crate::args::DemoArguments;
use crate::audio::{AudioArguments, Track};
use crate::failure::{Failure, Result};
use crate::format::{Kind, PictureKind};
use crate::lipsync::{PersonFrames, RenderJob, Tracks, Watch, WatchedFrame};
use crate::marks::Marks;
use crate::movie::encoder::{Format, Sound};
use crate::rate::FrameRate;
use crate::sheet::Sheet;
use crate::sink::{Sink, Unnamed};
use crate::source::Source;
use crate::stills::{Content, Still};
use crate::{render, sink, tool};

/// A file inside the program: its name and its bytes.
type Embedded = (&'static str, &'static [u8]);

/// The bundled clip's frames, listed by the build script.
const FRAMES: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/clip_frames.rs"));
/// Its audio files and its description.
const FILES: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/clip.rs"));

#[derive(Deserialize)]
struct Description {
    /// Frames per second.
    fps: u32,
}

/// Runs `demo`.
///
/// # Errors
/// Whatever stops it.
pub fn run(arguments: &DemoArguments) -> Result<()> {
    let out = &arguments.out;
    fs::create_dir_all(out).map_err(|error| Failure::writing(out, error))?;
    let source = bundled_clip()?;
    let rate = source.rate();
    let speech_path = out.join("speech.wav");
    sink::write_whole(&speech_path, embedded("other.wav")?)?;
    let speech = decode_file(&speech_path)?;
    let frames = source.expected_frames();

    let engine = arguments.engine.open()?;
    let options = ClipOptions {
        timing: Timing::Constant(render::rate(rate)?),
        context: SpeechContext::Far,
        ..ClipOptions::default()
    };
    let mut clip = Clip::new(engine, options)?;
    clip.set_audio(&speech.samples, speech.rate, 1)?;
    let id = MarkId::of_inputs(&clip.provenance());
    clip.set_watermark(Some(id));
    let results = out.join("frames");
    let mut sheet = Sheet::new(0, frames);
    let marks = Marks {
        ai_metadata: true,
        ..Marks::default()
    };
    let job = RenderJob {
        tracks: Tracks {
            clip: &clip,
            source: &source,
            number_faces: false,
            person: PersonFrames::All,
            workers: arguments.engine.workers(),
        },
        sound: Track::find(&speech_path, &AudioArguments::default())?,
        speech: vec![&speech_path],
        frames: 0..frames,
        out: &results,
        pictures: PictureKind::Png,
        coding: None,
        others: None,
        matte: None,
        layers: None,
        marks: &marks,
        articulation: 1.0,
        detail: 1.0,
    };
    let summary = job.run(&mut sheet)?;
    render::report(&summary, &results);

    let picture = out.join("contact-sheet.png");
    let sheet = sheet.into_image();
    let mut bytes = std::io::Cursor::new(Vec::new());
    sheet
        .write_to(&mut bytes, image::ImageFormat::Png)
        .map_err(|error| Failure::writing(&picture, error))?;
    sink::write_whole(&picture, bytes.get_ref())?;
    eprintln!("source, matte, result: {}", picture.display());
    if let Err(missing) = tool::ffmpeg() {
        eprintln!("no movie was made: {missing}");
        return Ok(());
    }
    let movie = out.join("demo.mp4");
    mux(&results, rate, &speech_path, &movie)?;
    eprintln!("with sound: {}", movie.display());
    Ok(())
}

impl Watch for Sheet {
    fn wants(&self, index: u64) -> bool {
        self.wants(index)
    }

    fn see(&mut self, shown: WatchedFrame) {
        if let (Some(source), Some(result)) = (shown.source.to_rgba8(), shown.result.to_rgba8()) {
            self.add(&source, shown.matte, &result);
        }
    }
}

fn broken(what: impl std::fmt::Display) -> Failure {
    Failure::Input(format!("the bundled clip is broken: {what}"))
}

fn embedded(name: &str) -> Result<&'static [u8]> {
    let found = FILES.iter().find(|(file, _)| *file == name);
    found
        .map(|(_, bytes)| *bytes)
        .ok_or_else(|| broken(format!("{name} is missing")))
}

fn bundled_clip() -> Result<Source> {
    let description: Description =
        serde_json::from_slice(embedded("clip.json")?).map_err(broken)?;
    let stills = FRAMES.iter().map(|(name, jpeg)| Still {
        name: name.trim_end_matches(".jpg").to_owned(),
        content: Content::Bytes(jpeg),
    });
    let rate = FrameRate {
        num: description.fps,
        den: 1,
    };
    Source::stills(stills.collect(), rate)
}

/// Makes a movie of the frames just written.
fn mux(frames: &Path, rate: FrameRate, speech: &Path, movie: &Path) -> Result<()> {
    let source = Source::open(frames, Some(rate))?;
    let count = source.expected_frames();
    let sound = Sound {
        track: Track::find(speech, &AudioArguments::default())?,
        start: 0.0,
        seconds: rate.seconds(count),
    };
    let format = Format {
        layout: source.layout(),
        rate,
        times: None,
        first: 0,
        part: None,
        like: None,
        sound: Some(sound),
        others: None,
        pictures: PictureKind::Png,
        coding: None,
        ai_metadata: true,
    };
    let mut sink = Sink::create(movie, &format)?;
    for frame in source.frames(0..count)? {
        let bytes = sink.encoding().encode(frame?.picture)?;
        if let Err(failure) = sink.write("", &bytes) {
            return Err(sink.explain(failure));
        }
    }
    let out = sink.complete()?;
    if let Unnamed::Movie(movie) = &out {
        ai_metadata::mark_movie(Kind::Mp4, &movie.temporary)?;
    }
    out.name()
}
