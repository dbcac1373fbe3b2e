//! Detects and fits the faces of one frame.

use super::detect::{self, covers, sigmoid};
use super::look::Look;
use super::quality::visibility;
use crate::Result;
use crate::face::pose::{rolled, rotation_from_vector};
use crate::face::{CropProtocol, Face, Pose};
use crate::frame::{BorderMode, FrameRef, Sampler, Similarity, ToneMap, Transfer, fingerprint};
use crate::model::manifest::{DetectorSizes, Manifest, MeshSizes};
use crate::model::networks::{MeshParameters, Networks};
use crate::parallel::Parallel;
use crate::pool::{Pool, Pooled};

/// Detects faces and fits the face model. Shared by any number of threads.
pub struct Tracker {
    crop: CropProtocol,
    detector: DetectorSizes,
    mesh: MeshSizes,
    parallel: Parallel,
    buffers: Pool<Buffers>,
}

/// What is seen in one frame.
pub struct Seen {
    /// The faces, the detector's largest first.
    pub faces: Vec<Face>,
    /// The frame as a whole.
    pub look: Look,
    /// Identifies the picture.
    pub fingerprint: u128,
}

/// Buffers of one frame.
struct Buffers {
    sampler: Sampler,
    picture: Vec<f32>,
}

impl Tracker {
    /// A tracker for a bundle's networks.
    pub(crate) fn new(manifest: &Manifest, parallel: Parallel) -> Self {
        Self {
            parallel,
            crop: manifest.crop,
            detector: manifest.detector,
            mesh: manifest.mesh,
            buffers: Pool::new(),
        }
    }

    /// The placement of the crop.
    pub fn crop(&self) -> &CropProtocol {
        &self.crop
    }

    /// The faces and the look of a frame: a function of the frame alone. A frame without a face gives
    /// an empty list, not an error.
    ///
    /// # Errors
    /// [`crate::Error::Network`] when a network fails.
    pub fn track(
        &self,
        networks: &Networks,
        frame: &FrameRef<'_>,
        transfer: Transfer,
    ) -> Result<Seen> {
        self.track_with(networks, frame, transfer, &mut self.buffers())
    }

    /// The look of a frame, as in [`track`](Self::track), without finding the faces.
    ///
    /// # Errors
    /// [`crate::Error::Argument`] for a frame of a shape that cannot be sampled.
    pub fn look(&self, frame: &FrameRef<'_>, transfer: Transfer) -> Result<Look> {
        let buffers = &mut self.buffers();
        let map = detect::letterbox(shape(frame), self.detector.size);
        buffers.look_at(frame, transfer, &map, self.detector.size)
    }

