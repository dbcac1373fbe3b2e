//! Rendering a frame, and what hosts ask before they do.

use stylelipsync::frame::{FrameMut, FrameRef};
use stylelipsync::{Around, FrameOptions, Matte, Sight};

use crate::abi::names::*;
use crate::abi::{OfxStatus, RectI, status};
use crate::controls::{Output, Settings};
use crate::fault::{Fault, Result};
use crate::host::{Host, Properties};
use crate::image::Image;
use crate::instance::{Instance, Seen};
use crate::overlay::{self, Finish};
use crate::pixels::{self, Channels, Picture};
use crate::reference::{self, Chosen, Moment};
use crate::shared;

/// Which frame an action is about. The host's time alone says it: in Resolve's Edit and Color pages
/// that is the source's frame, in Fusion the composition's. Resolve also tells renders the source's
/// frame, but not buttons: by it, words would begin elsewhere than where the user set them to.
pub fn moment(arguments: &Properties<'_>) -> Option<Moment> {
    let time = arguments.double(PROP_TIME, 0)?;
    Some(Moment {
        frame: time.round() as i64,
        time,
    })
}

/// Renders a frame.
///
/// # Errors
/// When the host's images cannot be worked on. What the editor can mend (no such file, no face in
/// the reference) is told, and the source passes through.
pub fn render(host: &Host, instance: &Instance, arguments: &Properties<'_>) -> Result<()> {
    let moment = moment(arguments).ok_or(Fault::Image("a render without a time".into()))?;
    let settings = Settings::read(host, instance, moment.time)?;
    let none = || Fault::Image("the host has no output image".into());
    let mut output = Image::fetch(host, instance.output, moment.time)?.ok_or_else(none)?;
    let window = within(arguments.rect(EFFECT_PROP_RENDER_WINDOW), output.bounds);
    let source = Image::fetch(host, instance.source, moment.time)?;
    let Some(source) = source else {
        pixels::copy(None, &mut output, window);
        return Ok(());
    };
    if source.depth != output.depth {
        return Err(Fault::Image(
            "input and output have different depths".into(),
        ));
    }
    let thumbnail =
        source.thumbnail || arguments.int(EFFECT_PROP_THUMBNAIL_RENDER, 0).unwrap_or(0) != 0;
    if thumbnail || settings.does_nothing() || source.channels == Channels::Alpha {
        return pass(&source, &mut output, window);
    }
    let scale = [0, 1].map(|k| arguments.double(EFFECT_PROP_RENDER_SCALE, k).unwrap_or(1.0));
    let work = Work {
        host,
        instance,
        settings,
        moment,
        scale,
        source: &source,
    };
    match work.run(&mut output, window) {
        Ok(seen) => {
            *instance.seen.lock() = Some(seen);
            instance.quiet(host);
            Ok(())
        }
        Err(Fault::Told(reason)) => {
            instance.tell(host, &reason);
            pass(&source, &mut output, window)
        }
        Err(fault) => Err(fault),
    }
}

fn within(window: Option<RectI>, bounds: RectI) -> RectI {
    let window = window.unwrap_or(bounds);
    RectI {
        x1: window.x1.max(bounds.x1),
        y1: window.y1.max(bounds.y1),
        x2: window.x2.min(bounds.x2),
        y2: window.y2.min(bounds.y2),
    }
}

/// The source as it is.
fn pass(source: &Image<'_>, output: &mut Image<'_>, window: RectI) -> Result<()> {
    if source.channels == output.channels {
        pixels::copy(Some(source), output, window);
    } else {
        pixels::unpack(&pixels::packed(source), source.bounds, output, window);
    }
    Ok(())
}

/// The rendering of one frame.
struct Work<'a> {
    host: &'a Host,
    instance: &'a Instance,
    settings: Settings,
    moment: Moment,
    scale: [f64; 2],
    source: &'a Image<'a>,
}

