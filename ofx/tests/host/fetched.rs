//! Images that the plugin has fetched, and checks of what it did to them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};

use openfx::sys::generic::core::*;
use openfx::sys::image_effect_v1::image_effect::*;

use super::buffer::Buffer;
use super::clip::Clip;
use super::connection::Connection;
use super::handles::{IMAGES, PROPERTY_SETS, lock};
use super::property::PropertySet;
use super::scope::Scope;
use super::value::Values;

/// One image handle the plugin was given.
pub(super) struct FetchedImage {
    /// The action it was fetched in, and must be released in.
    pub scope: Weak<Scope>,
    props: Arc<PropertySet>,
    clip: String,
    time: f64,
    buffer: Arc<Buffer>,
    is_input: bool,
    /// A copy of an input's memory as it was given out, until it is released.
    pristine: Mutex<Option<Vec<u8>>>,
    /// The output as it was at its release.
    at_release: Mutex<Option<Vec<u8>>>,
    released: AtomicBool,
}

impl Drop for FetchedImage {
    fn drop(&mut self) {
        IMAGES.remove(self.props.handle);
    }
}

impl FetchedImage {
    pub fn new(
        clip: &Clip,
        connection: &Connection,
        buffer: Arc<Buffer>,
        pristine: Option<Vec<u8>>,
        scope: &Arc<Scope>,
        time: f64,
    ) -> Arc<FetchedImage> {
        let format = &buffer.format;
        let bounds = format.bounds.array();
        let name = clip.label();
        let full = connection.bounds.scaled(scope.scale).array();
        let region = if clip.is_output() { bounds } else { full };
        let props = PropertySet::new(format!("an image of clip {name:?}"))
            .fixed(kOfxPropType, kOfxTypeImage)
            .fixed(kOfxImageEffectPropPixelDepth, format.depth.name())
            .fixed(kOfxImageEffectPropComponents, format.components.name())
            .fixed(
                kOfxImageEffectPropPreMultiplication,
                connection.premultiplication.name(),
            )
            .fixed(kOfxImageEffectPropRenderScale, scope.scale)
            .fixed(kOfxImagePropPixelAspectRatio, connection.pixel_aspect)
            .fixed(kOfxImagePropData, Values::pointer(buffer.data()))
            .fixed(kOfxImagePropBounds, bounds)
            .fixed(kOfxImagePropRegionOfDefinition, region)
            .fixed(kOfxImagePropRowBytes, format.row_bytes())
            .fixed(kOfxImagePropField, kOfxImageFieldNone)
            .fixed(
                kOfxImagePropUniqueIdentifier,
                format!("{name}@{time}x{:?}", scope.scale).as_str(),
            )
            .share();
        let image = Arc::new(FetchedImage {
            scope: Arc::downgrade(scope),
            props,
            clip: name,
            time,
            buffer,
            is_input: pristine.is_some(),
            pristine: Mutex::new(pristine),
            at_release: Mutex::default(),
            released: AtomicBool::new(false),
        });
        IMAGES.add(image.props.handle, &image);
        lock(&scope.images).push(image.clone());
        image
    }

    pub fn handle(&self) -> usize {
        self.props.handle
    }

    /// The plugin releases the image. The memory lives to the end of the action, spoilt, so that
    /// a use after this is seen and not a fault.
    pub fn release(&self, scope: &Scope) -> OfxStatus {
        if self.released.swap(true, Ordering::AcqRel) {
            scope
                .journal
                .violation(format!("{} released twice", self.label()));
            return kOfxStatErrBadHandle;
        }
        PROPERTY_SETS.remove(self.props.handle);
        if self.is_input {
            self.check_source(scope);
            *lock(&self.pristine) = None;
            self.buffer.spoil();
        } else {
            *lock(&self.at_release) = Some(self.buffer.bytes().to_vec());
        }
        kOfxStatOK
    }

    pub fn check_at_end(&self, scope: &Scope) {
        if !self.is_released() {
            scope
                .journal
                .violation(format!("{} never released", self.label()));
            self.check_source(scope);
            return;
        }
        let late = match lock(&self.at_release).as_ref() {
            Some(before) if self.is_only_handle(scope) => self.buffer.changed_since(before),
            Some(_) => None,
            None => self.buffer.stray_write(self.buffer.format.bounds, &[]),
        };
        if let Some(place) = late {
            scope.journal.violation(format!(
                "{} written after its release: {place}",
                self.label()
            ));
        }
    }

    pub fn is_released(&self) -> bool {
        self.released.load(Ordering::Acquire)
    }

    /// Whether the same memory could not have been written through another handle later.
    fn is_only_handle(&self, scope: &Scope) -> bool {
        let same = |image: &&Arc<FetchedImage>| Arc::ptr_eq(&image.buffer, &self.buffer);
        lock(&scope.images).iter().filter(same).count() == 1
    }

    fn check_source(&self, scope: &Scope) {
        let pristine = lock(&self.pristine);
        let changed = pristine
            .as_ref()
            .and_then(|before| self.buffer.changed_since(before));
        if let Some(place) = changed {
            scope
                .journal
                .violation(format!("{} was modified: {place}", self.label()));
        }
    }

    fn label(&self) -> String {
        format!("image of {:?} at {}", self.clip, self.time)
    }
}
