//! Detects the silent parts of audio, for LipLeak.

use crate::audio::RATE;

/// Samples of the blocks whose level is taken: 20 ms.
const BLOCK: usize = RATE as usize / 50;
/// Level below which a block is silent, dBFS.
const ABSOLUTE: f64 = -50.0;
/// How far below its loudest twentieth the sound is silent, dB.
const BELOW_LOUDEST: f64 = 40.0;
/// The shortest silence, blocks: 0.2 s. Stops of speech are shorter.
const SHORTEST: usize = 10;
/// Blocks at either end of a silence that border on speech: 0.1 s in which the mouth may still
/// close, or open already. They are neither silence nor speech.
const MARGIN: usize = 5;

/// What is heard at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Nothing.
    Silence,
    /// The change from one to the other.
    Edge,
    /// Speech, or noise.
    Speech,
}

/// What is heard in each 20 ms of a sound.
#[derive(Clone, Debug, PartialEq)]
pub struct Silence(Vec<Heard>);

impl Silence {
    /// Looks for silence in mono samples at 16 kHz: a block of 20 ms is silent when its root mean
    /// square lies below -50 dBFS or 40 dB below the level that a twentieth of all blocks exceed; a
    /// silence is 0.2 s of such blocks or more. Its first and last 0.1 s count as
    /// [`Heard::Edge`] where it borders on speech.
    pub fn find(samples: &[f32]) -> Self {
        let levels: Vec<f64> = samples.chunks(BLOCK).map(level).collect();
        let mut sorted = levels.clone();
        sorted.sort_by(f64::total_cmp);
        let loudest = sorted.get(sorted.len() * 19 / 20).copied();
        let limit = loudest.map_or(ABSOLUTE, |level| ABSOLUTE.max(level - BELOW_LOUDEST));
        let mut heard = vec![Heard::Speech; levels.len()];
        let mut start = 0;
        for end in 0..=levels.len() {
            if levels.get(end).is_some_and(|level| *level < limit) {
                continue;
            }
            if end - start >= SHORTEST {
                heard[start..end].fill(Heard::Silence);
                if start > 0 {
                    heard[start..(start + MARGIN).min(end)].fill(Heard::Edge);
                }
                if end < levels.len() {
                    heard[end - MARGIN..end].fill(Heard::Edge);
                }
            }
            start = end + 1;
        }
        Self(heard)
    }

    /// What is heard at a sample position; outside the sound there is silence.
    pub fn at(&self, position: i64) -> Heard {
        let block = usize::try_from(position.div_euclid(BLOCK as i64)).ok();
        let known = block.and_then(|block| self.0.get(block));
        known.copied().unwrap_or(Heard::Silence)
    }
}

fn level(block: &[f32]) -> f64 {
    let power: f64 = block.iter().map(|v| f64::from(*v) * f64::from(*v)).sum();
    10.0 * (power / block.len() as f64 + 1e-20).log10()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `seconds` of a square wave at a level in dBFS.
    fn sound(parts: &[(f64, f64)]) -> Vec<f32> {
        let mut out = Vec::new();
        for (seconds, level) in parts {
            let value = 10f64.powf(level / 20.0) as f32;
            let count = (seconds * f64::from(RATE)) as usize;
            out.extend((0..count).map(|n| if n / 8 % 2 == 0 { value } else { -value }));
        }
        out
    }

    fn at(silence: &Silence, seconds: f64) -> Heard {
        silence.at((seconds * f64::from(RATE)) as i64)
    }

    #[test]
    fn a_pause_is_found_without_its_edges() {
        let silence = Silence::find(&sound(&[(1.0, -20.0), (0.6, -70.0), (1.0, -20.0)]));
        assert_eq!(at(&silence, 0.5), Heard::Speech);
        assert_eq!(at(&silence, 1.05), Heard::Edge);
        assert_eq!(at(&silence, 1.3), Heard::Silence);
        assert_eq!(at(&silence, 1.55), Heard::Edge);
        assert_eq!(at(&silence, 2.0), Heard::Speech);
        assert_eq!(
            (at(&silence, -1.0), at(&silence, 9.0)),
            (Heard::Silence, Heard::Silence)
        );
    }

    #[test]
    fn short_stops_and_quiet_rooms_are_speech() {
        let stop = Silence::find(&sound(&[(1.0, -20.0), (0.15, -70.0), (1.0, -20.0)]));
        assert_eq!(at(&stop, 1.07), Heard::Speech);
        // 35 dB below the speech and above -50 dBFS.
        let room = Silence::find(&sound(&[(1.0, -10.0), (1.0, -45.0)]));
        assert_eq!(at(&room, 1.5), Heard::Speech);
        // 45 dB below it.
        let loud = Silence::find(&sound(&[(1.0, -3.0), (1.0, -48.0)]));
        assert_eq!(
            (at(&loud, 0.5), at(&loud, 1.5)),
            (Heard::Speech, Heard::Silence)
        );
    }

    #[test]
    fn silence_alone_has_no_edges() {
        let silence = Silence::find(&[0.0; 16_000]);
        assert!((0..100).all(|k| at(&silence, f64::from(k) / 100.0) == Heard::Silence));
        assert_eq!(Silence::find(&[]).at(0), Heard::Silence);
    }
}
