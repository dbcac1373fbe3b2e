//! What the editor sets: one table of controls, from which the descriptor is written and by which an
//! instance is read.

use std::ffi::CStr;
use std::path::PathBuf;

use stylelipsync::model::Provider;

use crate::fault::Result;
use crate::host::Host;
use crate::instance::Instance;

/// A group of controls, in the order of the panel.
pub struct Group {
    pub name: &'static CStr,
    pub label: &'static CStr,
    pub open: bool,
    pub controls: &'static [Control],
}

/// One control.
pub struct Control {
    pub name: &'static CStr,
    pub label: &'static CStr,
    pub hint: &'static CStr,
    pub kind: Kind,
}

/// What a control holds. Ranges: the lowest and highest value, then those of the slider.
pub enum Kind {
    Text(Text),
    Int {
        default: i32,
        range: [i32; 2],
        slider: [i32; 2],
    },
    Double {
        default: f64,
        range: [f64; 2],
        slider: [f64; 2],
        animates: bool,
    },
    Choice(&'static [&'static CStr]),
    /// On the picture; the default lies in its middle.
    Point,
    Button,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Text {
    Line,
    /// A line that the effect alone writes.
    Status,
    ExistingFile,
    NewFile,
    Folder,
}

macro_rules! control {
    ($name:ident, $label:literal, $kind:expr, $hint:literal) => {
        Control {
            name: $name,
            label: $label,
            hint: $hint,
            kind: $kind,
        }
    };
}

macro_rules! names {
    ($($constant:ident = $name:literal;)*) => {$(pub const $constant: &CStr = $name;)*};
}

names! {
    AUDIO = c"audio";
    AUDIO_OFFSET = c"audioOffset";
    AUDIO_START = c"audioStart";
    AUDIO_START_HERE = c"audioStartHere";
    FRAME_RATE = c"frameRate";
    STATUS = c"status";
    FACE = c"face";
    FACE_POINT = c"facePoint";
    FACE_NUMBER = c"faceNumber";
    REFERENCE = c"reference";
    REFERENCE_FRAME = c"referenceFrame";
    REFERENCE_HERE = c"referenceHere";
    STRENGTH = c"strength";
    MASK_GROW = c"maskGrow";
    MASK_FEATHER = c"maskFeather";
    COLOUR_MATCH = c"colourMatch";
    INPUT_COLOUR = c"inputColour";
    OUTPUT = c"output";
    MODEL = c"model";
    MODEL_FOLDER = c"modelFolder";
    DEVICE = c"device";
    PERSON = c"person";
    ADAPT_FROM = c"adaptFrom";
    ADAPT_TO = c"adaptTo";
    ADAPT_STEPS = c"adaptSteps";
    ADAPT_OUT = c"adaptOut";
    ADAPT_CONSENT = c"adaptConsent";
    ADAPT = c"adapt";
}

const FRAMES: i32 = 10_000_000;

