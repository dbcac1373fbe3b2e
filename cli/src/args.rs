//! The command line.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use stylelipsync::{Corner, SpeechContext};

use crate::audio::AudioArguments;
use crate::credentials::CredentialFiles;
use crate::face::{FaceChoice, OfFace, RenderedFace};
use crate::failure::EXIT_CODES;
use crate::format::{Codec, PictureKind};
use crate::rate::FrameRate;

/// Changes the mouth of a face in a video so that it speaks a new audio track.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES, propagate_version = true)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Lip-sync the bundled clip (a rendered head) to the bundled speech.
    Demo(DemoArguments),
    /// Lip-sync a movie or a folder of pictures to an audio file.
    Render(Box<RenderArguments>),
    /// Find the faces and shots of a clip once, for several runs of `render --analysis`.
    Analyze(AnalyzeArguments),
    /// Join the pieces that several runs of `render --frames` made.
    Join(JoinArguments),
    /// Adapt the model to a person from a few seconds of video; writes a person file for `render --person`.
    Adapt(AdaptArguments),
    /// Measure a rendered clip against the true video, or against the video it was made from.
    Evaluate(EvaluateArguments),
    /// Look for the invisible watermark that `render` puts into its results.
    Detect(DetectArguments),
    /// Sign a file that an editor exported, or a joined render, with the report of the effect or of `render --report`.
    Sign(SignArguments),
    /// Check content credentials: who signed a file, what was changed in it, and whether it is still what was signed.
    Verify(VerifyArguments),
    /// Report what was found on this machine, which providers work, and what to do about the rest.
    Doctor(DoctorArguments),
}

#[derive(Debug, Args)]
pub struct DemoArguments {
    /// The folder for frames, contact sheet and movie.
    #[arg(long, default_value = "demo-out", value_name = "FOLDER")]
    pub out: PathBuf,
    #[command(flatten)]
    pub engine: EngineArguments,
}

#[derive(Debug, Args)]
pub struct DoctorArguments {
    /// First fetch what is missing: ONNX Runtime and its WebGPU provider.
    #[arg(long)]
    pub fetch: bool,
    /// Fetch the OpenVINO provider too: Intel processors, GPUs and NPUs.
    #[arg(long, requires = "fetch")]
    pub openvino: bool,
}

/// Where the networks come from and what they run on.
#[derive(Debug, Args)]
pub struct EngineArguments {
    /// The execution provider that runs the networks.
    #[arg(long, value_enum, default_value = "auto")]
    pub provider: ProviderName,
    /// A model bundle to use instead of the embedded one: a folder, or the name of one that is installed with the
    /// program, such as `cleared`.
    #[arg(long, value_name = "FOLDER|NAME")]
    pub bundle: Option<PathBuf>,
    /// Frames processed in parallel; by default the number of cores.
    #[arg(long, value_name = "N")]
    pub threads: Option<std::num::NonZeroUsize>,
}

/// What is shown when the audio is longer than the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Fit {
    /// Nothing: the audio is cut. A single picture is held.
    Cut,
    /// The last frame.
    Hold,
    /// The clip from its beginning, again and again.
    Loop,
    /// The clip backwards, then forwards, again and again.
    Bounce,
}

#[derive(Debug, Args)]
pub struct AnalyzeArguments {
    /// The clip: a movie, a PNG or JPEG picture, or a folder of them.
    #[arg(long, value_name = "MOVIE|FOLDER")]
    pub video: PathBuf,
    /// The analysis file to write. It holds pictures of the person's face: treat it like the footage.
    #[arg(long, value_name = "FILE.slsa")]
    pub out: PathBuf,
    /// Frames per second of a folder of pictures, such as 25, 23.976 or 30000/1001. A movie keeps its
    /// own rate.
    #[arg(long, value_name = "RATE")]
    pub rate: Option<FrameRate>,
    /// Which face: the largest, the one at a point in pixels, a track's number, or the person in a picture. For
    /// several speakers, once for each, in the order of their --speak.
    #[arg(long, default_value = "largest", value_name = "largest|X,Y|ID|PICTURE")]
    pub face: Vec<FaceChoice>,
    /// Also write the faces of every frame as JSON: track's number, centre and side in pixels, confidence.
    #[arg(long, value_name = "FILE.json")]
    pub faces: Option<PathBuf>,
    #[command(flatten)]
    pub engine: EngineArguments,
}