    fn buffers(&self) -> Pooled<'_, Buffers> {
        self.buffers.take(|| Buffers {
            sampler: Sampler::on(self.parallel),
            picture: Vec::new(),
        })
    }

    /// Fits the face model at a known `pose`, without detection, for measuring two versions of one
    /// frame in the same way. `None` if the result is not a valid face.
    ///
    /// # Errors
    /// [`crate::Error::Network`] when the network fails, [`crate::Error::Argument`] when `pose` is
    /// not a valid placement.
    pub fn fit_at(
        &self,
        networks: &Networks,
        frame: &FrameRef<'_>,
        transfer: Transfer,
        pose: &Pose,
    ) -> Result<Option<Face>> {
        let square = self
            .crop
            .square(pose, f64::from(self.mesh.margin), self.mesh.size);
        let buffers = &mut self.buffers();
        self.measure(networks, frame, transfer, &square, buffers)
    }

    fn track_with(
        &self,
        networks: &Networks,
        frame: &FrameRef<'_>,
        transfer: Transfer,
        buffers: &mut Buffers,
    ) -> Result<Seen> {
        let size = self.detector.size;
        let map = detect::letterbox(shape(frame), size);
        let look = buffers.look_at(frame, transfer, &map, size)?;
        let mut found = self.detect(networks, &buffers.picture)?;
        let tone = match found.is_empty() {
            true => ToneMap::of(frame, &map, size),
            false => ToneMap::NONE,
        };
        if !tone.is_none() {
            // In much light a face is white where values above 1 are clipped. Not at first: before a
            // bright sky, the gain would darken the face.
            let colour = (transfer, &tone);
            buffers.cut(frame, colour, &map, size, BorderMode::Grey)?;
            found = self.detect(networks, &buffers.picture)?;
        }
        let mut faces: Vec<Face> = Vec::new();
        for found in found {
            let side = found.side * map.scale() * f64::from(self.mesh.margin);
            let first = Similarity::square(map.apply(found.centre), side, 0.0, self.mesh.size);
            let Some(face) = self.measure(networks, frame, transfer, &first, buffers)? else {
                continue;
            };
            // A second fit on the crop of the first one: upright, centred, of the right size.
            let margin = f64::from(self.mesh.margin);
            let second = self.crop.square(&face.pose, margin, self.mesh.size);
            if let Some(mut face) = self.measure(networks, frame, transfer, &second, buffers)? {
                if let Some(recognition) = &networks.recognition {
                    face.embedding = recognition.run(&buffers.picture)?;
                }
                let again = |other: &Face| covers(other.centre, other.side, face.centre, face.side);
                match faces.iter().position(again) {
                    None => faces.push(face),
                    Some(k) if faces[k].confidence < face.confidence => faces[k] = face,
                    Some(_) => {}
                }
            }
        }
        Ok(Seen {
            faces,
            look,
            fingerprint: fingerprint(frame),
        })
    }

    /// The faces in the detector's input picture.
    fn detect(&self, networks: &Networks, picture: &[f32]) -> Result<Vec<detect::Detection>> {
        let seen = networks.detector.run(picture)?;
        detect::decode(&seen.scores, &seen.boxes, self.detector)
    }

    fn measure(
        &self,
        networks: &Networks,
        frame: &FrameRef<'_>,
        transfer: Transfer,
        crop: &Similarity,
        buffers: &mut Buffers,
    ) -> Result<Option<Face>> {
        let tone = ToneMap::of(frame, crop, self.mesh.size);
        let colour = (transfer, &tone);
        buffers.cut(frame, colour, crop, self.mesh.size, BorderMode::Edge)?;
        let seen = networks.mesh.run(&buffers.picture)?;
        let size = self.mesh.size;
        Ok(from_mesh(seen, crop, size, &self.crop, shape(frame)))
    }
}

impl Buffers {
    /// The look of a frame, whose picture for the detector is left in the buffer.
    fn look_at(
        &mut self,
        frame: &FrameRef<'_>,
        transfer: Transfer,
        map: &Similarity,
        size: usize,
    ) -> Result<Look> {
        let colour = (transfer, &ToneMap::NONE);
        self.cut(frame, colour, map, size, BorderMode::Grey)?;
        let shown = shape(frame).map(|side| (side / map.scale()).round() as usize);
        Ok(Look::new(&self.picture, size, shown.into()))
    }

    fn cut(
        &mut self,
        frame: &FrameRef<'_>,
        colour: (Transfer, &ToneMap),
        map: &Similarity,
        size: usize,
        border: BorderMode,
    ) -> Result<()> {
        self.picture.resize(3 * size * size, 0.0);
        self.sampler
            .sample_with(frame, colour, map, size, border, &mut self.picture)
    }
}

/// Width and height of a frame, in units of a pixel's height.
fn shape(frame: &FrameRef<'_>) -> [f64; 2] {
    [
        frame.width() as f64 * frame.pixel_aspect(),
        frame.height() as f64,
    ]
}

