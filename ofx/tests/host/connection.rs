//! What the user connects to clips.

use std::sync::Arc;

use super::descriptor::Extra;
use super::image::{Components, Depth, Picture, Premultiplication, Rect};

/// What a clip shows at a time; None where it shows nothing.
pub type Source = Arc<dyn Fn(f64) -> Option<Picture> + Send + Sync>;

/// What the user connected to a clip, and in which form the host passes it on.
#[derive(Clone)]
pub struct Connection {
    pub source: Source,
    pub depth: Depth,
    pub components: Components,
    pub premultiplication: Premultiplication,
    /// In pixels at full scale. A picture of another size is resized to it.
    pub bounds: Rect,
    /// Bytes after each row; a multiple of the size of a component.
    pub padding: usize,
    pub negative_rows: bool,
    pub frame_range: [f64; 2],
    pub frame_rate: f64,
    pub pixel_aspect: f64,
    /// Times at which clipGetImage fails.
    pub absent: Vec<f64>,
    /// clipGetImage fails at times that are farther than this from the one of the action.
    pub reach: f64,
    /// Vendor properties of the clip.
    pub extra: Extra,
}

impl Connection {
    /// RGBA floats, a hundred frames from 0 on at 25 a second.
    pub fn new(
        width: usize,
        height: usize,
        source: impl Fn(f64) -> Option<Picture> + Send + Sync + 'static,
    ) -> Connection {
        Connection {
            source: Arc::new(source),
            depth: Depth::Float,
            components: Components::Rgba,
            premultiplication: Premultiplication::Premultiplied,
            bounds: Rect::sized(width, height),
            padding: 0,
            negative_rows: false,
            frame_range: [0.0, 99.0],
            frame_rate: 25.0,
            pixel_aspect: 1.0,
            absent: Vec::new(),
            reach: f64::INFINITY,
            extra: Vec::new(),
        }
    }
}