/// The panel.
pub const GROUPS: &[Group] = &[
    Group { name: c"words", label: c"Words", open: true, controls: &[
        control!(AUDIO, c"Audio File", Kind::Text(Text::ExistingFile),
            c"What the face shall say: WAV, MP3, M4A, FLAC or OGG. Without it the picture passes through."),
        control!(AUDIO_START, c"Audio Starts At Frame", Kind::Int { default: 0, range: [-FRAMES, FRAMES], slider: [0, 1000] },
            c"The frame of the clip at which the audio file begins."),
        control!(AUDIO_START_HERE, c"Set To Current Frame", Kind::Button,
            c"Lets the audio file begin at the frame under the playhead."),
        control!(AUDIO_OFFSET, c"Audio Offset (ms)", Kind::Double { default: 0.0, range: [-3_600_000.0, 3_600_000.0], slider: [-1000.0, 1000.0], animates: false },
            c"Moves the words later (above 0) or earlier (below 0), in milliseconds."),
        control!(FRAME_RATE, c"Frame Rate Override", Kind::Double { default: 0.0, range: [0.0, 1000.0], slider: [0.0, 60.0], animates: false },
            c"Frames a second of the clip, where the host tells a wrong one. 0: what the host tells."),
        control!(STATUS, c"Status", Kind::Text(Text::Status),
            c"What the effect runs on, how sure it is of the face, and what is missing."),
    ] },
    Group { name: c"speaker", label: c"Face", open: true, controls: &[
        control!(FACE, c"Face", Kind::Choice(&[c"Largest", c"Nearest To The Point", c"By Number From The Left"]),
            c"Which face speaks where the picture shows several."),
        control!(FACE_POINT, c"Face Point", Kind::Point,
            c"For 'Nearest To The Point': drag it onto the face."),
        control!(FACE_NUMBER, c"Face Number", Kind::Int { default: 1, range: [1, 100], slider: [1, 8] },
            c"For 'By Number From The Left': 1 is the leftmost face of the frame."),
        control!(REFERENCE, c"Reference", Kind::Choice(&[c"Automatic", c"Frame Below"]),
            c"The frame that says what this person looks like. Automatic takes the sharpest frontal one of the first second with a face."),
        control!(REFERENCE_FRAME, c"Reference Frame", Kind::Int { default: 0, range: [-FRAMES, FRAMES], slider: [0, 1000] },
            c"A frame that shows the person sharply, from the front, with the teeth visible."),
        control!(REFERENCE_HERE, c"Use Current Frame", Kind::Button,
            c"Makes the frame under the playhead the reference."),
    ] },
    Group { name: c"look", label: c"Look", open: true, controls: &[
        control!(STRENGTH, c"Strength", Kind::Double { default: 1.0, range: [0.0, 1.0], slider: [0.0, 1.0], animates: true },
            c"How much of the new mouth is mixed in. 0 is the source."),
        control!(MASK_GROW, c"Mask Grow", Kind::Double { default: 0.0, range: [-20.0, 20.0], slider: [-20.0, 20.0], animates: false },
            c"Moves the rim of the new mouth outwards or inwards, in pixels of the 256-pixel face crop."),
        control!(MASK_FEATHER, c"Mask Feather", Kind::Double { default: 1.0, range: [0.0, 4.0], slider: [0.0, 2.0], animates: false },
            c"Softness of the rim: 1 as trained, 0 a hard edge."),
        control!(COLOUR_MATCH, c"Colour Match", Kind::Double { default: 1.0, range: [0.0, 1.0], slider: [0.0, 1.0], animates: false },
            c"How far the new mouth may be matched to the light round it. 0 switches it off."),
        control!(INPUT_COLOUR, c"Input Colour", Kind::Choice(&[c"Timeline (As Displayed)", c"sRGB", c"Rec.709", c"Linear", c"ACEScg (Linear)"]),
            c"What the numbers of the picture mean here. Nuke hands out linear light, most timelines what is displayed."),
        control!(OUTPUT, c"Output", Kind::Choice(&[c"Result", c"Matte In Alpha", c"Mask Overlay", c"Track Overlay"]),
            c"The result; the result with the matte in its alpha; or a look at the mask or the track."),
    ] },
    Group { name: c"modelGroup", label: c"Model", open: false, controls: &[
        control!(MODEL, c"Quality", Kind::Choice(&[c"Lite (Built In)", c"Model Folder Below"]),
            c"Which networks paint the mouth."),
        control!(MODEL_FOLDER, c"Model Folder", Kind::Text(Text::Folder),
            c"A model bundle: a folder with a manifest.json."),
        control!(DEVICE, c"Device", Kind::Choice(&[c"Automatic", c"Processor", c"WebGPU", c"CUDA", c"CoreML", c"DirectML"]),
            c"What the networks run on. The status line tells which one is in use."),
    ] },
    Group { name: c"personGroup", label: c"Person", open: false, controls: &[
        control!(PERSON, c"Person File", Kind::Text(Text::ExistingFile),
            c"What 'Adapt To This Face' made: the networks, adapted to this person."),
        control!(ADAPT_FROM, c"Adapt From Frame", Kind::Int { default: 0, range: [-FRAMES, FRAMES], slider: [0, 1000] },
            c"First frame to learn from, the person speaking the clip's own sound. Both 0: all frames."),
        control!(ADAPT_TO, c"Adapt To Frame", Kind::Int { default: 0, range: [-FRAMES, FRAMES], slider: [0, 1000] },
            c"Last frame to learn from."),
        control!(ADAPT_STEPS, c"Adapt Steps", Kind::Int { default: 300, range: [1, 1_000_000], slider: [100, 3000] },
            c"How long to learn: 300 steps take some minutes on a processor."),
        control!(ADAPT_OUT, c"New Person File", Kind::Text(Text::NewFile),
            c"Where to write the person file; its name ends in .safetensors."),
        control!(ADAPT_CONSENT, c"Consent", Kind::Text(Text::Line),
            c"Kept in the person file: who agreed to this, and how."),
        control!(ADAPT, c"Adapt To This Face", Kind::Button,
            c"Learns this person from the frames above. The Audio File must be what they say in them: the clip's own sound."),
    ] },
];

