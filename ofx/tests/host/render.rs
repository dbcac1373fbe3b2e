//! Rendering, and the checks of the output.

use std::ops::Range;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use openfx::sys::generic::core::*;
use openfx::sys::image_effect_v1::image_effect::*;

use super::action::{Args, Status, call};
use super::buffer::{Buffer, Format};
use super::descriptor::{Extra, put_extra};
use super::handles::lock;
use super::image::{Components, Depth, Rect};
use super::instance::Instance;
use super::node::Node;
use super::options::Lifecycle;
use super::property::PropertySet;
use super::query::{ask, clip_preferences, frames_needed};
use super::scope::Scope;

/// A field of an interlaced frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The even rows, counted from the bottom.
    Lower,
    Upper,
}

impl Field {
    pub fn has(self, row: i32) -> bool {
        (row.rem_euclid(2) == 0) == (self == Field::Lower)
    }
}

#[derive(Clone, Debug)]
pub struct RenderOptions {
    /// In pixels at the render scale; all of the output if None.
    pub window: Option<Rect>,
    /// The output's bounds in pixels at the render scale; those of Source if None.
    pub bounds: Option<Rect>,
    pub scale: [f64; 2],
    /// Bytes after each row of the output.
    pub padding: usize,
    pub negative_rows: bool,
    /// Against what the clip preferences settled: a plugin has to refuse that, not crash.
    pub depth: Option<Depth>,
    pub components: Option<Components>,
    /// The field to render; the rows of the other one must not be written.
    pub field: Option<Field>,
    /// Whether the sequence is a preview; an export is not.
    pub interactive: bool,
    /// Whether the render is in response to the user, who moves a control.
    pub responding: bool,
    pub draft: bool,
    pub thumbnail: bool,
    /// Further arguments of the render action.
    pub extra: Extra,
}

impl Default for RenderOptions {
    fn default() -> Self {
        RenderOptions {
            window: None,
            bounds: None,
            scale: [1.0, 1.0],
            padding: 0,
            negative_rows: false,
            depth: None,
            components: None,
            field: None,
            interactive: true,
            responding: false,
            draft: false,
            thumbnail: false,
            extra: Extra::new(),
        }
    }
}

/// Where the plugin renders to, for as long as the action runs.
pub(super) struct Output {
    pub buffer: Arc<Buffer>,
}

/// The render window after the render, whatever the status.
#[derive(Clone, Debug)]
pub struct Rendered {
    pub status: Status,
    pub aborted: bool,
    pub window: Rect,
    pub depth: Depth,
    pub components: Components,
    /// The rows from the top down, without padding.
    pub bytes: Vec<u8>,
    /// Of the render action alone.
    pub elapsed: Duration,
}

impl Rendered {
    pub fn rows(&self) -> impl Iterator<Item = &[u8]> {
        let pixel = self.depth.bytes() * self.components.channels().len();
        self.bytes.chunks((self.window.width() * pixel).max(1))
    }

    /// The pixels from the top left on; components the image lacks are 0, but alpha is 1.
    pub fn rgba(&self) -> Vec<[f32; 4]> {
        let (size, channels) = (self.depth.bytes(), self.components.channels());
        let pixel = |bytes: &[u8]| {
            let mut rgba = [0.0, 0.0, 0.0, 1.0];
            for (&channel, bytes) in channels.iter().zip(bytes.chunks(size)) {
                rgba[channel] = self.depth.decode(bytes);
            }
            rgba
        };
        self.bytes
            .chunks(size * channels.len())
            .map(pixel)
            .collect()
    }
}

/// Held while a plugin renders that declares itself unsafe (one render at a time in the process).
static UNSAFE_RENDER: Mutex<()> = Mutex::new(());

impl Instance {
    /// Renders one frame as hosts do: clip preferences if they are stale, frames needed if the
    /// plugin looks at other times, a sequence around it if none is open. Renders on several threads
    /// at once are only held apart where the plugin's declared thread safety asks for it.
    #[track_caller]
    pub fn render(&self, time: f64, options: &RenderOptions) -> Rendered {
        self.live();
        if self.effect.options().lifecycle != Lifecycle::PerFrame {
            return self.render_here(time, options);
        }
        let twin = self.twin(self.effect.describe_again(self.context));
        match twin.create() {
            status if status.is_ok() => twin.render_here(time, options),
            status => panic!("a second CreateInstance of the same: {status:?}"),
        }
    }

