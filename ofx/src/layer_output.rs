//! The layers of a result as the effect's output: mouth, matte or ST map.

use stylelipsync::frame::{FrameMut, FrameRef};
use stylelipsync::{Layers, Matte};

use crate::controls::Layer;
use crate::image::Image;
use crate::pixel_format::BitDepth;
use crate::pixels;
use crate::post_process::opacity;
use crate::window::Window;

/// Writes a layer to `target`. `matte` is the one of the result, after the occlusion; `premultiplied` states
/// whether the source's colour is multiplied by its alpha, as the mouth's in the result is then.
pub fn write(
    layer: Layer,
    (layers, matte): (&Layers, &Matte),
    source: &FrameRef<'_>,
    target: &mut FrameMut<'_>,
    (depth, premultiplied): (BitDepth, bool),
) {
    let (width, bytes) = (target.width(), target.format().bytes());
    let sample = depth.bytes();
    let has_alpha = bytes == 4 * sample;
    for y in 0..target.height() {
        let (from, to) = (source.row(y), target.row(y));
        let pixels = to.chunks_exact_mut(bytes).zip(from.chunks_exact(bytes));
        for (x, (to, from)) in pixels.enumerate() {
            let at = y * width + x;
            let share = matte.alpha[at];
            let pixel = match layer {
                Layer::Mouth if share > 0.0 => {
                    let [r, g, b, whole] = layers.mouth[at];
                    let alpha = match has_alpha && premultiplied {
                        true => opacity(depth, from),
                        false => 1.0,
                    };
                    let visible = share / whole * alpha;
                    [r * visible, g * visible, b * visible, share]
                }
                Layer::Mouth => [0.0; 4],
                Layer::Matte => [share; 4],
                Layer::StMap => {
                    let [s, t] = layers.st[at];
                    [s, t, 0.0, 1.0]
                }
            };
            for (to, value) in to.chunks_exact_mut(sample).zip(pixel) {
                depth.write(to, value);
            }
        }
    }
}

/// The layer of a frame that is not changed.
pub fn write_empty(layer: Layer, output: &mut Image<'_>, window: Window) {
    pixels::copy(None, output, window);
    if layer != Layer::StMap {
        return;
    }
    let (depth, bytes) = (output.depth, output.pixel_bytes());
    for y in window.rows() {
        let row = output.row_mut(y, window.x1(), window.x2());
        for pixel in row.chunks_exact_mut(bytes) {
            let samples = pixel.chunks_exact_mut(depth.bytes());
            for (sample, value) in samples.zip([-1.0, -1.0, 0.0, 1.0]) {
                depth.write(sample, value);
            }
        }
    }
}
