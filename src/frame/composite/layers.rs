//! The layers of a rendered frame, for programs that composite by themselves.

use super::super::colour::Curve;
use super::super::format::{FrameRef, Transfer};
use super::super::similarity::Similarity;
use super::{Compositor, FrameShape, Patch, Walk, check_patch};
use crate::{Result, memory};

/// What a rendered frame was composited from, pixel by pixel, `[height, width]`, top row first.
///
/// The operator "over" makes the frame of them, in the encoding of the source's numbers, before they are
/// rounded to its pixel format: `result = mouth.rgb + source.rgb * (1 - mouth.alpha)`. Where a source value is
/// not finite and alpha is above 0, the result is `mouth.rgb / mouth.alpha`. The source's alpha stays. A
/// [`Label`](super::super::Label) is not part of the layers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Layers {
    /// Width in pixels, the frame's.
    pub width: usize,
    /// Height in pixels, the frame's.
    pub height: usize,
    /// The generated mouth: red, green and blue in the frame's encoding, multiplied by alpha; alpha is the
    /// matte with its feather and the strength. All 0 where nothing was generated.
    pub mouth: Vec<[f32; 4]>,
    /// The ST map: where in the face's upright square crop the centre of a pixel lies. s runs from 0 at the left
    /// edge of the crop to 1 at the right, t from 0 at the *bottom* to 1 at the top; values beyond that are
    /// outside the crop. -1 everywhere where no face was changed.
    pub st: Vec<[f32; 2]>,
}

impl Layers {
    /// Makes the layers empty at the given size; their memory is reused.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub(crate) fn clear(&mut self, width: usize, height: usize) -> Result<()> {
        (self.width, self.height) = (width, height);
        self.mouth.clear();
        self.st.clear();
        memory::reserve(&mut self.mouth, width * height, "layers")?;
        memory::reserve(&mut self.st, width * height, "layers")?;
        self.mouth.resize(width * height, [0.0; 4]);
        self.st.resize(width * height, [-1.0; 2]);
        Ok(())
    }

    /// Whether no pixel has a layer.
    fn is_empty(&self) -> bool {
        self.st.first().is_none_or(|st| *st == [-1.0; 2])
    }
}

