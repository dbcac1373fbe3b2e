//! The silence gate: while the audio is silent, the mouth rests. Not in the paper.
//!
//! The gate depends on the mel window of an instant only, so it is a function of the audio there. Its
//! opening (0 = silence, 1 = sound) scales the mouth shape, whose 0 is the mouth at rest. Sound has full weight in the middle of the window and none at its two ends,
//! so that the gate opens smoothly as a word enters the window.

use std::f32::consts::FRAC_PI_2;

use crate::numeric::smoothstep;

/// Level (mean of log10 magnitude over the mel bands, above the floor) up to which there is
/// silence: noise at about -77 dB of full scale.
const CLOSED: f32 = 0.75;
/// Level from which there is sound: noise at about -62 dB of full scale; quiet speech is far above.
const OPEN: f32 = 1.5;

/// How open the gate is over one mel window.
pub(crate) struct SilenceGate {
    weights: Vec<f32>,
    floor: f32,
}

impl SilenceGate {
    /// A gate for windows of `frames` mel frames of which the one with index `lead` is centred on
    /// the position; `floor` is the mel value of digital silence.
    pub fn new(frames: usize, lead: usize, floor: f32) -> Self {
        let (before, after) = (lead as f32 + 1.0, frames as f32 - lead as f32);
        let weights = (0..frames)
            .map(|frame| {
                let distance = frame as f32 - lead as f32;
                let relative = if distance < 0.0 {
                    distance / before
                } else {
                    distance / after
                };
                let cosine = (FRAC_PI_2 * relative).cos();
                smoothstep(0.0, 0.6, cosine * cosine)
            })
            .collect();
        Self { weights, floor }
    }

    /// 0 (silence) to 1 (sound) for a window laid out `[mel band][mel frame]`.
    pub fn opening(&self, window: &[f32]) -> f32 {
        let frames = self.weights.len();
        let bands = (window.len() / frames).max(1);
        let mut opening = 0.0f32;
        for (frame, weight) in self.weights.iter().enumerate() {
            let sum: f32 = (0..bands)
                .map(|band| window[band * frames + frame] - self.floor)
                .sum();
            opening = opening.max(weight * smoothstep(CLOSED, OPEN, sum / bands as f32));
        }
        opening
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 80 bands by 28 frames at the floor, with `level` above it in the frames `sound`.
    fn window(level: f32, sound: std::ops::Range<usize>) -> Vec<f32> {
        let mut window = vec![-5.0; 80 * 28];
        for band in 0..80 {
            for frame in sound.clone() {
                window[band * 28 + frame] += level;
            }
        }
        window
    }

    #[test]
    fn silence_is_closed_and_speech_is_open() {
        let gate = SilenceGate::new(28, 16, -5.0);
        assert_eq!(gate.opening(&window(0.0, 0..28)), 0.0);
        assert_eq!(gate.opening(&window(0.5, 0..28)), 0.0);
        assert_eq!(gate.opening(&window(3.0, 0..28)), 1.0);
        assert_eq!(gate.opening(&window(3.0, 15..18)), 1.0);
    }

    #[test]
    fn a_word_that_enters_the_window_opens_it_smoothly() {
        let gate = SilenceGate::new(28, 16, -5.0);
        let openings: Vec<f32> = (0..=12)
            .map(|entered| gate.opening(&window(3.0, 28 - entered..28)))
            .collect();
        assert!(
            openings.windows(2).all(|pair| pair[0] <= pair[1]),
            "{openings:?}"
        );
        assert!(
            openings.windows(2).all(|pair| pair[1] - pair[0] < 0.3),
            "{openings:?}"
        );
        assert!(openings[1] < 0.05 && openings[12] == 1.0, "{openings:?}");
    }
}
