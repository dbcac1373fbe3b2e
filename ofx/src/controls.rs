//! The table of controls: the descriptor is written from it, and the parameters of an instance are
//! looked up by it.
//!
//! Names are saved in projects and must not change. Labels and hints may.

use std::ffi::CStr;
use std::path::PathBuf;

/// A group of controls, in the order in which the host shows them.
pub struct Group {
    pub name: &'static CStr,
    pub label: &'static CStr,
    pub open: bool,
    /// Whether *Reset To Defaults* sets its controls.
    pub has_reset: bool,
    pub controls: &'static [Control],
}

/// One control.
pub struct Control {
    pub name: &'static CStr,
    pub label: &'static CStr,
    pub hint: &'static CStr,
    pub kind: ControlKind,
}

/// The type of a control. `range` is the lowest and highest value, `slider` the same of its slider.
pub enum ControlKind {
    Text(TextKind),
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
    /// The options, and the index of the default.
    Choice(&'static [&'static CStr], i32),
    /// A position in the picture, by default its centre.
    Point,
    Button,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TextKind {
    Line,
    /// A line that only the effect writes.
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
    AUDIO_FROM = c"audioFrom";
    AUDIO_START = c"audioStart";
    AUDIO_START_HERE = c"audioStartHere";
    FRAME_RATE = c"frameRate";
    STATUS = c"status";
    ON_PROBLEM = c"onProblem";
    FACE = c"face";
    FACE_POINT = c"facePoint";
    FACE_NUMBER = c"faceNumber";
    FACE_PICTURE = c"facePicture";
    REFERENCE = c"reference";
    REFERENCE_FRAME = c"referenceFrame";
    REFERENCE_HERE = c"referenceHere";
    PRESET = c"preset";
    RESET = c"reset";
    STRENGTH = c"strength";
    ARTICULATION = c"articulation";
    DETAIL = c"detail";
    MASK_GROW = c"maskGrow";
    MASK_FEATHER = c"maskFeather";
    COLOUR_MATCH = c"colourMatch";
    INPUT_COLOUR = c"inputColour";
    LABEL = c"label";
    LABEL_SIZE = c"labelSize";
    LABEL_OPACITY = c"labelOpacity";
    WATERMARK = c"watermark";
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
    CONSENT_FILE = c"consentFile";
    REQUIRE_CONSENT = c"requireConsent";
    ADAPT = c"adapt";
    REPORT = c"report";
    WRITE_REPORT = c"writeReport";
}

/// The largest frame number that a control takes, either sign.
pub const MAX_FRAME: i32 = 10_000_000;

