//! The render action, and the actions by which a host asks about a render beforehand.

use stylelipsync::audio::RATE;
use stylelipsync::frame::{FrameMut, FrameRef};
use stylelipsync::{FrameFaces, FrameInputs, FrameOptions, Layers, Matte, Neighbours};

use crate::abi::names::*;
use crate::abi::{OfxStatus, status};
use crate::aces;
use crate::clip_parts::ClipParts;
use crate::controls::{InputColour, Layer, Output};
use crate::error::{ActionError, Result};
use crate::frame_time::{FrameTime, time_of};
use crate::host::{Host, Properties};
use crate::image::Image;
use crate::input_frame::InputFrame;
use crate::instance::{AudioCover, Instance, RenderReport};
use crate::layer_output;
use crate::overlay;
use crate::pixel_format::{BitDepth, Components};
use crate::pixels;
use crate::post_process::{self, PostProcess};
use crate::reference;
use crate::render_clip::RenderClip;
use crate::settings::Settings;
use crate::shared;
use crate::window::Window;

/// Renders a frame. A problem that the user can fix (a missing file, no face in the reference frame)
/// is shown as a message, and the source passes through, or the render fails: see
/// [`OnProblem`](crate::controls::OnProblem).
///
/// # Errors
/// [`ActionError::User`] for such a problem, where the render fails;
/// [`ActionError::Image`] for images that the effect cannot process; [`ActionError::Aborted`].
pub fn render(host: &Host, instance: &Instance, arguments: &Properties<'_>) -> Result<()> {
    let no_time = || ActionError::Image("the render action has no time".into());
    let current = FrameTime::of(arguments).ok_or_else(no_time)?;
    let settings = Settings::read(host, &instance.parameters, current.time)?;
    let no_output = || ActionError::Image("the host has no output image".into());
    let mut output = Image::fetch(host, instance.output, current.time)?.ok_or_else(no_output)?;
    let window = Window::of(arguments, output.bounds);
    let source = source_image(host, instance, current)?;
    let layer = match settings.output {
        Output::Layer(layer) => Some(layer),
        _ => None,
    };
    let Some(source) = source else {
        pixels::copy(None, &mut output, window);
        return Ok(());
    };
    if source.depth != output.depth {
        return Err(ActionError::Image(
            "source and output have different bit depths".into(),
        ));
    }
    let thumbnail =
        source.thumbnail || arguments.int(EFFECT_PROP_THUMBNAIL_RENDER, 0).unwrap_or(0) != 0;
    // What is output where nothing is changed.
    let pass_through = |output: &mut Image<'_>| match layer {
        Some(layer) => {
            layer_output::write_empty(layer, output, window);
            Ok(())
        }
        None => copy_source(&source, output, window),
    };
    if thumbnail || settings.is_pass_through() || source.components == Components::Alpha {
        return pass_through(&mut output);
    }
    let scale = [0, 1].map(|k| arguments.double(EFFECT_PROP_RENDER_SCALE, k).unwrap_or(1.0));
    let responding = arguments.int(EFFECT_PROP_INTERACTIVE_RENDER, 0) == Some(1);
    let fails = instance.fails(host, settings.on_problem, responding);
    let render = FrameRender {
        host,
        instance,
        settings,
        current,
        scale,
        source: &source,
    };
    match render.run(&mut output, window) {
        Ok(report) => {
            *instance.last_render.lock() = Some(report);
            instance.clear_error(host);
            Ok(())
        }
        Err(ActionError::User(reason)) => {
            instance.show_error(host, &reason);
            if fails {
                return Err(ActionError::User(reason));
            }
            pass_through(&mut output)
        }
        Err(error) => Err(error),
    }
}

/// The source's image. Where the host has none outside the source's range, the first or the last
/// frame is held.
fn source_image<'h>(
    host: &'h Host,
    instance: &Instance,
    current: FrameTime,
) -> Result<Option<Image<'h>>> {
    let image = Image::fetch(host, instance.source, current.time)?;
    match instance.frame_range(host) {
        Some([first, last]) if image.is_none() && !(first..=last).contains(&current.frame) => {
            let held = current.frame.clamp(first, last);
            Image::fetch(host, instance.source, time_of(held))
        }
        _ => Ok(image),
    }
}

/// Copies the source to the output unchanged.
fn copy_source(source: &Image<'_>, output: &mut Image<'_>, window: Window) -> Result<()> {
    if source.components == output.components {
        pixels::copy(Some(source), output, window);
    } else {
        let packed = pixels::to_packed_rgba(source);
        pixels::write_packed_rgba(&packed, source.bounds, output, window);
    }
    Ok(())
}