#[derive(Debug, Args)]
pub struct RenderArguments {
    /// The clip: a movie, a PNG, JPEG, TIFF or EXR picture, or a folder of them.
    #[arg(long, value_name = "MOVIE|FOLDER")]
    pub video: PathBuf,
    /// The new speech: wav, mp3, m4a, flac, ogg, opus, webm, caf, and what else ffmpeg decodes. With --speak, the
    /// sound of the result instead; by default that is the speakers' audio, added up.
    #[arg(long, value_name = "FILE", required_unless_present = "speak")]
    pub audio: Option<PathBuf>,
    /// One of several faces, and what it speaks: give it once for each speaker. FACE is a point X,Y in pixels, a
    /// track's number, a picture of the person or 'largest'.
    #[arg(long, value_name = "FACE=FILE", conflicts_with_all = ["face", "person", "reference"])]
    pub speak: Vec<OfFace>,
    /// The person file of one of the speakers, with the FACE of its --speak.
    #[arg(long, value_name = "FACE=FILE.safetensors", requires = "speak")]
    pub speak_person: Vec<OfFace>,
    #[command(flatten)]
    pub sound: AudioArguments,
    /// The result: .mp4 (H.264; H.265 or AV1 where that came in or for more than 8 bits), .mov (ProRes, 4444
    /// where there is alpha), .mkv (lossless), or a folder for pictures.
    #[arg(long, value_name = "MOVIE|FOLDER")]
    pub out: PathBuf,
    /// What a folder of results holds; by default PNG, or EXR or TIFF where those came in.
    #[arg(long, value_enum)]
    pub pictures: Option<PictureKind>,
    /// The codec of the result, where it is not the usual one of the file type.
    #[arg(long, value_enum)]
    pub codec: Option<Codec>,
    /// Constant rate factor of H.264, H.265 (0 to 51) or AV1 (0 to 63): lower is better and larger.
    #[arg(long, value_name = "CRF")]
    pub quality: Option<f32>,
    /// Keep the movie's other audio tracks, subtitles, chapters and metadata. The new speech replaces its first
    /// audio track.
    #[arg(long, conflicts_with = "frames")]
    pub keep_streams: bool,
    /// What is shown when the audio is longer than the picture: cut, hold the last frame, loop, or bounce
    /// (backwards and forwards). A single picture is always held.
    #[arg(long, value_enum, default_value_t = Fit::Cut)]
    pub fit: Fit,
    /// Only these frames, counted from 0, both ends included. The result has the same bytes as
    /// in a render of the whole clip; all of it is analysed for that.
    #[arg(long, value_name = "A-B")]
    pub frames: Option<FrameRange>,
    /// The file that `analyze` made of this clip, with the same --face: the clip is not analysed again. Frames
    /// that are not those that were analysed are refused.
    #[arg(long, value_name = "FILE.slsa", conflicts_with = "fit")]
    pub analysis: Option<PathBuf>,
    /// A picture of the same person that shows mouth and teeth well, to be used instead of the clip's
    /// own frames. Give it several times for several mouth shapes and poses.
    #[arg(long, value_name = "PICTURE")]
    pub reference: Vec<PathBuf>,
    /// For evaluation: render each frame without the clip's own frames less than this many seconds
    /// away.
    #[arg(long, default_value_t = 0.0, value_name = "SECONDS")]
    pub reference_gap: f64,
    /// A person file that `adapt` made: the clip is rendered as that person.
    #[arg(long, value_name = "FILE.safetensors")]
    pub person: Option<PathBuf>,
    /// Also write the matte (white where the picture was changed).
    #[arg(long, value_name = "MOVIE|FOLDER")]
    pub matte: Option<PathBuf>,
    /// Also write the layers for a compositor, three EXR sequences in this folder: mouth.* (premultiplied, alpha is
    /// the matte: its "over" on the source is the result, in the numbers of the source), matte.* (Y) and st.* (the
    /// ST map into the upright crop of the face: R = s to the right, G = t upwards, -1 without a face).
    #[arg(long, value_name = "FOLDER")]
    pub layers: Option<PathBuf>,
    #[command(flatten)]
    pub marking: MarkingArguments,
    /// Frames per second of a folder of pictures, such as 25, 23.976 or 30000/1001. A movie keeps its
    /// own rate.
    #[arg(long, value_name = "RATE")]
    pub rate: Option<FrameRate>,
    /// Which face: the largest, the one at a point in pixels, a track's number, the person in a picture, or the
    /// one that speaks in the movie's own audio (the clip is tracked once more for that).
    #[arg(
        long,
        default_value = "largest",
        value_name = "largest|X,Y|ID|PICTURE|speaking"
    )]
    pub face: RenderedFace,
    /// Strength of the effect: 0 leaves the source unchanged, 1 is the full effect.
    #[arg(long, default_value_t = 1.0, value_name = "0..1")]
    pub strength: f32,
    /// How far the mouth moves: 1 as the speech asks for, 0 at rest.
    #[arg(long, default_value_t = 1.0, value_name = "0..2")]
    pub articulation: f32,
    /// How much of the fine detail of the person's own pictures is used: 0 none, 1 as they show it.
    #[arg(long, default_value_t = 1.0, value_name = "0..2")]
    pub detail: f32,
    /// Paint the mouth over hands, microphones and food in front of it, which otherwise stay visible.
    #[arg(long)]
    pub ignore_occlusion: bool,
    /// How much of the audio after a frame is heard: `far` follows the speech better, `near` is what a
    /// live stream can do.
    #[arg(long, value_enum, default_value_t = Context::Far, hide_short_help = true)]
    pub context: Context,
    /// Put no invisible watermark into the changed region.
    #[arg(long)]
    pub no_watermark: bool,
    #[command(flatten)]
    pub engine: EngineArguments,
}