impl Work<'_> {
    fn run(&self, output: &mut Image<'_>, window: RectI) -> Result<Seen> {
        let Self {
            host,
            instance,
            settings,
            moment,
            scale,
            source,
        } = self;
        let chosen = reference::choose(host, instance, settings, *moment, *scale, source)?;
        let picture = Picture::of(source);
        let frame = picture.view()?;
        let around = self.around(&chosen, &frame)?;
        self.check()?;
        let direct = source.channels == output.channels
            && source.bounds == output.bounds
            && window == output.bounds;
        let target = if direct { output.view_mut() } else { None };
        if let Some(target) = target {
            return self.paint(&chosen, &around, &frame, &mut target?);
        }
        // Another window, or pixels that the engine has no format for: by way of a packed copy.
        let (width, height) = source.size();
        let mut packed = vec![0; width * height * frame.format().bytes()];
        let format = frame.format();
        let mut target = FrameMut::packed(&mut packed, width as u32, height as u32, format)?;
        let seen = self.paint(&chosen, &around, &frame, &mut target)?;
        let packed = pixels::widened(packed, format);
        pixels::unpack(&packed, source.bounds, output, window);
        Ok(seen)
    }

    fn check(&self) -> Result<()> {
        match self.host.aborts(self.instance.effect) {
            true => Err(Fault::Aborted),
            false => Ok(()),
        }
    }

    /// What is seen in this frame and in those round it, as far as the host has them.
    fn around(&self, chosen: &Chosen, frame: &FrameRef<'_>) -> Result<Around> {
        let see = |frame: &FrameRef<'_>| {
            self.check()?;
            shared::sight(&chosen.engine, &chosen.clip, frame)
        };
        let range = self.instance.range(self.host);
        let at = |away: i64| -> Result<Option<Sight>> {
            let index = self.moment.frame + away;
            let known = range.is_some_and(|[first, last]| (first..=last).contains(&index));
            if !self.host.temporal || !known {
                return Ok(None);
            }
            let time = self.moment.time_of(index);
            match Image::fetch(self.host, self.instance.source, time)? {
                Some(image) => see(&Picture::of(&image).view()?).map(Some),
                None => Ok(None),
            }
        };
        Ok(Around {
            middle: see(frame)?,
            before: [at(-2)?, at(-1)?],
            after: [at(1)?, at(2)?],
        })
    }

    fn paint(
        &self,
        chosen: &Chosen,
        around: &Around,
        frame: &FrameRef<'_>,
        target: &mut FrameMut<'_>,
    ) -> Result<Seen> {
        let occlusion = self.occlusion()?;
        let output = self.settings.output;
        let mut matte = Matte::default();
        let finishes = output != Output::Result || occlusion.is_some() || self.source.premultiplied;
        let mut options = FrameOptions {
            strength: self.settings.strength,
            matte: finishes.then_some(&mut matte),
        };
        let clip = &chosen.clip;
        let rendered = clip.render_seen(self.moment.frame, around, frame, target, &mut options)?;
        if finishes {
            overlay::finish(
                target,
                frame,
                &mut matte,
                &Finish {
                    output,
                    premultiplied: self.source.premultiplied,
                    occlusion: occlusion.as_ref(),
                    bounds: self.source.bounds,
                    face: around.middle.chosen(clip.options().selection),
                    engine: clip.engine(),
                    depth: self.source.depth,
                },
            );
        }
        let info = clip.engine().info();
        Ok(Seen {
            engine: format!("{} on {}", info.bundle, info.provider.used),
            confidence: rendered.face.map(|_| rendered.confidence),
        })
    }

    /// The occlusion matte, where one is connected.
    fn occlusion(&self) -> Result<Option<Image<'_>>> {
        let Some(clip) = self.instance.occlusion else {
            return Ok(None);
        };
        let about = self.host.clip_properties(clip)?;
        match about.int(IMAGE_CLIP_PROP_CONNECTED, 0).unwrap_or(0) {
            0 => Ok(None),
            _ => Image::fetch(self.host, clip, self.moment.time),
        }
    }
}

/// Whether a frame is its source.
///
/// # Errors
/// When the host refuses a parameter.
pub fn is_identity(
    host: &Host,
    instance: &Instance,
    arguments: &Properties<'_>,
    results: &Properties<'_>,
) -> Result<OfxStatus> {
    let Some(moment) = moment(arguments) else {
        return Ok(status::REPLY_DEFAULT);
    };
    let settings = Settings::read(host, instance, moment.time)?;
    let outside = instance
        .range(host)
        .is_some_and(|[first, last]| !(first..=last).contains(&moment.frame));
    if !settings.does_nothing() && !outside {
        return Ok(status::REPLY_DEFAULT);
    }
    results.set_text(PROP_NAME, 0, EFFECT_SIMPLE_SOURCE_CLIP_NAME);
    results.set_double(PROP_TIME, 0, moment.time);
    Ok(status::OK)
}

/// Which frames of the source a frame needs.
///
/// # Errors
/// When the host refuses a parameter.
pub fn frames_needed(
    host: &Host,
    instance: &Instance,
    arguments: &Properties<'_>,
    results: &Properties<'_>,
) -> Result<OfxStatus> {
    let Some(moment) = moment(arguments).filter(|_| host.temporal) else {
        return Ok(status::REPLY_DEFAULT);
    };
    let settings = Settings::read(host, instance, moment.time)?;
    if settings.does_nothing() {
        return Ok(status::REPLY_DEFAULT);
    }
    let reach = Around::REACH as i64;
    let mut ranges = vec![[moment.frame - reach, moment.frame + reach]];
    ranges.extend(reference::searched(
        instance,
        &settings,
        instance.range(host),
    ));
    for (at, range) in ranges.iter().enumerate() {
        for (end, frame) in range.iter().enumerate() {
            let time = moment.time_of(*frame);
            results.set_double(CLIP_PROP_FRAME_RANGE_OF_SOURCE, 2 * at + end, time);
        }
    }
    Ok(status::OK)
}