/// What is put out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    Result,
    Matte,
    MaskOverlay,
    TrackOverlay,
}

/// Which face, in the host's terms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speaker {
    Largest,
    /// In canonical coordinates.
    Point([f64; 2]),
    FromLeft(u32),
}

/// All controls at one time.
#[derive(Clone, Debug)]
pub struct Settings {
    pub audio: Option<PathBuf>,
    pub audio_offset: f64,
    pub audio_start: i32,
    /// `None`: the host's.
    pub frame_rate: Option<f64>,
    pub speaker: Speaker,
    /// `None`: the automatic one.
    pub reference: Option<i32>,
    pub strength: f32,
    pub mask_grow: f32,
    pub mask_feather: f32,
    pub colour_match: f32,
    pub input_colour: i32,
    pub output: Output,
    /// A folder, empty where none was chosen; `None`: the one built in.
    pub bundle: Option<PathBuf>,
    pub provider: Provider,
    pub person: Option<PathBuf>,
}

impl Settings {
    /// # Errors
    /// When the host refuses one.
    pub fn read(host: &Host, instance: &Instance, time: f64) -> Result<Self> {
        let int = |name| host.int(instance.parameter(name)?);
        let double = |name| host.double(instance.parameter(name)?, time);
        let path = |name| -> Result<Option<PathBuf>> {
            let text = host.text(instance.parameter(name)?)?;
            Ok((!text.trim().is_empty()).then(|| PathBuf::from(text.trim())))
        };
        // A host may hand out anything, a saved project too: out of range becomes the nearest.
        let within = |value: f64, low: f64, high: f64, none: f64| {
            if value.is_finite() {
                value.clamp(low, high)
            } else {
                none
            }
        };
        let frame_rate = within(double(FRAME_RATE)?, 0.0, 1000.0, 0.0);
        Ok(Self {
            audio: path(AUDIO)?,
            audio_offset: within(double(AUDIO_OFFSET)?, -3.6e6, 3.6e6, 0.0),
            audio_start: int(AUDIO_START)?.clamp(-FRAMES, FRAMES),
            frame_rate: (frame_rate >= 1.0).then_some(frame_rate),
            speaker: match int(FACE)? {
                1 => Speaker::Point(host.point(instance.parameter(FACE_POINT)?)?),
                2 => Speaker::FromLeft(int(FACE_NUMBER)?.clamp(1, 100) as u32 - 1),
                _ => Speaker::Largest,
            },
            reference: match int(REFERENCE)? {
                1 => Some(int(REFERENCE_FRAME)?.clamp(-FRAMES, FRAMES)),
                _ => None,
            },
            strength: within(double(STRENGTH)?, 0.0, 1.0, 1.0) as f32,
            mask_grow: within(double(MASK_GROW)?, -20.0, 20.0, 0.0) as f32,
            mask_feather: within(double(MASK_FEATHER)?, 0.0, 4.0, 1.0) as f32,
            colour_match: within(double(COLOUR_MATCH)?, 0.0, 1.0, 1.0) as f32,
            input_colour: int(INPUT_COLOUR)?,
            output: match int(OUTPUT)? {
                1 => Output::Matte,
                2 => Output::MaskOverlay,
                3 => Output::TrackOverlay,
                _ => Output::Result,
            },
            bundle: match int(MODEL)? {
                1 => Some(path(MODEL_FOLDER)?.unwrap_or_default()),
                _ => None,
            },
            provider: match int(DEVICE)? {
                1 => Provider::Cpu,
                2 => Provider::WebGpu,
                3 => Provider::Cuda,
                4 => Provider::CoreMl,
                5 => Provider::DirectMl,
                _ => Provider::Auto,
            },
            person: path(PERSON)?,
        })
    }

    /// Whether nothing would be changed whatever the picture shows.
    pub fn does_nothing(&self) -> bool {
        self.output == Output::Result && (self.audio.is_none() || self.strength <= 0.0)
    }
}