#[derive(Debug, Args)]
pub struct DetectArguments {
    /// The clip: a movie, a picture, or a folder of them.
    #[arg(value_name = "MOVIE|FOLDER")]
    pub video: PathBuf,
    /// Use only these frames, counted from 0, both ends included.
    #[arg(long, value_name = "A-B")]
    pub frames: Option<FrameRange>,
    #[command(flatten)]
    pub engine: EngineArguments,
}

/// How a result says that it is synthetic.
#[derive(Debug, Args)]
pub struct MarkingArguments {
    /// Sign the result (C2PA content credentials) with this certificate chain and private key, both PEM. They are
    /// put into .mp4 and .mov, and beside .mkv (NAME.c2pa) and the pictures of a folder (credentials-A-B.c2pa).
    #[arg(long, value_name = "CERTIFICATES.pem,KEY.pem")]
    pub credentials: Option<CredentialFiles>,
    /// Have the signature stamped with the time by this authority (RFC 3161). Without it nothing is sent
    /// anywhere.
    #[arg(long, value_name = "http://...", requires = "credentials")]
    pub tsa: Option<String>,
    /// The person's consent as fields, stated in report and credentials: JSON with who, when, scope, expires
    /// (optional) and document_sha256.
    #[arg(long, value_name = "FILE.json")]
    pub consent_file: Option<PathBuf>,
    /// Render only with consent that holds today: of --consent-file or of the person file, and of both where both
    /// have it.
    #[arg(long)]
    pub require_consent: bool,
    /// Draw the letters AI over every frame, in this corner: the one thing that changes pixels outside the mask.
    #[arg(long, value_enum, num_args = 0..=1, default_missing_value = "bottom-right", value_name = "CORNER")]
    pub label: Option<LabelCorner>,
    /// Height of the label as a share of the frame's height, 0.01 to 0.5.
    #[arg(long, default_value_t = 0.06, requires = "label", value_name = "SHARE")]
    pub label_size: f32,
    /// Opacity of the label.
    #[arg(long, default_value_t = 0.8, requires = "label", value_name = "0..1")]
    pub label_opacity: f32,
    /// Also write the report of what was changed, for `sign --from`.
    #[arg(long, value_name = "FILE.json")]
    pub report: Option<PathBuf>,
    /// Leave out the plain metadata that states that the result is synthetic (IPTC digital source type).
    #[arg(long)]
    pub no_ai_metadata: bool,
}