/// The rendering of one frame.
struct FrameRender<'a> {
    host: &'a Host,
    instance: &'a Instance,
    settings: Settings,
    current: FrameTime,
    /// The render scale.
    scale: [f64; 2],
    source: &'a Image<'a>,
}

impl FrameRender<'_> {
    fn run(&self, output: &mut Image<'_>, window: Window) -> Result<RenderReport> {
        let Self {
            host,
            instance,
            settings,
            current,
            scale,
            source,
        } = self;
        let clip = RenderClip::of(host, instance, settings, *current, *scale, source)?;
        let input = InputFrame::of(source, settings.input_colour)?;
        let frame = input.view()?;
        let faces = self.neighbours(&clip, &frame)?;
        self.check_abort()?;
        let in_place = input.copy().is_none()
            && source.components == output.components
            && source.bounds == output.bounds
            && window == Window::whole(output.bounds);
        let target = if in_place { output.view_mut() } else { None };
        if let Some(target) = target {
            return self.render_to(&mut target?, &clip, &faces, &frame, source.depth);
        }
        // Other bounds, a smaller window, or a format that the engine does not have: render to a packed
        // picture, and copy the window from there.
        let (width, height) = source.size();
        let mut packed = vec![0; width * height * frame.format().bytes()];
        let format = frame.format();
        let mut target = FrameMut::packed(&mut packed, width as u32, height as u32, format)?;
        let report = self.render_to(&mut target, &clip, &faces, &frame, input.depth())?;
        let packed = match input.copy() {
            Some(_) if self.is_aces() && settings.output == Output::Layer(Layer::StMap) => {
                aces::data(source.depth, &packed)
            }
            Some(converted) if self.is_aces() => aces::from_rec709(source, converted, &packed),
            _ => pixels::add_alpha(packed, format),
        };
        pixels::write_packed_rgba(&packed, source.bounds, output, window);
        Ok(report)
    }

    fn is_aces(&self) -> bool {
        self.settings.input_colour == InputColour::AcesCg
    }

    fn check_abort(&self) -> Result<()> {
        match self.host.is_aborted(self.instance.effect) {
            true => Err(ActionError::Aborted),
            false => Ok(()),
        }
    }

    /// The faces in this frame and in the frames next to it, as far as the host has them.
    fn neighbours(&self, clip: &RenderClip, frame: &FrameRef<'_>) -> Result<Neighbours> {
        let faces = |frame: &FrameRef<'_>| {
            self.check_abort()?;
            shared::faces(&clip.engine, &clip.parts.renderer, frame)
        };
        let range = self.instance.frame_range(self.host);
        let at = |offset: i64| -> Result<Option<FrameFaces>> {
            let index = self.current.frame + offset;
            let known = range.is_some_and(|[first, last]| (first..=last).contains(&index));
            if !self.host.temporal || !known {
                return Ok(None);
            }
            match Image::fetch(self.host, self.instance.source, time_of(index))? {
                Some(image) => {
                    faces(&InputFrame::of(&image, self.settings.input_colour)?.view()?).map(Some)
                }
                None => Ok(None),
            }
        };
        Ok(Neighbours {
            middle: faces(frame)?,
            before: [at(-2)?, at(-1)?],
            after: [at(1)?, at(2)?],
        })
    }

    fn render_to(
        &self,
        target: &mut FrameMut<'_>,
        clip: &RenderClip,
        faces: &Neighbours,
        frame: &FrameRef<'_>,
        depth: BitDepth,
    ) -> Result<RenderReport> {
        let occlusion = self.occlusion()?;
        let output = self.settings.output;
        let (mut matte, mut layers) = (Matte::default(), Layers::default());
        let needs_matte =
            output != Output::Result || occlusion.is_some() || self.source.premultiplied;
        let mut options = FrameOptions {
            strength: self.settings.strength,
            articulation: self.settings.articulation,
            detail: self.settings.detail,
            matte: needs_matte.then_some(&mut matte),
            layers: matches!(output, Output::Layer(_)).then_some(&mut layers),
            speakers: None,
        };
        let ClipParts {
            renderer,
            speech,
            profile,
        } = &*clip.parts;
        let timing = &renderer.options().timing;
        let position = self.current.position(|frame| timing.position(frame))?;
        let inputs = FrameInputs {
            index: self.current.frame,
            position,
            speech,
            faces,
        };
        let rendered = renderer.render(&inputs, frame, target, &mut options, || {
            Ok(profile
                .as_ref()
                .and_then(|known| known.at(inputs.index))
                .cloned())
        })?;
        if rendered.changed {
            self.instance.changed.lock().insert(rendered.index);
        }
        if needs_matte {
            let post_process = PostProcess {
                output,
                premultiplied: self.source.premultiplied,
                occlusion: occlusion.as_ref(),
                bounds: self.source.bounds,
                pixel_aspect: frame.pixel_aspect(),
                white: overlay::white(renderer.options().transfer),
                face: faces.middle.chosen(renderer.options().selection),
                audio: match (output, self.settings.audio.as_deref()) {
                    (Output::TrackOverlay, Some(path)) => {
                        let at = position.saturating_sub(clip.audio.start);
                        Some((shared::waveform(path)?, at))
                    }
                    _ => None,
                },
                engine: renderer.engine(),
                depth,
            };
            post_process::apply(&post_process, target, frame, &mut matte);
        }
        if let Output::Layer(layer) = output {
            let format = (depth, self.source.premultiplied);
            layer_output::write(layer, (&layers, &matte), frame, target, format);
        }
        if let (Output::Result | Output::MatteInAlpha, Some(label)) = (output, &self.settings.label)
        {
            label.draw(target, renderer.options().transfer);
        }
        let info = renderer.engine().info();
        let seconds = |samples: i64| samples as f64 / f64::from(RATE);
        Ok(RenderReport {
            frame: self.current.frame,
            engine: format!("{} on {}", info.bundle, info.provider.used),
            confidence: rendered.face.map(|_| rendered.confidence),
            faces: faces.middle.list().len(),
            audio: match position {
                position if position < clip.audio.start => AudioCover::NotBegun,
                position if position >= clip.audio.end => AudioCover::Over,
                _ => AudioCover::Playing,
            },
            audio_time: [
                seconds(position.saturating_sub(clip.audio.start)),
                seconds(clip.audio.end - clip.audio.start),
            ],
            reference: clip.reference,
        })
    }

    /// The occlusion matte; `None` where none is connected.
    fn occlusion(&self) -> Result<Option<Image<'_>>> {
        match self.instance.connected_occlusion(self.host)? {
            Some(clip) => Image::fetch(self.host, clip, self.current.time),
            None => Ok(None),
        }
    }
}

