//! Clips, and fetching images from what is connected to them.

use std::ffi::{CStr, CString};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, Weak};

use openfx::sys::generic::core::*;
use openfx::sys::image_effect_v1::image_effect::*;

use super::buffer::{Buffer, Format};
use super::connection::Connection;
use super::descriptor::put_extra;
use super::fetched::FetchedImage;
use super::handles::{CLIPS, lock, new_handle};
use super::image::{Components, Depth};
use super::journal::Fetch;
use super::node::Node;
use super::property::PropertySet;
use super::scope::Scope;

/// How the host and the plugin agreed to exchange a clip's images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mapping {
    pub depth: Depth,
    pub components: Components,
}

pub(super) struct Clip {
    pub handle: usize,
    pub name: CString,
    pub props: Arc<PropertySet>,
    /// Empty for the clips of descriptors.
    pub node: Weak<Node>,
    pub connection: Mutex<Option<Connection>>,
    pub mapping: Mutex<Mapping>,
}

impl Drop for Clip {
    fn drop(&mut self) {
        CLIPS.remove(self.handle);
    }
}

impl Clip {
    pub fn new(name: &CStr, props: PropertySet, node: Weak<Node>) -> Arc<Clip> {
        let mapping = Mapping {
            depth: Depth::Float,
            components: Components::Rgba,
        };
        let clip = Arc::new(Clip {
            handle: new_handle(),
            name: name.into(),
            props: props.share(),
            node,
            connection: Mutex::default(),
            mapping: Mutex::new(mapping),
        });
        CLIPS.add(clip.handle, &clip);
        clip
    }

    /// The clip of an instance, from that of its descriptor.
    pub fn instance_of(descriptor: &Clip, node: Weak<Node>, claim_connected: bool) -> Arc<Clip> {
        let name = descriptor.name.as_c_str();
        let props = descriptor
            .props
            .copy(format!("clip {name:?}"), |_| false)
            .fixed(kOfxImageClipPropConnected, claim_connected)
            .fixed(kOfxImageEffectPropPixelDepth, kOfxBitDepthNone)
            .fixed(kOfxImageEffectPropComponents, kOfxImageComponentNone)
            .fixed(kOfxImageClipPropUnmappedPixelDepth, kOfxBitDepthNone)
            .fixed(kOfxImageClipPropUnmappedComponents, kOfxImageComponentNone)
            .fixed(kOfxImageEffectPropPreMultiplication, kOfxImagePreMultiplied)
            .fixed(kOfxImagePropPixelAspectRatio, 1.0)
            .fixed(kOfxImageEffectPropFrameRate, 25.0)
            .fixed(kOfxImageEffectPropUnmappedFrameRate, 25.0)
            .fixed(kOfxImageEffectPropFrameRange, [0.0, 0.0])
            .fixed(kOfxImageEffectPropUnmappedFrameRange, [0.0, 0.0])
            .fixed(kOfxImageClipPropFieldOrder, kOfxImageFieldNone)
            .fixed(kOfxImageClipPropContinuousSamples, 0);
        Clip::new(name, props, node)
    }

    pub fn label(&self) -> String {
        self.name.to_string_lossy().into_owned()
    }

    pub fn is_output(&self) -> bool {
        self.name.as_c_str() == kOfxImageEffectOutputClipName
    }

    /// Connects the clip, or, for Output, says what it will be like.
    pub fn connect(&self, connection: Connection) {
        let Connection {
            depth, components, ..
        } = connection;
        let set = &self.props;
        set.put(kOfxImageClipPropConnected, 1);
        set.put(kOfxImageClipPropUnmappedPixelDepth, depth.name());
        set.put(kOfxImageClipPropUnmappedComponents, components.name());
        set.put(
            kOfxImageEffectPropPreMultiplication,
            connection.premultiplication.name(),
        );
        set.put(kOfxImagePropPixelAspectRatio, connection.pixel_aspect);
        set.put(kOfxImageEffectPropFrameRate, connection.frame_rate);
        set.put(kOfxImageEffectPropUnmappedFrameRate, connection.frame_rate);
        set.put(kOfxImageEffectPropFrameRange, connection.frame_range);
        set.put(
            kOfxImageEffectPropUnmappedFrameRange,
            connection.frame_range,
        );
        put_extra(set, &connection.extra);
        *lock(&self.connection) = Some(connection);
        self.map(Mapping { depth, components });
    }