#[derive(Debug, Args)]
pub struct SignArguments {
    /// What is signed: .mp4, .mov, .avi, .png, .jpg, .tif or .wav, which get credentials inside; any other file, or
    /// a folder of pictures, which get them beside.
    #[arg(value_name = "FILE|FOLDER")]
    pub file: PathBuf,
    /// The report of the effect, or of `render --report`; several of the pieces of one render.
    #[arg(long, required = true, value_name = "REPORT.json")]
    pub from: Vec<PathBuf>,
    /// The certificate chain and the private key, both PEM.
    #[arg(long, value_name = "CERTIFICATES.pem,KEY.pem")]
    pub credentials: CredentialFiles,
    /// Have the signature stamped with the time by this authority (RFC 3161).
    #[arg(long, value_name = "http://...")]
    pub tsa: Option<String>,
    /// The source, whose own credentials are kept in those of the file. By default the file itself, before it is
    /// signed.
    #[arg(long, value_name = "FILE")]
    pub source: Option<PathBuf>,
    /// Where the signed file is written; by default it replaces FILE.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// A file with credentials inside or beside it, or a folder of pictures.
    #[arg(value_name = "FILE|FOLDER")]
    pub file: PathBuf,
    /// Certificates of authorities that you trust, PEM: reports whether one of them stands behind the signer.
    #[arg(long, value_name = "CERTIFICATES.pem")]
    pub trust: Option<PathBuf>,
    /// Print all that the credentials state, as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct JoinArguments {
    /// What `render --frames` wrote: folders of pictures, or movies. Pictures are ordered by their numbers, movies
    /// by the frames that they state. Every frame must be there once.
    #[arg(required = true, value_name = "PIECE")]
    pub pieces: Vec<PathBuf>,
    /// The result, of the same kind as the pieces: pictures and the frames of movies are copied, not encoded again.
    #[arg(long, value_name = "MOVIE|FOLDER")]
    pub out: PathBuf,
    /// How many frames the result must have: notices that the last piece is missing.
    #[arg(long, value_name = "N")]
    pub count: Option<u64>,
    /// The speech that the pieces were rendered with, laid under the joined movie. By default the audio of the
    /// pieces, where it is lossless (.mkv, .mov); .mp4 needs the file.
    #[arg(long, value_name = "FILE")]
    pub audio: Option<PathBuf>,
    #[command(flatten)]
    pub sound: AudioArguments,
}