    /// BeginSequenceRender. Renders until `end_sequence` belong to it.
    #[track_caller]
    pub fn begin_sequence(&self, frames: Range<i32>, options: &RenderOptions) -> Status {
        self.sequences.fetch_add(1, Ordering::AcqRel);
        sequence(
            self.live(),
            kOfxImageEffectActionBeginSequenceRender,
            frames,
            options,
        )
    }

    #[track_caller]
    pub fn end_sequence(&self, frames: Range<i32>, options: &RenderOptions) -> Status {
        self.sequences.fetch_sub(1, Ordering::AcqRel);
        sequence(
            self.live(),
            kOfxImageEffectActionEndSequenceRender,
            frames,
            options,
        )
    }

    fn render_here(&self, time: f64, options: &RenderOptions) -> Rendered {
        let node = self.live();
        if node.control.preferences_stale.swap(false, Ordering::AcqRel) {
            clip_preferences(node);
        }
        let safety = self
            .descriptor
            .props
            .string(kOfxImageEffectPluginRenderThreadSafety)
            .unwrap_or_default();
        let is = |name: &std::ffi::CStr| name.to_str() == Ok(safety.as_str());
        let _whole = is(kOfxImageEffectRenderUnsafe).then(|| lock(&UNSAFE_RENDER));
        let _own = (!is(kOfxImageEffectRenderFullySafe)).then(|| lock(&self.rendering));

        let buffer = Arc::new(Buffer::new(output_format(node, options)));
        let bounds = buffer.format.bounds;
        let window = options.window.unwrap_or(bounds);
        let inside = window.x1 >= bounds.x1 && window.y1 >= bounds.y1;
        let inside = inside && window.x2 <= bounds.x2 && window.y2 <= bounds.y2;
        assert!(
            inside,
            "the test's window {window:?} is not within {bounds:?}"
        );

        let own_sequence = self.sequences.load(Ordering::Acquire) == 0;
        let frames = time as i32..time as i32 + 1;
        if own_sequence {
            let action = kOfxImageEffectActionBeginSequenceRender;
            let status = sequence(node, action, frames.clone(), options);
            if !status.is_ok() && status != kOfxStatReplyDefault {
                return rendered(status, false, window, &buffer, Duration::ZERO);
            }
        }
        let mut scope = Scope::new(kOfxImageEffectActionRender, &node.journal, Some(node));
        scope.time = time;
        scope.scale = options.scale;
        scope.frames = self.declared_frames(time);
        scope.output = Some(Output {
            buffer: buffer.clone(),
        });
        let input = render_arguments(time, window, options).share();
        let args = Args {
            handle: node.handle,
            input: Some(&input),
            output: None,
        };
        let begun = Instant::now();
        let (status, scope) = call(node.entry, scope, args);
        let elapsed = begun.elapsed();
        let aborted = scope.aborted.load(Ordering::Relaxed);
        let result = rendered(status, aborted, window, &buffer, elapsed);
        let written = |y: &i32| options.field.is_none_or(|field| field.has(*y));
        let written: Vec<i32> = (window.y1..window.y2).filter(written).collect();
        examine(&scope, &buffer, &result, &written, time);
        if own_sequence {
            sequence(
                node,
                kOfxImageEffectActionEndSequenceRender,
                frames,
                options,
            );
        }
        result
    }

    /// The frames the plugin may fetch; None means the current one only.
    fn declared_frames(
        &self,
        time: f64,
    ) -> Option<std::collections::BTreeMap<String, Vec<(f64, f64)>>> {
        let temporal = kOfxImageEffectPropTemporalClipAccess;
        let plugin = self.descriptor.props.int(temporal) == Some(1);
        if !plugin || !self.effect.options().temporal_access {
            return None;
        }
        let mut ranges = frames_needed(&self.node, time).ranges;
        for clip in lock(&self.node.clips).iter() {
            // A clip without temporal access of its own has no frame but the current one.
            if clip.props.int(temporal) != Some(1) {
                ranges.insert(clip.label(), vec![(time, time)]);
            }
        }
        Some(ranges)
    }
}

