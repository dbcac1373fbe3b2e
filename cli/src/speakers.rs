//! Who speaks what in a render: one face with `--audio`, several with `--speak`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use stylelipsync::Clip;
use stylelipsync::audio::{Waveform, to_16k};
use stylelipsync::model::Person;
use tempfile::TempPath;

use crate::args::RenderArguments;
use crate::audio::{AudioArguments, Track};
use crate::face::{FaceChoice, OfFace, RenderedFace};
use crate::failure::{Failure, Result};
use crate::tool;

/// A face and what it speaks.
pub struct Speaker<'a> {
    pub face: FaceChoice,
    /// Its person file.
    pub person: Option<&'a Path>,
    pub track: Track<'a>,
    pub speech: Waveform,
}

impl<'a> Speaker<'a> {
    /// All speakers of a render, the first one first, with their audio. The face of a single one that is to be
    /// found by its speech is the largest until then.
    ///
    /// # Errors
    /// [`Failure::Input`] for the person file of a face that does not speak; from finding and reading the audio.
    pub fn all(arguments: &'a RenderArguments) -> Result<Vec<Self>> {
        let speak = &arguments.speak;
        let persons = &arguments.speak_person;
        let unknown = |of: &&OfFace| !speak.iter().any(|speaker| speaker.face == of.face);
        if let Some(of) = persons.iter().find(unknown) {
            return Err(Failure::Input(format!(
                "--speak-person: no --speak has the face of {}",
                of.file.display()
            )));
        }
        let one = arguments.audio.iter().filter(|_| speak.is_empty());
        let one = one.map(|audio| {
            let face = match &arguments.face {
                RenderedFace::Chosen(face) => face.clone(),
                RenderedFace::Speaking => FaceChoice::Largest,
            };
            (face, arguments.person.as_deref(), audio)
        });
        let several = speak.iter().map(|speaker| {
            let own = persons.iter().find(|of| of.face == speaker.face);
            let person = own.map(|of| of.file.as_path());
            (speaker.face.clone(), person, &speaker.file)
        });
        let read = |(face, person, path): (FaceChoice, Option<&'a Path>, &'a PathBuf)| {
            let track = Track::find(path, &arguments.sound)?;
            let speech = track.read()?;
            Ok(Self {
                face,
                person,
                track,
                speech,
            })
        };
        one.chain(several).map(read).collect()
    }

    /// Adds this speaker to a clip that has the first one.
    ///
    /// # Errors
    /// From the library, and from reading a picture or a person file.
    pub fn add_to(&self, clip: &mut Clip) -> Result<()> {
        let samples = to_16k(&self.speech.samples, self.speech.rate, 1)?;
        let engine = clip.engine().clone();
        let person = self.person.map(|path| Person::load(path, engine.bundle()));
        let person = person.transpose()?;
        let selection = self.face.selection(&engine)?;
        clip.add_speaker(selection, Arc::new(samples), person.as_ref())?;
        Ok(())
    }

    fn seconds(&self) -> f64 {
        self.speech.samples.len() as f64 / f64::from(self.speech.rate)
    }
}

/// The length of the longest audio in seconds.
pub fn longest(speakers: &[Speaker<'_>]) -> f64 {
    speakers.iter().map(Speaker::seconds).fold(0.0, f64::max)
}

/// What several speakers speak, added up: ffmpeg mixes their files, from the clip's beginning on, into one file.
///
/// # Errors
/// [`Failure::Tool`] from ffmpeg, [`Failure::Output`] without room for the file.
pub fn mixed(speakers: &[Speaker<'_>]) -> Result<TempPath> {
    let file = tempfile::Builder::new().suffix(".wav").tempfile();
    let file =
        file.map_err(|error| Failure::Output(format!("cannot write the mixed audio: {error}")))?;
    let mixed = file.into_temp_path();
    let mut command = tool::command("ffmpeg");
    let (mut filter, mut labels) = (String::new(), String::new());
    for (number, speaker) in speakers.iter().enumerate() {
        command.arg("-i").arg(tool::file(speaker.track.path));
        let (input, placed) = (speaker.track.map(number), speaker.track.filter());
        filter += &format!("[{input}]{placed}[a{number}];");
        labels += &format!("[a{number}]");
    }
    filter += &format!("{labels}amix=inputs={}:normalize=0[out]", speakers.len());
    command.args(["-filter_complex", &filter, "-map", "[out]"]);
    // Float: a sum above full scale is not clipped before it is encoded.
    command.args(["-c:a", "pcm_f32le"]).arg(tool::file(&mixed));
    tool::output("ffmpeg", command, "mixing the speakers' audio".into())?;
    Ok(mixed)
}

/// The sound of a result: what `--audio` or the only speaker gives, else the mixed file.
///
/// # Errors
/// As [`Track::find`].
pub fn sound<'a>(
    arguments: &'a RenderArguments,
    speakers: &[Speaker<'a>],
    mixed: Option<&'a Path>,
) -> Result<Option<Track<'a>>> {
    match (mixed, &arguments.audio) {
        (Some(mixed), _) => Track::find(mixed, &AudioArguments::default()).map(Some),
        (None, Some(audio)) if speakers.len() > 1 => Track::find(audio, &arguments.sound).map(Some),
        (None, _) => Ok(speakers.first().map(|speaker| speaker.track)),
    }
}