/// All controls.
pub const GROUPS: &[Group] = &[
    Group { name: c"words", label: c"Audio", open: true, has_reset: false, controls: &[
        control!(AUDIO, c"Audio File", ControlKind::Text(TextKind::ExistingFile),
            c"The speech that the mouth follows: WAV, AIFF, CAF, FLAC, MP3, AAC, M4A or MP4, OGG or WebM (Vorbis, Opus). Without a file, the picture passes through unchanged."),
        control!(AUDIO_FROM, c"Audio Begins", ControlKind::Choice(&[c"With The Clip, Or At The Frame If Set", c"At The Frame"], 0),
            c"Where the audio file starts. First choice: at the first frame of the clip, unless Audio Starts At Frame is set (not 0). At The Frame: always at Audio Starts At Frame, also at 0."),
        control!(AUDIO_START, c"Audio Starts At Frame", ControlKind::Int { default: 0, range: [-MAX_FRAME, MAX_FRAME], slider: [0, 1000] },
            c"The frame at which the audio file starts. 0 is the first frame of the clip, unless Audio Begins is At The Frame."),
        control!(AUDIO_START_HERE, c"Set To Current Frame", ControlKind::Button,
            c"Sets Audio Starts At Frame to the frame at the playhead, and Audio Begins to At The Frame."),
        control!(AUDIO_OFFSET, c"Audio Offset (ms)", ControlKind::Double { default: 0.0, range: [-3_600_000.0, 3_600_000.0], slider: [-1000.0, 1000.0], animates: false },
            c"Moves the audio in time, in milliseconds: positive is later, negative is earlier."),
        control!(FRAME_RATE, c"Frame Rate Override", ControlKind::Double { default: 0.0, range: [0.0, 1000.0], slider: [0.0, 60.0], animates: false },
            c"Frames per second of the clip, for hosts that report a wrong frame rate. 0 uses the host's frame rate."),
        control!(STATUS, c"Status", ControlKind::Text(TextKind::Status),
            c"The model and device in use, the confidence of the face detection, and what is missing."),
        control!(ON_PROBLEM, c"If Something Is Missing", ControlKind::Choice(&[c"Automatic", c"Pass Source Through", c"Fail The Render"], 0),
            c"What a render does when the audio, the person file, the model or the device is missing, or when the reference frame does not show the face. Automatic: previews show the source; exports, and hosts without a user interface, fail with a message, so that a render farm notices."),
    ] },
    Group { name: c"speaker", label: c"Face", open: true, has_reset: true, controls: &[
        control!(FACE, c"Face", ControlKind::Choice(&[c"Largest", c"Nearest To Point", c"By Number From The Left", c"Person In A Picture"], 0),
            c"Which face speaks when the picture shows more than one."),
        control!(FACE_POINT, c"Face Point", ControlKind::Point,
            c"For Nearest To Point: place it on the face."),
        control!(FACE_NUMBER, c"Face Number", ControlKind::Int { default: 1, range: [1, 100], slider: [1, 8] },
            c"For By Number From The Left: 1 is the leftmost face in the frame."),
        control!(FACE_PICTURE, c"Face Picture", ControlKind::Text(TextKind::ExistingFile),
            c"For Person In A Picture: a PNG or JPEG picture of the person, whose largest face counts. The person is then found in every shot, wherever the face is."),
        control!(REFERENCE, c"Reference", ControlKind::Choice(&[c"Automatic", c"Reference Frame"], 0),
            c"The frame from which the model takes the look of this person. Automatic: the sharpest frontal face in the first second that shows a face."),
        control!(REFERENCE_FRAME, c"Reference Frame", ControlKind::Int { default: 0, range: [-MAX_FRAME, MAX_FRAME], slider: [0, 1000] },
            c"Choose a frame in which the face is sharp and frontal and the teeth are visible."),
        control!(REFERENCE_HERE, c"Use Current Frame", ControlKind::Button,
            c"Sets Reference Frame to the frame at the playhead, and Reference to Reference Frame."),
    ] },
    Group { name: c"look", label: c"Look", open: true, has_reset: true, controls: &[
        control!(PRESET, c"Preset", ControlKind::Choice(&[c"Natural", c"Calm", c"Strong Articulation", c"Soft Edge", c"Custom"], 0),
            c"Sets Strength, Articulation, Detail, Mask Grow, Mask Feather and Colour Match. Natural: the defaults. Calm: the mouth moves less, for quiet speech. Strong Articulation: it moves more, for loud speech. Soft Edge: a wider edge of the mask, where the edge shows. Custom: the controls are set otherwise."),
        control!(STRENGTH, c"Strength", ControlKind::Double { default: 1.0, range: [0.0, 1.0], slider: [0.0, 1.0], animates: true },
            c"Mix between the source picture (0) and the new mouth (1)."),
        control!(ARTICULATION, c"Articulation", ControlKind::Double { default: 1.0, range: [0.0, 2.0], slider: [0.0, 2.0], animates: true },
            c"How far the mouth moves: 1 as the speech asks for, less for mumbling, 0 at rest."),
        control!(DETAIL, c"Detail", ControlKind::Double { default: 1.0, range: [0.0, 2.0], slider: [0.0, 2.0], animates: true },
            c"How much of the fine detail of the person's own pictures is used: 0 none, 1 as they show it."),
        control!(MASK_GROW, c"Mask Grow", ControlKind::Double { default: 0.0, range: [-20.0, 20.0], slider: [-20.0, 20.0], animates: false },
            c"Moves the edge of the mask outwards (positive) or inwards (negative), in pixels of the 256-pixel face crop."),
        control!(MASK_FEATHER, c"Mask Feather", ControlKind::Double { default: 1.0, range: [0.0, 4.0], slider: [0.0, 2.0], animates: false },
            c"Softness of the mask's edge. 1 is the width used in training, 0 is a hard edge."),
        control!(COLOUR_MATCH, c"Colour Match", ControlKind::Double { default: 1.0, range: [0.0, 1.0], slider: [0.0, 1.0], animates: false },
            c"How far the colour of the new mouth may be matched to the surrounding skin. 0 turns the matching off."),
        control!(INPUT_COLOUR, c"Input Colour", ControlKind::Choice(&[c"Timeline (As Displayed)", c"sRGB", c"Rec.709", c"Linear", c"ACEScg (Linear)", c"Automatic", c"PQ (HDR10)", c"HLG", c"PQ, P3-D65 Primaries", c"PQ, Rec.709 Primaries", c"HLG, Rec.709 Primaries"], 5),
            c"Encoding of the pixel values that the host passes to the effect. PQ and HLG have the primaries of BT.2020 where no others are named. Automatic: linear in Nuke and Natron, as displayed in other hosts; Status shows which."),
        control!(LABEL, c"AI Label", ControlKind::Choice(&[c"None", c"Top Left", c"Top Right", c"Bottom Left", c"Bottom Right"], 0),
            c"Draws the letters AI over every frame of the result, to show viewers that it is synthetic. Nothing else changes pixels outside the mask."),
        control!(LABEL_SIZE, c"Label Size", ControlKind::Double { default: 0.06, range: [0.01, 0.5], slider: [0.02, 0.2], animates: false },
            c"Height of the label as a share of the picture's height."),
        control!(LABEL_OPACITY, c"Label Opacity", ControlKind::Double { default: 0.8, range: [0.0, 1.0], slider: [0.0, 1.0], animates: false },
            c"Opacity of the label."),
        control!(OUTPUT, c"Output", ControlKind::Choice(&[c"Result", c"Matte In Alpha", c"Mask Overlay", c"Track Overlay", c"Mouth", c"Matte", c"ST Map"], 0),
            c"What the effect outputs: the result; the result with its matte in the alpha channel; a view of the mask or of the face track; or a layer for compositing. Mouth: the new mouth, premultiplied, alpha is the matte; merged over the source it is the result. Matte: in all channels. ST Map: where each pixel lies in the upright crop of the face, red to the right, green upwards; needs float images."),
        control!(RESET, c"Reset To Defaults", ControlKind::Button,
            c"Sets all controls of Face, Look and Model to their defaults, as one step that can be undone. Files, Face Point and the place of the audio stay."),
    ] },
    Group { name: c"modelGroup", label: c"Model", open: false, has_reset: true, controls: &[
        control!(MODEL, c"Quality", ControlKind::Choice(&[c"Lite (Built In)", c"Model Folder"], 0),
            c"Which networks generate the mouth."),
        control!(MODEL_FOLDER, c"Model Folder", ControlKind::Text(TextKind::Folder),
            c"A model bundle: a folder that contains manifest.json."),
        control!(DEVICE, c"Device", ControlKind::Choice(&[c"Automatic", c"CPU", c"WebGPU", c"CUDA", c"CoreML", c"DirectML", c"OpenVINO", c"OpenVINO bfloat16",
            c"OpenVINO GPU", c"OpenVINO NPU"], 0),
            c"The device that runs the networks. Status shows the device in use."),
    ] },
    Group { name: c"personGroup", label: c"Person", open: false, has_reset: false, controls: &[
        control!(PERSON, c"Person File", ControlKind::Text(TextKind::ExistingFile),
            c"Networks adapted to this person: a file made with Adapt To This Face."),
        control!(CONSENT_FILE, c"Consent File", ControlKind::Text(TextKind::ExistingFile),
            c"A JSON file that states who agreed, when, for what, until when, and the SHA-256 of the signed document. Adapt To This Face stores it in the person file."),
        control!(REQUIRE_CONSENT, c"Require Consent", ControlKind::Choice(&[c"No", c"Yes"], 0),
            c"Yes: nothing is rendered unless Consent File or the person file has consent, and all that there is holds today. The fields are statements: only the signed document proves them."),
        control!(ADAPT_FROM, c"Adapt From Frame", ControlKind::Int { default: 0, range: [-MAX_FRAME, MAX_FRAME], slider: [0, 1000] },
            c"First training frame. The person must speak the clip's own audio in it. If this and Adapt To Frame are 0, all frames are used."),
        control!(ADAPT_TO, c"Adapt To Frame", ControlKind::Int { default: 0, range: [-MAX_FRAME, MAX_FRAME], slider: [0, 1000] },
            c"Last training frame. See Adapt From Frame."),
        control!(ADAPT_STEPS, c"Adapt Steps", ControlKind::Int { default: 300, range: [1, 1_000_000], slider: [100, 3000] },
            c"Number of training steps. 300 steps take some minutes on a CPU."),
        control!(ADAPT_OUT, c"New Person File", ControlKind::Text(TextKind::NewFile),
            c"Where to save the person file. The name must end in .safetensors."),
        control!(ADAPT_CONSENT, c"Consent", ControlKind::Text(TextKind::Line),
            c"Who agreed to this adaptation, and how. The text is stored in the person file."),
        control!(ADAPT, c"Adapt To This Face", ControlKind::Button,
            c"Adapts the networks to this person, using the frames above. Audio File must be the clip's own audio, as spoken in these frames."),
    ] },
    Group { name: c"provenanceGroup", label: c"Provenance", open: false, has_reset: false, controls: &[
        control!(WATERMARK, c"Watermark", ControlKind::Choice(&[c"None", c"In The New Mouth"], 0),
            c"Puts an invisible watermark into the pixels that are generated, which `stylelipsync detect` finds in the exported film. It changes them by about 1 of 255 levels, and no other pixel."),
        control!(REPORT, c"Report File", ControlKind::Text(TextKind::NewFile),
            c"Where Write Report writes: a JSON file beside the project, for `stylelipsync sign`, which signs what the host exports."),
        control!(WRITE_REPORT, c"Write Report", ControlKind::Button,
            c"Writes what the result was made from, and which frames this effect changed since a control was last edited. Render all frames before."),
    ] },
];