fn output_format(node: &Arc<Node>, options: &RenderOptions) -> Format {
    let clip = node
        .clip(kOfxImageEffectOutputClipName)
        .expect("every effect has an Output");
    let mapping = *lock(&clip.mapping);
    let full = lock(&clip.connection)
        .as_ref()
        .map(|connection| connection.bounds);
    let bounds = options
        .bounds
        .or(full.map(|bounds| bounds.scaled(options.scale)));
    Format {
        bounds: bounds.expect("connect Source, or give the bounds of the output"),
        depth: options.depth.unwrap_or(mapping.depth),
        components: options.components.unwrap_or(mapping.components),
        padding: options.padding,
        negative_rows: options.negative_rows,
    }
}

fn render_arguments(time: f64, window: Rect, options: &RenderOptions) -> PropertySet {
    let field = match options.field {
        None => kOfxImageFieldNone,
        Some(Field::Lower) => kOfxImageFieldLower,
        Some(Field::Upper) => kOfxImageFieldUpper,
    };
    let set = PropertySet::new("the arguments of render")
        .fixed(kOfxPropTime, time)
        .fixed(kOfxImageEffectPropFieldToRender, field)
        .fixed(kOfxImageEffectPropRenderWindow, window.array())
        .fixed(kOfxImageEffectPropRenderScale, options.scale)
        .fixed(kOfxImageEffectPropSequentialRenderStatus, 0)
        .fixed(
            kOfxImageEffectPropInteractiveRenderStatus,
            options.responding,
        )
        .fixed(kOfxImageEffectPropRenderQualityDraft, options.draft)
        .fixed(kOfxImageEffectPropThumbnailRender, options.thumbnail);
    put_extra(&set, &options.extra);
    set
}

fn sequence(
    node: &Arc<Node>,
    action: &'static std::ffi::CStr,
    frames: Range<i32>,
    options: &RenderOptions,
) -> Status {
    let first = f64::from(frames.start);
    let input = PropertySet::new("the arguments of a sequence")
        .fixed(
            kOfxImageEffectPropFrameRange,
            [first, f64::from(frames.end) - 1.0],
        )
        .fixed(kOfxImageEffectPropFrameStep, 1.0)
        .fixed(kOfxPropIsInteractive, options.interactive)
        .fixed(kOfxImageEffectPropRenderScale, options.scale)
        .fixed(kOfxImageEffectPropSequentialRenderStatus, 0)
        .fixed(
            kOfxImageEffectPropInteractiveRenderStatus,
            options.responding,
        );
    put_extra(&input, &options.extra);
    ask(node, action, first, Some(input), None).0
}

fn rendered(
    status: Status,
    aborted: bool,
    window: Rect,
    buffer: &Buffer,
    elapsed: Duration,
) -> Rendered {
    let Format {
        depth, components, ..
    } = buffer.format;
    let bytes = buffer.rows(window);
    Rendered {
        status,
        aborted,
        window,
        depth,
        components,
        bytes,
        elapsed,
    }
}

/// The output against the rules: all of the window's rows `written` written and finite, nothing else touched.
fn examine(scope: &Scope, buffer: &Buffer, result: &Rendered, written: &[i32], time: f64) {
    let report = |text: String| scope.journal.violation(format!("render at {time}: {text}"));
    if let Some(place) = buffer.stray_write(result.window, written) {
        report(format!("wrote outside of the window: {place}"));
    }
    if !result.status.is_ok() || result.aborted {
        return;
    }
    if let Some(place) = buffer.unwritten(result.window, written) {
        report(format!("left unwritten: {place}"));
    } else if written.len() == result.window.height()
        && scope.inputs_finite.load(Ordering::Relaxed)
        && matches!(result.depth, Depth::Half | Depth::Float)
        && let Some(at) = result
            .rgba()
            .iter()
            .position(|p| !p.iter().all(|v| v.is_finite()))
    {
        let width = result.window.width();
        let (x, y) = (at % width, at / width);
        report(format!(
            "not finite {x} pixels from the left and {y} from the top of the window"
        ));
    }
}