impl Compositor {
    /// Adds the layers of `patch`, which [`blend`](Self::blend) would blend into `frame`, over those that `out`
    /// has. Of `frame` only the size and the pixel aspect ratio are used; `out` has its size.
    ///
    /// The ST map becomes that of this patch where its matte is above 0, and everywhere if `out` was empty.
    ///
    /// # Errors
    /// As [`blend`](Self::blend).
    pub(crate) fn add_layers(
        &mut self,
        frame: &FrameRef<'_>,
        transfer: Transfer,
        map: &Similarity,
        patch: &Patch<'_>,
        strength: f32,
        out: &mut Layers,
    ) -> Result<()> {
        check_patch(map, patch, strength)?;
        let Some(walk) = Walk::new(FrameShape::of(frame), map, patch.size, patch.alpha) else {
            return Ok(());
        };
        if strength == 0.0 {
            return Ok(());
        }
        let width = frame.width();
        let side = patch.size as f64;
        let st = |x: usize, y: usize| {
            let [u, v] = walk.crop_point([x as f64 + 0.5, y as f64 + 0.5]);
            [(u / side) as f32, (1.0 - v / side) as f32]
        };
        if out.is_empty() {
            for (i, place) in out.st.iter_mut().enumerate() {
                *place = st(i % width, i / width);
            }
        }
        self.fill(&walk, Some(patch), patch.size, patch.alpha);
        let colour = (Curve::of(transfer), patch.tone);
        walk.each_pixel(&self.cells, |x, y, sample| {
            let weight = (sample[3] * strength).clamp(0.0, 1.0);
            if weight <= 0.0 {
                return;
            }
            let at = y * width + x;
            out.st[at] = st(x, y);
            let [r, g, b] = walk.generated(sample, patch.detail, colour, (x, y));
            for (v, over) in out.mouth[at].iter_mut().zip([r, g, b, 1.0]) {
                *v = over * weight + *v * (1.0 - weight);
            }
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::composite::Gains;
    use crate::frame::{PixelFormat, ToneMap};

    const SIZE: usize = 64;

    /// A grey patch that fills the crop but for its outer four pixels.
    fn added(out: &mut Layers, centre: [f64; 2], level: f32, strength: f32) {
        let bytes = vec![0u8; 4 * out.width * out.height];
        let (width, height) = (out.width as u32, out.height as u32);
        let frame = FrameRef::packed(&bytes, width, height, PixelFormat::Rgba8).unwrap();
        let edge = 4..SIZE - 4;
        let inside = |i: usize| edge.contains(&(i % SIZE)) && edge.contains(&(i / SIZE));
        let alpha: Vec<f32> = (0..SIZE * SIZE)
            .map(|i| f32::from(u8::from(inside(i))))
            .collect();
        let patch = Patch {
            size: SIZE,
            generated: &vec![level * 2.0 - 1.0; 3 * SIZE * SIZE],
            alpha: &alpha,
            gains: &Gains::default(),
            tone: ToneMap::NONE,
            detail: &[],
        };
        let map = Similarity::square(centre, SIZE as f64, 0.0, SIZE);
        Compositor::default()
            .add_layers(&frame, Transfer::Display, &map, &patch, strength, out)
            .unwrap();
    }

    #[test]
    fn s_runs_to_the_right_and_t_upwards() {
        let mut layers = Layers::default();
        layers.clear(200, 100).unwrap();
        assert!(layers.is_empty());
        added(&mut layers, [60.0, 50.0], 0.5, 1.0);
        // The crop covers columns 28 to 92 and rows 18 to 82.
        let at = |x: usize, y: usize| layers.st[y * 200 + x];
        let half = 0.5 / SIZE as f32;
        for (got, want) in [
            (at(28, 81), [half, half]),
            (at(91, 18), [1.0 - half, 1.0 - half]),
            (at(60, 50), [0.5 + half, 0.5 - half]),
            (at(156, 50), [2.0 + half, 0.5 - half]),
        ] {
            let near = |k: usize| (got[k] - want[k]).abs() < 1e-6;
            assert!(near(0) && near(1), "{got:?} for {want:?}");
        }
        assert_eq!(layers.mouth[50 * 200 + 60], [0.5, 0.5, 0.5, 1.0]);
        assert_eq!(layers.mouth[50 * 200 + 156], [0.0; 4]);
    }

    #[test]
    fn a_second_patch_lies_over_the_first() {
        let mut layers = Layers::default();
        layers.clear(200, 100).unwrap();
        added(&mut layers, [60.0, 50.0], 0.2, 1.0);
        let first = layers.clone();
        added(&mut layers, [80.0, 50.0], 0.6, 0.5);
        let at = |layers: &Layers, x: usize| layers.mouth[50 * 200 + x];
        assert_eq!(at(&layers, 40), at(&first, 40));
        let mixed = at(&layers, 70);
        assert!((mixed[0] - 0.4).abs() < 1e-6 && (mixed[3] - 1.0).abs() < 1e-6);
        let alone = at(&layers, 100);
        assert!((alone[0] - 0.3).abs() < 1e-6 && (alone[3] - 0.5).abs() < 1e-6);
        // Columns 52 to 108 are the second patch's, of which the ST map is there.
        assert_eq!(layers.st[50 * 200 + 40], first.st[50 * 200 + 40]);
        assert!(layers.st[50 * 200 + 70][0] < first.st[50 * 200 + 70][0]);
    }

    #[test]
    fn layers_without_a_patch_are_empty() {
        let mut layers = Layers::default();
        layers.clear(30, 20).unwrap();
        added(&mut layers, [15.0, 10.0], 0.2, 0.0);
        added(&mut layers, [500.0, 10.0], 0.2, 1.0);
        assert!(layers.is_empty());
        assert!(layers.mouth.iter().all(|pixel| *pixel == [0.0; 4]));
        layers.clear(0, 0).unwrap();
        assert!(layers.is_empty());
    }
}
