//! The share of each channel of a file in the mono mix.

use symphonia::core::audio::{Channels, Position};

use super::resample::normalised;

/// How loud each channel is in the mono mix: the voice's centre most, low effects not at all.
pub(super) fn weights(channels: &Channels) -> Vec<f32> {
    let Channels::Positioned(positions) = channels else {
        // Discrete channels are equals; of ambisonics, the first is the sound from everywhere.
        let mut weights = vec![1.0; channels.count()];
        if matches!(channels, Channels::Ambisonic(_)) {
            weights[1..].fill(0.0);
        }
        return normalised(weights);
    };
    let front = Position::FRONT_LEFT | Position::FRONT_RIGHT;
    let low = Position::LFE1 | Position::LFE2;
    let weights: Vec<f32> = positions
        .iter()
        .map(|position| match position {
            Position::FRONT_CENTER => std::f32::consts::SQRT_2,
            position if front.contains(position) => 1.0,
            position if low.contains(position) => 0.0,
            _ => std::f32::consts::FRAC_1_SQRT_2,
        })
        .collect();
    normalised(if weights.iter().sum::<f32>() > 0.0 {
        weights
    } else {
        vec![1.0; weights.len()]
    })
}