/// What the effect outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    Result,
    /// The result, with the matte in its alpha channel.
    MatteInAlpha,
    MaskOverlay,
    TrackOverlay,
    Layer(Layer),
}

/// A layer of the result, for compositing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// The new mouth, premultiplied; alpha is the matte.
    Mouth,
    /// The matte in all channels.
    Matte,
    /// Where each pixel lies in the upright crop of the face.
    StMap,
}

/// What a render does about a problem that the user can fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnProblem {
    /// Fail in an export and in a host without a user interface, else pass the source through.
    Automatic,
    PassThrough,
    Fail,
}

/// Which face speaks.
#[derive(Clone, Debug, PartialEq)]
pub enum FaceChoice {
    Largest,
    /// The face nearest to a point in canonical coordinates.
    Point([f64; 2]),
    /// 0 is the leftmost face.
    FromLeft(u32),
    /// The person in a picture; `None`: no file is chosen yet.
    Picture(Option<PathBuf>),
}

/// The encoding of the host's pixel values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputColour {
    Display,
    Srgb,
    Rec709,
    Linear,
    AcesCg,
    Pq,
    Hlg,
    PqP3,
    PqRec709,
    HlgRec709,
}

impl InputColour {
    /// For the status line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Display => "as displayed",
            Self::Srgb => "sRGB",
            Self::Rec709 => "Rec.709",
            Self::Linear => "linear",
            Self::AcesCg => "ACEScg",
            Self::Pq => "PQ",
            Self::Hlg => "HLG",
            Self::PqP3 => "PQ with P3-D65 primaries",
            Self::PqRec709 => "PQ with Rec.709 primaries",
            Self::HlgRec709 => "HLG with Rec.709 primaries",
        }
    }
}
