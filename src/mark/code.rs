//! The code of the mark: which sign each coefficient gets for an identifier.
//!
//! A public key shuffles the coefficients and gives each a random sign. The first of them carry four symbols
//! of 8 bits, each as a word of the first-order Reed-Muller code RM(1, 7); the others are the same for every
//! identifier, so that the mark can be recognised before it is read.

use super::lapped::COEFFICIENTS;
use crate::provenance::Provenance;
use crate::{Error, Result};
use sha2::{Digest, Sha256};

/// Bits of an identifier.
const BITS: u32 = 32;
/// Bits of a symbol.
const SYMBOL_BITS: u32 = 8;
const SYMBOLS: usize = (BITS / SYMBOL_BITS) as usize;
/// Coefficients of a symbol.
const WORD: usize = 1 << (SYMBOL_BITS - 1);
/// Coefficients that carry the identifier; the others show that there is a mark.
const READ: usize = SYMBOLS * WORD;

/// Names the product and the version of the mark, "SLS1": the upper half of the 64-bit payload. The
/// coefficients that are the same for every identifier say it.
const PRODUCT: u64 = 0x534c_5331;
/// The key that all marks of this version are made with. It is no secret: whoever has the library can detect
/// a mark, and also remove it.
const KEY: &[u8] = b"libstylelipsync watermark 1";

/// The identifier that a mark carries, 1 to 2^32 - 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarkId(u64);

impl MarkId {
    /// The largest identifier.
    pub const MAX: u64 = (1 << BITS) - 1;

    /// An identifier.
    ///
    /// # Errors
    /// [`Error::Argument`] for 0 and for values above [`MAX`](Self::MAX).
    pub fn new(value: u64) -> Result<Self> {
        if (1..=Self::MAX).contains(&value) {
            return Ok(Self(value));
        }
        Err(Error::Argument {
            field: "watermark",
            reason: format!("{value:#x} is not in 1 to {:#x}", Self::MAX),
        })
    }

    /// The identifier for what was rendered from the inputs of a report.
    pub fn of_inputs(report: &Provenance) -> Self {
        Self::of(report.inputs().as_bytes())
    }

    /// The identifier for something that has this name: the first 32 bits of its SHA-256.
    pub fn of(name: &[u8]) -> Self {
        let digest = Sha256::digest(name);
        let bytes = digest.iter().take(BITS as usize / 8);
        let value = bytes.fold(0, |all, byte| all << 8 | u64::from(*byte));
        Self(value.max(1))
    }

    /// The identifier alone.
    pub fn value(self) -> u64 {
        self.0
    }

    /// The 64-bit payload: product and identifier.
    pub fn payload(self) -> u64 {
        PRODUCT << BITS | self.0
    }

    /// The payload in 16 hexadecimal digits.
    pub fn text(self) -> String {
        format!("{:016x}", self.payload())
    }

    fn symbol(self, at: usize) -> usize {
        (self.0 >> (at as u32 * SYMBOL_BITS)) as usize & ((1 << SYMBOL_BITS) - 1)
    }
}

/// The places and signs that a key gives to the coefficients.
#[derive(Debug)]
pub(crate) struct Code {
    /// Where the coefficients of the symbols lie, then those of the rest.
    places: Vec<u16>,
    /// By place, +1 or -1.
    signs: Vec<f32>,
}

impl Default for Code {
    fn default() -> Self {
        Self::of(KEY)
    }
}

/// What is read from the coefficients of a clip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Reading {
    /// How far the constant part agrees with the key's, in standard deviations of random signs.
    pub score: f64,
    /// The most likely identifier; `None` where it is 0, which no mark carries.
    pub id: Option<MarkId>,
    /// The logarithm of the odds of the least certain symbol against the second most likely one.
    pub odds: f64,
}

impl Code {
    /// The code of a key.
    pub fn of(key: &[u8]) -> Self {
        let mut random = Random::of(key);
        let mut places: Vec<u16> = (0..COEFFICIENTS as u16).collect();
        for at in (1..places.len()).rev() {
            places.swap(at, random.below(at as u32 + 1) as usize);
        }
        let signs = (0..COEFFICIENTS)
            .map(|_| if random.below(2) == 0 { 1.0 } else { -1.0 })
            .collect();
        Self { places, signs }
    }

    /// The signs of all coefficients for an identifier, +1 or -1.
    pub fn chips(&self, id: MarkId) -> [f32; COEFFICIENTS] {
        let mut chips = [0.0; COEFFICIENTS];
        for (at, place) in self
            .places
            .iter()
            .map(|place| usize::from(*place))
            .enumerate()
        {
            let sign = match at / WORD {
                symbol if at < READ => word(id.symbol(symbol), at % WORD),
                _ => 1.0,
            };
            chips[place] = sign * self.signs[place];
        }
        chips
    }

