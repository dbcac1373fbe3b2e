//! What the overlays draw into the picture: the face track, and the level of the audio.

use stylelipsync::Engine;
use stylelipsync::evaluate::lips;
use stylelipsync::face::Face;
use stylelipsync::frame::{FrameMut, Transfer};

use crate::pixel_format::BitDepth;
use crate::waveform::Waveform;

const TRACK_COLOUR: [f32; 3] = [0.1, 1.0, 0.3];
const AUDIO_COLOUR: [f32; 3] = [0.3, 0.7, 1.0];
const PLAYHEAD_COLOUR: [f32; 3] = [1.0, 1.0, 1.0];
const BACKGROUND: [f32; 3] = [0.0, 0.0, 0.0];
const BACKGROUND_OPACITY: f32 = 0.6;

/// Height of the audio's strip as a share of the picture's.
const STRIP_HEIGHT: f64 = 0.1;

/// The encoded value of white.
pub fn white(transfer: Transfer) -> f32 {
    match transfer {
        // Diffuse white, as in ITU-R BT.2408: 1 would be the brightest light of all.
        Transfer::Pq | Transfer::PqRec709 | Transfer::PqP3 => 0.58,
        Transfer::Hlg | Transfer::HlgRec709 => 0.75,
        _ => 1.0,
    }
}

/// Mixes a colour into a pixel.
pub fn mix(depth: BitDepth, pixel: &mut [u8], colour: [f32; 3], share: f32) {
    for (sample, colour) in pixel.chunks_exact_mut(depth.bytes()).zip(colour) {
        let was = depth.read(sample);
        let was = if was.is_finite() { was } else { 0.0 };
        depth.write(sample, was + (colour - was) * share);
    }
}

/// Draws into a picture.
pub struct Pen<'a, 'f> {
    pub target: &'a mut FrameMut<'f>,
    pub depth: BitDepth,
    /// A pixel's width divided by its height.
    pub pixel_aspect: f64,
    /// The encoded value of white.
    pub white: f32,
}

impl Pen<'_, '_> {
    /// Thickness of lines, in units of a pixel's height.
    fn thickness(&self) -> i64 {
        (self.target.height() / 360).max(1) as i64
    }

    fn pixel(&mut self, x: i64, y: i64, colour: [f32; 3], share: f32) {
        let inside =
            x >= 0 && y >= 0 && x < self.target.width() as i64 && y < self.target.height() as i64;
        if inside {
            let bytes = self.target.format().bytes();
            let at = x as usize * bytes;
            let pixel = &mut self.target.row(y as usize)[at..at + bytes];
            mix(self.depth, pixel, colour.map(|v| v * self.white), share);
        }
    }

    /// Draws a dot, at a place in units of a pixel's height.
    fn dot(&mut self, [x, y]: [f64; 2]) {
        let x = (x / self.pixel_aspect).round() as i64;
        for dy in 0..self.thickness() {
            for dx in 0..self.thickness() {
                self.pixel(x + dx, y.round() as i64 + dy, TRACK_COLOUR, 1.0);
            }
        }
    }

    /// Draws the outline of the face crop, and the points of the lips.
    pub fn track(&mut self, engine: &Engine, face: &Face) {
        let size = engine.bundle().manifest().image as f64;
        let map = engine.crop().place(&face.pose);
        let steps = 256;
        for step in 0..=steps {
            let at = size * f64::from(step) / f64::from(steps);
            for corner in [[at, 0.0], [at, size], [0.0, at], [size, at]] {
                self.dot(map.apply(corner));
            }
        }
        for point in lips::points(engine.face_model(), face) {
            self.dot(point);
        }
    }

    /// Draws the level of the audio around the frame along the bottom of the picture, and the playhead in
    /// the middle. `at`: the frame's position in the audio, samples.
    pub fn audio(&mut self, waveform: &Waveform, at: i64) {
        let (width, height) = (self.target.width() as i64, self.target.height() as i64);
        let rows = ((height as f64 * STRIP_HEIGHT) as i64).clamp(1, height);
        let (top, middle) = (height - rows, height - 1 - rows / 2);
        for (x, level) in waveform.strip(at, width as usize).enumerate() {
            let x = x as i64;
            let reach = level.map(|level| (f64::from(level) * rows as f64 / 2.0) as i64);
            for y in top..height {
                match reach {
                    Some(reach) if (y - middle).abs() <= reach => {
                        self.pixel(x, y, AUDIO_COLOUR, 1.0)
                    }
                    _ => self.pixel(x, y, BACKGROUND, BACKGROUND_OPACITY),
                }
            }
        }
        let across = (self.thickness() as f64 / self.pixel_aspect).ceil() as i64;
        for x in width / 2..width / 2 + across {
            for y in top..height {
                self.pixel(x, y, PLAYHEAD_COLOUR, 1.0);
            }
        }
    }
}
