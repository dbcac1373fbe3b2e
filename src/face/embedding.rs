//! Face embeddings: who a face is, as the recognition network sees it. Not in the paper.

use serde::{Deserialize, Serialize};

/// Values of an embedding: the same in every bundle.
pub const EMBEDDING: usize = 64;

/// Who a face is: a direction. The angle between two says how much the faces are alike. Each value is one byte,
/// in units of its own: only the direction counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaceEmbedding(#[serde(with = "values")] [i8; EMBEDDING]);

impl FaceEmbedding {
    /// Of the network's output. `None` unless it has a direction: the right number of finite values, not
    /// all of them 0.
    pub fn new(values: &[f32]) -> Option<Self> {
        let most = values.iter().fold(0.0, |most: f32, v| most.max(v.abs()));
        let sane = values.iter().all(|v| v.is_finite()) && most > 0.0;
        let bytes = values.iter().map(|v| (v / most * 127.0).round() as i8);
        let bytes: Vec<i8> = bytes.collect();
        Some(Self(bytes.try_into().ok().filter(|_| sane)?))
    }

    /// The cosine of the angle between two: 1 for the same face, about 0 for two people.
    pub fn similarity(&self, other: &Self) -> f32 {
        let dot = |a: &Self, b: &Self| -> i32 {
            let pairs = a.0.iter().zip(&b.0);
            pairs.map(|(a, b)| i32::from(*a) * i32::from(*b)).sum()
        };
        let lengths = f64::from(dot(self, self)) * f64::from(dot(other, other));
        match lengths > 0.0 {
            true => (f64::from(dot(self, other)) / lengths.sqrt()) as f32,
            // Only a file can hold one without a direction.
            false => 0.0,
        }
    }

    /// Moves towards another one by a share of the angle between them, from 0 to 1.
    pub fn towards(&self, other: &Self, share: f32) -> Self {
        let [own, others] = [self.unit(), other.unit()];
        let between: Vec<f32> = own
            .iter()
            .zip(others)
            .map(|(own, other)| own + (other - own) * share)
            .collect();
        Self::new(&between).unwrap_or(*self)
    }

    fn unit(&self) -> [f32; EMBEDDING] {
        let sum: i32 = self.0.iter().map(|v| i32::from(*v).pow(2)).sum();
        let length = (sum.max(1) as f32).sqrt();
        self.0.map(|v| f32::from(v) / length)
    }
}

/// Serde knows no arrays of this length.
mod values {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::EMBEDDING;

    pub fn serialize<S: Serializer>(values: &[i8; EMBEDDING], out: S) -> Result<S::Ok, S::Error> {
        values.as_slice().serialize(out)
    }

    pub fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<[i8; EMBEDDING], D::Error> {
        let values = Vec::<i8>::deserialize(from)?;
        let count = values.len();
        let wrong = |_| D::Error::invalid_length(count, &"64 values");
        values.try_into().map_err(wrong)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// One of many people that are not alike; `aside` is how far from the first look of the person.
    pub fn embedding(person: usize, aside: f32) -> FaceEmbedding {
        let mut values = [0.0; EMBEDDING];
        values[2 * person] = 1.0;
        values[2 * person + 1] = aside;
        FaceEmbedding::new(&values).unwrap()
    }

    #[test]
    fn similarity_is_the_cosine() {
        let near = |a: f32, b: f32| assert!((a - b).abs() < 0.01, "{a} {b}");
        near(embedding(1, 0.0).similarity(&embedding(1, 0.0)), 1.0);
        near(embedding(1, 0.0).similarity(&embedding(2, 0.0)), 0.0);
        near(
            embedding(1, 0.0).similarity(&embedding(1, 1.0)),
            0.5f32.sqrt(),
        );
        // Its length does not matter.
        let long: Vec<f32> = (0..EMBEDDING).map(|k| (k as f32).sin() * 1e6).collect();
        let short: Vec<f32> = long.iter().map(|v| v * 1e-9).collect();
        let of = |values: &[f32]| FaceEmbedding::new(values).unwrap();
        assert_eq!(of(&long), of(&short));
        near(of(&long).similarity(&of(&short)), 1.0);
    }

    #[test]
    fn it_moves_towards_another() {
        let (a, b) = (embedding(1, 0.0), embedding(2, 0.0));
        assert_eq!(a.towards(&b, 0.0), a);
        assert_eq!(a.towards(&b, 1.0), b);
        let half = a.towards(&b, 0.5);
        assert!((half.similarity(&a) - half.similarity(&b)).abs() < 0.01);
        // Opposite ones have no middle.
        let opposite = FaceEmbedding::new(&a.0.map(|v| -f32::from(v))).unwrap();
        assert_eq!(a.towards(&opposite, 0.5), a);
    }

    #[test]
    fn what_has_no_direction_is_no_embedding() {
        for values in [
            vec![0.0; EMBEDDING],
            vec![f32::NAN; EMBEDDING],
            vec![1.0; EMBEDDING - 1],
            [vec![f32::INFINITY], vec![1.0; EMBEDDING - 1]].concat(),
        ] {
            assert_eq!(FaceEmbedding::new(&values), None);
        }
        let without = FaceEmbedding([0; EMBEDDING]);
        assert_eq!(without.similarity(&embedding(1, 0.0)), 0.0);
    }
}