    /// Reads coefficients. The score of coefficients that do not depend on the key exceeds `t` with a
    /// probability of at most `exp(-t^2 / 2)` over random keys (Hoeffding), whatever they are.
    pub fn read(&self, coefficients: &[f32; COEFFICIENTS]) -> Reading {
        let value = |place: &u16| {
            let place = usize::from(*place);
            f64::from(coefficients[place] * self.signs[place])
        };
        let values: Vec<f64> = self.places.iter().map(value).collect();
        let (symbols, constant) = values.split_at(READ);
        let power = |values: &[f64]| values.iter().map(|v| v * v).sum::<f64>();
        let size = power(constant).sqrt();
        let sum: f64 = constant.iter().sum();
        let score = if size > 0.0 { sum / size } else { 0.0 };
        // Signal and noise of a coefficient, as the constant part shows them.
        let count = constant.len() as f64;
        let signal = (sum / count).max(0.0);
        let noise = (power(constant) / count - signal * signal).max(f64::MIN_POSITIVE);
        let (mut id, mut odds) = (0, f64::INFINITY);
        for (at, values) in symbols.chunks_exact(WORD).enumerate() {
            let (symbol, lead) = most_likely(values);
            id |= (symbol as u64) << (at as u32 * SYMBOL_BITS);
            odds = odds.min(lead * signal / noise);
        }
        Reading {
            score,
            id: MarkId::new(id).ok(),
            odds,
        }
    }
}

/// Sign `at` of the code word of a symbol: its lower bits choose a Walsh function, its highest one the sign.
fn word(symbol: usize, at: usize) -> f32 {
    let odd = (symbol & at).count_ones() + (symbol >> (SYMBOL_BITS - 1)) as u32;
    if odd.is_multiple_of(2) { 1.0 } else { -1.0 }
}

/// The symbol whose word correlates best, and its lead over the second.
fn most_likely(values: &[f64]) -> (usize, f64) {
    let (mut best, mut second) = ((0, f64::NEG_INFINITY), f64::NEG_INFINITY);
    for symbol in 0..1 << SYMBOL_BITS {
        let signed = |(at, value): (usize, &f64)| f64::from(word(symbol, at)) * value;
        let sum = values.iter().enumerate().map(signed).sum::<f64>();
        if sum > best.1 {
            second = best.1;
            best = (symbol, sum);
        } else if sum > second {
            second = sum;
        }
    }
    (best.0, best.1 - second)
}

/// Random numbers that depend on a key alone: SHA-256 in counter mode.
struct Random {
    key: Sha256,
    counter: u64,
    words: Vec<u32>,
}

impl Random {
    fn of(key: &[u8]) -> Self {
        Self {
            key: Sha256::new_with_prefix(key),
            counter: 0,
            words: Vec::new(),
        }
    }

    fn next(&mut self) -> u32 {
        loop {
            if let Some(word) = self.words.pop() {
                return word;
            }
            let mut hash = self.key.clone();
            hash.update(self.counter.to_le_bytes());
            self.counter += 1;
            let digest = hash.finalize();
            let words = digest.chunks_exact(4).map(|word| word.iter().rev());
            self.words
                .extend(words.map(|bytes| bytes.fold(0, |all, byte| all << 8 | u32::from(*byte))));
        }
    }

    /// A number below `end`, all equally likely.
    fn below(&mut self, end: u32) -> u32 {
        let whole = u32::MAX - u32::MAX % end;
        loop {
            let word = self.next();
            if word < whole {
                return word % end;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Coefficients that carry an identifier, under noise of this size.
    fn noisy(code: &Code, id: MarkId, noise: f32) -> [f32; COEFFICIENTS] {
        let mut random = Random::of(b"noise");
        let chips = code.chips(id);
        std::array::from_fn(|at| {
            let sum: u32 = (0..12).map(|_| random.below(1 << 16)).sum();
            let normal = sum as f32 / 65_536.0 - 6.0;
            chips[at] + noise * normal
        })
    }

    #[test]
    fn an_identifier_is_read_back_from_under_noise() {
        let code = Code::default();
        for value in [1, 0x1234_5678, MarkId::MAX] {
            let id = MarkId::new(value).unwrap();
            let reading = code.read(&noisy(&code, id, 1.5));
            assert_eq!(reading.id, Some(id));
            assert!(reading.score > 8.0 && reading.odds > 5.0, "{reading:?}");
        }
        assert_eq!(MarkId::new(0xab).unwrap().payload(), 0x534c_5331_0000_00ab);
    }

    #[test]
    fn another_key_sees_nothing() {
        let id = MarkId::new(77).unwrap();
        let marked = noisy(&Code::default(), id, 0.5);
        let scores = (0..2000u32).map(|key| Code::of(&key.to_le_bytes()).read(&marked).score);
        let (mut most, mut square) = (0.0f64, 0.0);
        for score in scores {
            most = most.max(score.abs());
            square += score * score / 2000.0;
        }
        assert!((square - 1.0).abs() < 0.15 && most < 4.8, "{square} {most}");
    }

    #[test]
    fn identifiers_outside_the_range_are_refused() {
        for value in [0, MarkId::MAX + 1, u64::MAX] {
            assert!(matches!(
                MarkId::new(value),
                Err(Error::Argument {
                    field: "watermark",
                    ..
                })
            ));
        }
    }

    #[test]
    fn coefficients_without_content_give_no_score() {
        let reading = Code::default().read(&[0.0; COEFFICIENTS]);
        assert_eq!((reading.score, reading.id), (0.0, None));
    }
}