#[derive(Debug, Args)]
pub struct AdaptArguments {
    /// The person, speaking: a movie or a folder of pictures, at least two seconds.
    #[arg(long, value_name = "MOVIE|FOLDER")]
    pub video: PathBuf,
    /// The person's speech, where it is not the movie's own sound.
    #[arg(long, value_name = "FILE")]
    pub audio: Option<PathBuf>,
    #[command(flatten)]
    pub sound: AudioArguments,
    /// The person file to write.
    #[arg(long, value_name = "FILE.safetensors")]
    pub out: PathBuf,
    /// The largest number of training steps.
    #[arg(long, default_value_t = 300, value_name = "N")]
    pub steps: u64,
    /// The longest training time in minutes, without the analysis of the video.
    #[arg(long, value_name = "M")]
    pub minutes: Option<f64>,
    /// Stop early when the loss of held-out frames no longer improves.
    #[arg(long)]
    pub plateau: bool,
    /// Continue from the checkpoint next to the person file, which an interrupted run or a run with
    /// --keep-checkpoint left there.
    #[arg(long)]
    pub resume: bool,
    /// Keep the checkpoint at the end, so that more steps can be added later.
    #[arg(long)]
    pub keep_checkpoint: bool,
    /// Seed of the random order of frames and unpaired speech.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub seed: u64,
    /// A picture of the same person that shows mouth and teeth well; by default the best of the
    /// clip's first frames.
    #[arg(long, value_name = "PICTURE")]
    pub reference: Option<PathBuf>,
    /// Frames per second of a folder of pictures, such as 25, 23.976 or 30000/1001. A movie keeps its
    /// own rate.
    #[arg(long, value_name = "RATE")]
    pub rate: Option<FrameRate>,
    /// Which face: the largest, the one at a point in pixels, a track's number, or the person in a picture.
    #[arg(long, default_value = "largest", value_name = "largest|X,Y|ID|PICTURE")]
    pub face: FaceChoice,
    /// A note kept in the person file: who consented, and how.
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub consent: String,
    /// The person's consent as fields, kept in the person file: JSON with who, when, scope, expires (optional) and
    /// document_sha256.
    #[arg(long, value_name = "FILE.json")]
    pub consent_file: Option<PathBuf>,
    /// Loss weights of the picture (equation 6), of the person's own speech (equation 7) and of
    /// unpaired speech (equation 9); 0 switches a loss off.
    #[arg(
        long,
        value_parser = three,
        default_value = "10,1,1",
        value_name = "PICTURE,SYNC,REGULARISER"
    )]
    pub weights: [f32; 3],
    #[command(flatten)]
    pub engine: EngineArguments,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("against").required(true).args(["truth", "source"])))]
pub struct EvaluateArguments {
    /// The rendered clip: a movie, or a folder of pictures.
    #[arg(value_name = "RESULT", required_unless_present = "baseline")]
    #[arg(conflicts_with = "baseline")]
    pub result: Option<PathBuf>,
    /// The true video, frame by frame (reconstruction).
    #[arg(long, value_name = "MOVIE|FOLDER")]
    pub truth: Option<PathBuf>,
    /// The video that the result was made from, with other speech.
    #[arg(long, value_name = "MOVIE|FOLDER")]
    pub source: Option<PathBuf>,
    /// Measure a baseline instead of a result: the unchanged frames, or the reference frame's mouth
    /// in every frame.
    #[arg(long, value_enum)]
    pub baseline: Option<Baseline>,
    /// The speech of the result; by default the result's own sound, else that of the truth or the
    /// source.
    #[arg(long, value_name = "FILE")]
    pub audio: Option<PathBuf>,
    #[command(flatten)]
    pub sound: AudioArguments,
    /// The sound of the truth or the source, where that is a folder.
    #[arg(long, value_name = "FILE")]
    pub own_audio: Option<PathBuf>,
    /// A face recognition network, for CSIM: ONNX, input [1, 3, 112, 112].
    #[arg(long, value_name = "FILE")]
    pub recognition: Option<PathBuf>,
    /// Frames per second of folders of pictures, such as 25, 23.976 or 30000/1001. A movie keeps its
    /// own rate.
    #[arg(long, visible_alias = "fps", value_name = "RATE")]
    pub rate: Option<FrameRate>,
    /// Measure only these frames of both clips, counted from 0, both ends included.
    #[arg(long, value_name = "A-B")]
    pub frames: Option<FrameRange>,
    /// Which face of the truth or the source: the largest, the one at a point, or a track's number.
    #[arg(long, default_value = "largest", value_name = "largest|X,Y|ID")]
    pub face: FaceChoice,
    /// Write all numbers, with a row for each frame.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write a contact sheet: crops of the source, with the mask, and of the result.
    #[arg(long, value_name = "FILE.png")]
    pub sheet: Option<PathBuf>,
    #[command(flatten)]
    pub engine: EngineArguments,
}