/// Converts the mesh predictor's output for a crop (crop to frame, `size` pixels per side) to frame
/// units. `None` if it is not a valid face: values that are not finite, a face larger than any frame.
///
/// The network's units are half-sides of the crop: a vertex v lies at `exp(log_scale) R v + t`
/// of the crop's [-1, 1].
fn from_mesh(
    seen: MeshParameters,
    crop: &Similarity,
    size: usize,
    protocol: &CropProtocol,
    frame: [f64; 2],
) -> Option<Face> {
    let half = size as f64 / 2.0;
    let rotation = rotation_from_vector(seen.rotation.map(f64::from));
    let place = seen.translation.map(|v| (f64::from(v) + 1.0) * half);
    let pose = Pose {
        rotation: rolled(crop.b.atan2(crop.a), &rotation),
        translation: crop.apply(place),
        scale: f64::from(seen.log_scale).exp() * half * crop.scale(),
    };
    let (centre, side) = (protocol.middle(&pose), protocol.length(&pose));
    let sane = pose.is_finite()
        && centre.iter().chain([&side]).all(|v| v.abs() < 1e6)
        && side > 1e-3
        && seen
            .identity
            .iter()
            .chain(&seen.expression)
            .all(|v| v.is_finite());
    let confidence = sigmoid(seen.confidence) * visibility(&pose, centre, side, frame);
    (sane && confidence.is_finite()).then_some(Face {
        pose,
        identity: seen.identity,
        expression: seen.expression,
        confidence: confidence as f32,
        centre,
        side,
        embedding: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::fit::tests::PROTOCOL;

    fn seen() -> MeshParameters {
        MeshParameters {
            identity: vec![0.5],
            expression: vec![0.25],
            rotation: [0.1, -0.2, 0.3],
            translation: [0.1, -0.05],
            log_scale: -0.2,
            confidence: 3.0,
        }
    }

    /// A vertex must land in the frame where the network saw it in the crop, whatever the crop's roll.
    #[test]
    fn crop_units_become_frame_units() {
        let rotation = rotation_from_vector([0.1, -0.2, 0.3].map(|v: f32| f64::from(v)));
        let vertex = [0.3f32, -0.4, 0.2];
        let unit = Pose {
            rotation,
            translation: [0.0; 2],
            scale: 1.0,
        }
        .project(vertex);
        let scale = f64::from(-0.2f32).exp();
        let shift = [0.1f32, -0.05].map(f64::from);
        let in_crop = [0, 1].map(|i| (scale * unit[i] + shift[i] + 1.0) * 64.0);
        for roll in [0.0, 0.7, -2.5] {
            let crop = Similarity::square([300.0, 200.0], 190.0, roll, 128);
            let face = from_mesh(seen(), &crop, 128, &PROTOCOL, [640.0, 480.0]).unwrap();
            let (want, got) = (crop.apply(in_crop), face.pose.project(vertex));
            assert!((want[0] - got[0]).abs() < 1e-9 && (want[1] - got[1]).abs() < 1e-9);
            assert!((face.confidence - 0.9526).abs() < 1e-3);
            assert_eq!(face.centre, PROTOCOL.middle(&face.pose));
        }
    }

    #[test]
    fn an_invalid_pose_is_not_a_face() {
        let crop = Similarity::square([300.0, 200.0], 190.0, 0.0, 128);
        let none = |change: &dyn Fn(&mut MeshParameters)| {
            let mut seen = seen();
            change(&mut seen);
            from_mesh(seen, &crop, 128, &PROTOCOL, [640.0, 480.0]).is_none()
        };
        assert!(!none(&|_| {}));
        assert!(none(&|s| s.rotation[1] = f32::NAN));
        assert!(none(&|s| s.translation[0] = f32::INFINITY));
        assert!(none(&|s| s.log_scale = 80.0));
        assert!(none(&|s| s.log_scale = -80.0));
        assert!(none(&|s| s.expression[0] = f32::NAN));
        assert!(none(&|s| s.confidence = f32::NAN));
    }
}
