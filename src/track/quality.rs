//! Face quality: how well a frame shows its face. The strength of the effect and the choice of
//! the reference frame depend on it.

use crate::face::{Face, Pose};
use crate::numeric::smoothstep;

/// Visibility of a face, [0, 1]: 1 if it is large enough, turned to the camera and inside the frame;
/// falls smoothly to 0 as it gets tiny, turns to its profile or leaves the frame. `centre` and `side`
/// are those of the crop, `frame` is the frame's width and height, all in frame pixels.
pub fn visibility(pose: &Pose, centre: [f64; 2], side: f64, frame: [f64; 2]) -> f64 {
    let large = smoothstep(20.0, 40.0, side);
    // From 75 degrees to 50.
    let frontal = smoothstep(0.26, 0.64, pose.frontality());
    // The crop's outer tenth is background.
    let half = 0.4 * side;
    let share = |at: f64, length: f64| {
        let (low, high) = ((at - half).max(0.0), (at + half).min(length));
        ((high - low) / (2.0 * half)).max(0.0)
    };
    let shown = share(centre[0], frame[0]) * share(centre[1], frame[1]);
    let inside = smoothstep(0.5, 0.9, shown);
    large * frontal * inside
}

/// The strength of the effect for a confidence, both in [0, 1].
pub fn fade(confidence: f64) -> f64 {
    smoothstep(0.25, 0.6, confidence)
}

/// Sharpness of a crop (planar RGB `[3, size, size]`), independent of its brightness and contrast:
/// the mean absolute Laplacian of its green channel over the channel's standard deviation, in the
/// middle half where the face is. 0 for a flat or an empty picture.
pub fn sharpness(crop: &[f32], size: usize) -> f64 {
    if size < 8 || crop.len() != 3 * size * size {
        return 0.0;
    }
    let green = &crop[size * size..2 * size * size];
    let (mut edges, mut sum, mut squares, mut count) = (0.0, 0.0, 0.0, 0.0);
    for y in size / 4..size - size / 4 {
        for x in size / 4..size - size / 4 {
            let at = |dx: usize, dy: usize| f64::from(green[(y + dy - 1) * size + x + dx - 1]);
            let v = at(1, 1);
            edges += (4.0 * v - at(0, 1) - at(2, 1) - at(1, 0) - at(1, 2)).abs();
            sum += v;
            squares += v * v;
            count += 1.0;
        }
    }
    let deviation = (squares / count - (sum / count) * (sum / count))
        .max(0.0)
        .sqrt();
    let value = edges / count / (deviation + 0.02);
    if value.is_finite() { value } else { 0.0 }
}

/// How well a frame serves as the reference: confidence, frontality and sharpness together. Only
/// scores of frames of one clip are comparable.
pub fn reference_score(face: &Face, sharpness: f64) -> f64 {
    let frontal = face.pose.frontality().max(0.0);
    f64::from(face.confidence) * frontal * frontal * sharpness.max(0.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::pose::rotation_from_vector;

    fn turned(yaw: f64) -> Pose {
        let rotation = rotation_from_vector([0.0, yaw, 0.0]);
        Pose {
            rotation,
            translation: [0.0; 2],
            scale: 100.0,
        }
    }

    #[test]
    fn visibility_falls_with_what_goes_wrong() {
        let see = |yaw: f64, x: f64, side: f64| {
            visibility(&turned(yaw), [x, 240.0], side, [640.0, 480.0])
        };
        assert_eq!(see(0.0, 320.0, 200.0), 1.0);
        assert_eq!(see(0.6, 320.0, 200.0), 1.0);
        let tilted = visibility(
            &Pose {
                rotation: rotation_from_vector([0.0, 0.0, 3.0]),
                ..turned(0.0)
            },
            [320.0, 240.0],
            200.0,
            [640.0, 480.0],
        );
        assert_eq!(tilted, 1.0, "upside down is still from the front");
        assert!((0.1..0.9).contains(&see(1.1, 320.0, 200.0)));
        assert_eq!(see(1.5, 320.0, 200.0), 0.0);
        assert_eq!(see(3.0, 320.0, 200.0), 0.0);
        assert!((0.1..0.9).contains(&see(0.0, 35.0, 200.0)));
        assert_eq!(see(0.0, 0.0, 200.0), 0.0);
        assert_eq!(see(0.0, -500.0, 200.0), 0.0);
        assert!((0.1..0.9).contains(&see(0.0, 320.0, 30.0)));
        assert_eq!(see(0.0, 320.0, 15.0), 0.0);
        assert_eq!(see(f64::NAN, 320.0, 200.0), 0.0);
    }

    #[test]
    fn the_sharper_crop_wins_whatever_its_light() {
        const N: usize = 64;
        let picture = |blur: i32, gain: f32| -> Vec<f32> {
            let value = |x: i32, y: i32| if (x / 4 + y / 4) % 2 == 0 { 0.5 } else { -0.5 };
            let mut plane = Vec::new();
            for y in 0..N as i32 {
                for x in 0..N as i32 {
                    let mut sum = 0.0;
                    for dy in -blur..=blur {
                        for dx in -blur..=blur {
                            sum += value(x + dx + 8, y + dy + 8);
                        }
                    }
                    plane.push(sum / ((2 * blur + 1) * (2 * blur + 1)) as f32 * gain);
                }
            }
            plane.repeat(3)
        };
        let (sharp, soft) = (
            sharpness(&picture(0, 1.0), N),
            sharpness(&picture(2, 1.0), N),
        );
        assert!(sharp > 2.0 * soft, "{sharp} {soft}");
        assert!(sharpness(&picture(0, 0.3), N) > 1.5 * soft);
        assert_eq!(sharpness(&vec![0.3; 3 * N * N], N), 0.0);
        assert_eq!(sharpness(&[], N), 0.0);
    }

    #[test]
    fn strength_follows_confidence() {
        assert_eq!(
            (fade(0.0), fade(0.2), fade(0.7), fade(1.0)),
            (0.0, 0.0, 1.0, 1.0)
        );
        assert!(fade(0.4) > 0.2 && fade(0.4) < fade(0.5));
        assert_eq!(fade(f64::NAN), 0.0);
    }
}