    pub fn disconnect(&self, claim_connected: bool) {
        *lock(&self.connection) = None;
        self.props.put(kOfxImageClipPropConnected, claim_connected);
        self.props
            .put(kOfxImageEffectPropPixelDepth, kOfxBitDepthNone);
        self.props
            .put(kOfxImageEffectPropComponents, kOfxImageComponentNone);
    }

    pub fn map(&self, mapping: Mapping) {
        *lock(&self.mapping) = mapping;
        self.props
            .put(kOfxImageEffectPropPixelDepth, mapping.depth.name());
        self.props
            .put(kOfxImageEffectPropComponents, mapping.components.name());
    }

    pub fn region_of_definition(&self) -> Option<[f64; 4]> {
        lock(&self.connection)
            .as_ref()
            .map(|c| c.bounds.canonical(c.pixel_aspect))
    }

    /// An input image for the plugin.
    pub fn fetch(&self, scope: &Arc<Scope>, time: f64) -> Option<Arc<FetchedImage>> {
        let connection = lock(&self.connection).clone()?;
        let [first, last] = connection.frame_range;
        if connection.absent.contains(&time) || time.is_nan() || time < first || time > last {
            return None;
        }
        if (time - scope.time).abs() > connection.reach {
            return None;
        }
        // The source is the test's own code: it may panic, but not through the plugin.
        let built = catch_unwind(AssertUnwindSafe(|| self.fill(&connection, scope, time)));
        let Ok(buffer) = built else {
            scope
                .journal
                .violation(format!("the test's source panicked at {time}"));
            return None;
        };
        let buffer = Arc::new(buffer?);
        let pristine = Some(buffer.bytes().to_vec());
        Some(FetchedImage::new(
            self,
            &connection,
            buffer,
            pristine,
            scope,
            time,
        ))
    }

    fn fill(&self, connection: &Connection, scope: &Scope, time: f64) -> Option<Buffer> {
        let picture = (connection.source)(time)?;
        let Mapping { depth, components } = *lock(&self.mapping);
        let bounds = connection.bounds.scaled(scope.scale);
        let (padding, negative_rows) = (connection.padding, connection.negative_rows);
        let (width, height) = (bounds.width(), bounds.height());
        let fits = picture.width == width && picture.height == height;
        let picture = if fits {
            picture
        } else {
            picture.resized(width, height)
        };
        if !picture.is_finite() {
            scope.inputs_finite.store(false, Ordering::Relaxed);
        }
        let format = Format {
            bounds,
            depth,
            components,
            padding,
            negative_rows,
        };
        let buffer = Buffer::new(format);
        buffer.store(&picture.encode(depth, components));
        Some(buffer)
    }

    /// The image to render into, under a handle of its own.
    pub fn fetch_output(&self, scope: &Arc<Scope>, time: f64) -> Option<Arc<FetchedImage>> {
        let output = scope.output.as_ref()?;
        // A generator has an output, but nothing it could be like.
        let nothing = || Connection::new(0, 0, |_| None);
        let connection = lock(&self.connection).clone().unwrap_or_else(nothing);
        let buffer = output.buffer.clone();
        Some(FetchedImage::new(
            self,
            &connection,
            buffer,
            None,
            scope,
            time,
        ))
    }
}

pub(super) fn record(scope: &Scope, clip: &Clip, (time, declared): (f64, bool), ok: bool) {
    scope.journal.fetch(Fetch {
        clip: clip.label(),
        time,
        declared,
        ok,
        action: scope.name(),
    });
}