/// A result that is made in memory, to compare others with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Baseline {
    /// The reference frame's mouth, composited over each frame.
    Frozen,
    /// The frames as they are.
    Untouched,
}

/// How far ahead of a frame its audio is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Context {
    /// As far as a live stream can.
    Near,
    /// Farther.
    Far,
}

impl From<Context> for SpeechContext {
    fn from(context: Context) -> Self {
        match context {
            Context::Near => SpeechContext::Near,
            Context::Far => SpeechContext::Far,
        }
    }
}

/// Where the label is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LabelCorner {
    TopLeft,
    TopRight,
    BottomLeft,
    BottomRight,
}

impl From<LabelCorner> for Corner {
    fn from(corner: LabelCorner) -> Self {
        match corner {
            LabelCorner::TopLeft => Self::TopLeft,
            LabelCorner::TopRight => Self::TopRight,
            LabelCorner::BottomLeft => Self::BottomLeft,
            LabelCorner::BottomRight => Self::BottomRight,
        }
    }
}

/// The providers, by their names in the documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProviderName {
    Auto,
    Cpu,
    Webgpu,
    Cuda,
    Coreml,
    Directml,
    Openvino,
    OpenvinoBf16,
    OpenvinoGpu,
    OpenvinoNpu,
}

/// `A-B`, both included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameRange(pub RangeInclusive<u64>);

impl FromStr for FrameRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is not a range of frames such as 10-99");
        let (first, last) = text.split_once('-').ok_or_else(wrong)?;
        let first: u64 = first.trim().parse().map_err(|_| wrong())?;
        let last: u64 = last.trim().parse().map_err(|_| wrong())?;
        if first > last {
            return Err(format!("the range {text} ends before it starts"));
        }
        Ok(Self(first..=last))
    }
}

/// Three numbers between commas.
fn three(text: &str) -> Result<[f32; 3], String> {
    let numbers: Result<Vec<f32>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    let numbers = numbers.map_err(|error| error.to_string())?;
    let count = numbers.len();
    <[f32; 3]>::try_from(numbers).map_err(|_| format!("{count} numbers, not three"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }

    /// `BLESS=1 cargo test -p stylelipsync-cli manual` writes the pages anew.
    #[test]
    fn the_manual_is_what_the_definition_says() {
        use clap::CommandFactory;
        let kept = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/man");
        let fresh = tempfile::tempdir().unwrap();
        let command = Arguments::command().name("stylelipsync");
        clap_mangen::generate_to(command, fresh.path()).unwrap();
        let pages = |folder: &std::path::Path| -> std::collections::BTreeMap<_, _> {
            let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
            let read = |entry: std::fs::DirEntry| {
                let text = std::fs::read_to_string(entry.path()).unwrap();
                (entry.file_name(), text)
            };
            entries.map(read).collect()
        };
        if std::env::var_os("BLESS").is_some() {
            std::fs::create_dir_all(&kept).unwrap();
            for (name, text) in pages(fresh.path()) {
                std::fs::write(kept.join(name), text).unwrap();
            }
        }
        let (fresh, kept) = (pages(fresh.path()), pages(&kept));
        assert!(fresh.keys().eq(kept.keys()), "{:?}", kept.keys());
        for (name, text) in &fresh {
            assert!(
                text == &kept[name],
                "packaging/man/{} is old: BLESS=1 cargo test -p stylelipsync-cli manual",
                name.display()
            );
        }
    }

    #[test]
    fn ranges() {
        assert_eq!("3-7".parse::<FrameRange>(), Ok(FrameRange(3..=7)));
        assert_eq!("5-5".parse::<FrameRange>(), Ok(FrameRange(5..=5)));
        for text in ["7-3", "7", "a-b", "-3", "3-", "1-2-3"] {
            assert!(text.parse::<FrameRange>().is_err(), "{text}");
        }
    }
}
