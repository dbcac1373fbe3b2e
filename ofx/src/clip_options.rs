//! From the controls' values to the engine's options.

use stylelipsync::face::MaskTrim;
use stylelipsync::frame::{ColourMatch, Transfer};
use stylelipsync::track::Selection;
use stylelipsync::{ClipOptions, Engine, SpeechContext, Timing};

use crate::controls::{FaceChoice, InputColour};
use crate::error::{ActionError, Result};
use crate::frame_time::exact_rate;
use crate::host::Host;
use crate::image::Image;
use crate::instance::Instance;
use crate::keys::EngineKey;
use crate::settings::Settings;
use crate::shared;

/// Samples per millisecond at the engine's 16 kHz.
const SAMPLES_PER_MS: f64 = 16.0;

/// The engine's options. `scale` is the render scale, `source` the image that is processed.
///
/// # Errors
/// [`ActionError::User`] where the frame rate is unknown, or the picture of the person shows no face.
pub fn clip_options(
    host: &Host,
    instance: &Instance,
    settings: &Settings,
    engine: (&EngineKey, &Engine),
    scale: [f64; 2],
    source: &Image<'_>,
) -> Result<ClipOptions> {
    let unknown =
        || ActionError::User("the host reports no frame rate: set Frame Rate Override".to_owned());
    let fps = settings
        .frame_rate
        .or_else(|| instance.frame_rate(host))
        .ok_or_else(unknown)?;
    let rate = exact_rate(fps)?;
    let first = || instance.frame_range(host).map_or(0, |[first, _]| first);
    let start = rate.position(settings.audio_start.map_or_else(first, i64::from));
    let full = ColourMatch::default();
    // A limit of 1 allows no change of colour.
    let scaled = |limit: f32| 1.0 + (limit - 1.0) * settings.colour_match;
    Ok(ClipOptions {
        timing: Timing::Constant(rate),
        audio_offset: start + (settings.audio_offset * SAMPLES_PER_MS).round() as i64,
        // The effect reads the whole audio file.
        context: SpeechContext::Far,
        selection: selection(&settings.face, engine, scale, source)?,
        transfer: match settings.input_colour {
            InputColour::Display => Transfer::Display,
            InputColour::Srgb => Transfer::Srgb,
            InputColour::Rec709 => Transfer::Rec709,
            InputColour::Pq => Transfer::Pq,
            InputColour::Hlg => Transfer::Hlg,
            InputColour::PqP3 => Transfer::PqP3,
            InputColour::PqRec709 => Transfer::PqRec709,
            InputColour::HlgRec709 => Transfer::HlgRec709,
            // ACEScg frames are converted to linear Rec.709.
            InputColour::Linear | InputColour::AcesCg => Transfer::Linear,
        },
        colour_match: ColourMatch {
            limit: scaled(full.limit),
            local: scaled(full.local),
        },
        mask: MaskTrim {
            grow: settings.mask_grow,
            feather: settings.mask_feather,
        },
        // The strength may be animated, and is given with each frame.
        strength: 1.0,
        memory: None,
        reference_gap: 0,
        // Drawn when the output is made.
        label: None,
        // Checked where the person file is known.
        require_consent: false,
        // The user's own matte replaces what the engine finds.
        ignore_occlusion: instance.connected_occlusion(host)?.is_some(),
    })
}

fn selection(
    face: &FaceChoice,
    engine: (&EngineKey, &Engine),
    scale: [f64; 2],
    source: &Image<'_>,
) -> Result<Selection> {
    Ok(match face {
        FaceChoice::Largest => Selection::Largest,
        FaceChoice::FromLeft(number) => Selection::FromLeft(*number),
        // Canonical coordinates have square pixels, the origin at the bottom left, and the render
        // scale 1. The engine's are in units of a pixel's height.
        FaceChoice::Point([x, y]) => Selection::Point {
            x: x * scale[1] - f64::from(source.bounds.x1) * source.aspect,
            y: f64::from(source.bounds.y2) - y * scale[1],
        },
        FaceChoice::Picture(picture) => {
            Selection::Like(shared::embedding(engine, picture.as_deref())?)
        }
    })
}