/// The IsIdentity action: whether the output is the unchanged source.
///
/// # Errors
/// [`ActionError::Host`] where the host refuses a parameter.
pub fn is_identity(
    host: &Host,
    instance: &Instance,
    arguments: &Properties<'_>,
    results: &Properties<'_>,
) -> Result<OfxStatus> {
    let Some(current) = FrameTime::of(arguments) else {
        return Ok(status::REPLY_DEFAULT);
    };
    let settings = Settings::read(host, &instance.parameters, current.time)?;
    if !settings.is_pass_through() {
        return Ok(status::REPLY_DEFAULT);
    }
    results.set_text(PROP_NAME, 0, EFFECT_SIMPLE_SOURCE_CLIP_NAME);
    results.set_double(PROP_TIME, 0, current.time);
    Ok(status::OK)
}

/// The GetFramesNeeded action: the frames of the source that a frame needs, 8 at most.
///
/// # Errors
/// [`ActionError::Host`] where the host refuses a parameter.
pub fn frames_needed(
    host: &Host,
    instance: &Instance,
    arguments: &Properties<'_>,
    results: &Properties<'_>,
) -> Result<OfxStatus> {
    let Some(current) = FrameTime::of(arguments).filter(|_| host.temporal) else {
        return Ok(status::REPLY_DEFAULT);
    };
    let settings = Settings::read(host, &instance.parameters, current.time)?;
    if settings.is_pass_through() {
        return Ok(status::REPLY_DEFAULT);
    }
    let reach = Neighbours::REACH as i64;
    let mut ranges = vec![[current.frame - reach, current.frame + reach]];
    let source_range = instance.frame_range(host);
    if let Some([first, last]) = source_range {
        // Outside the range, its first or last frame is held.
        let held = current.frame.clamp(first, last);
        if held != current.frame {
            ranges.push([held, held]);
        }
    }
    let of_references = reference::frames_needed(instance, &settings, current, source_range);
    ranges.extend(of_references.into_iter().map(|frame| [frame, frame]));
    for (index, range) in ranges.iter().enumerate() {
        for (end, frame) in range.iter().enumerate() {
            results.set_double(
                CLIP_PROP_FRAME_RANGE_OF_SOURCE,
                2 * index + end,
                time_of(*frame),
            );
        }
    }
    Ok(status::OK)
}
