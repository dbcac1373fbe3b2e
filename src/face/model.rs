//! The linear face model: mean, identity and expression (paper, section 3.1).

use crate::{Error, Result};

/// Vertices = mean + identity . alpha + expression . delta, in model units: x right, y down, z away
/// from the camera, the outer eye corners of the mean one unit apart. Read-only and shared.
#[derive(Clone, Debug)]
pub struct FaceModel {
    /// Mean position of each vertex.
    mean: Vec<[f32; 3]>,
    /// For each vertex what each coefficient adds: identity first, then expression.
    basis: Vec<[f32; 3]>,
    identity: usize,
    expression: usize,
    mouth: usize,
    open: Vec<f32>,
    closed: Vec<f32>,
    ring: Vec<usize>,
    lips: usize,
    /// Lips and jaw, then those of the contour (`ring`) that are not among them.
    control: Vec<usize>,
}

/// The tensors of a face model; bases are `[coefficients, vertices, 3]`, row-major.
#[derive(Clone, Debug, Default)]
pub struct FaceModelParts {
    /// `[V, 3]`
    pub mean: Vec<f32>,
    /// `[I, V, 3]`
    pub identity: Vec<f32>,
    /// `[64, V, 3]`; the first `mouth` move the lower face only.
    pub expression: Vec<f32>,
    /// How many of the expression coefficients are the mouth's.
    pub mouth: usize,
    /// `[64]`: a naturally open mouth.
    pub open: Vec<f32>,
    /// `[64]`: a naturally closed mouth.
    pub closed: Vec<f32>,
    /// Vertices of the contour of the lower frontal face, in order.
    pub ring: Vec<usize>,
    /// Vertices of lips and jaw.
    pub lips: Vec<usize>,
}

impl FaceModel {
    /// Builds a model from its tensors.
    ///
    /// # Errors
    /// [`Error::Argument`] when shapes do not match or an index is out of range.
    pub fn new(parts: FaceModelParts) -> Result<Self> {
        let count = parts.mean.len() / 3;
        let row = count * 3;
        let wrong = |field, reason: &str| {
            Err(Error::Argument {
                field,
                reason: reason.into(),
            })
        };
        if count == 0 || parts.mean.len() != row {
            return wrong("face_model.mean", "is not a list of points");
        }
        if !parts.identity.len().is_multiple_of(row) {
            return wrong("face_model.identity", "does not fit the mean");
        }
        if !parts.expression.len().is_multiple_of(row) {
            return wrong("face_model.expression", "does not fit the mean");
        }
        let (identity, expression) = (parts.identity.len() / row, parts.expression.len() / row);
        if parts.mouth > expression {
            return wrong(
                "face_model.mouth",
                "is more than the number of expression coefficients",
            );
        }
        if parts.open.len() != expression || parts.closed.len() != expression {
            return wrong(
                "face_model.open",
                "and face_model.closed must have one value per expression coefficient",
            );
        }
        if parts.ring.len() < 3 || parts.ring.iter().any(|v| *v >= count) {
            return wrong("face_model.ring", "is not a polygon of vertices");
        }
        if parts.lips.iter().any(|v| *v >= count) {
            return wrong("face_model.lips", "holds an index that is not a vertex");
        }
        let point = |values: &[f32], at: usize| [values[at], values[at + 1], values[at + 2]];
        let mut basis = Vec::with_capacity(count * (identity + expression));
        for v in 0..count {
            basis.extend((0..identity).map(|k| point(&parts.identity, k * row + 3 * v)));
            basis.extend((0..expression).map(|k| point(&parts.expression, k * row + 3 * v)));
        }
        let lips = parts.lips.len();
        let mut control = parts.lips;
        let others = parts.ring.iter().filter(|v| !control.contains(v));
        let others: Vec<usize> = others.copied().collect();
        control.extend(others);
        Ok(Self {
            mean: (0..count).map(|v| point(&parts.mean, 3 * v)).collect(),
            basis,
            identity,
            expression,
            mouth: parts.mouth,
            open: parts.open,
            closed: parts.closed,
            ring: parts.ring,
            lips,
            control,
        })
    }

    /// Number of vertices.
    pub fn n_vertices(&self) -> usize {
        self.mean.len()
    }

    /// Number of identity coefficients.
    pub fn n_identity(&self) -> usize {
        self.identity
    }

    /// Number of expression coefficients.
    pub fn n_expression(&self) -> usize {
        self.expression
    }

    /// How many of the expression coefficients, the first ones, are the mouth's.
    pub fn n_mouth(&self) -> usize {
        self.mouth
    }

    /// The expression coefficients of the mouth and the others. The coefficients of a
    /// list shorter than the model's belong to the mouth first.
    pub fn split_expression<'a>(&self, expression: &'a [f32]) -> (&'a [f32], &'a [f32]) {
        expression.split_at(self.mouth.min(expression.len()))
    }

    /// The mouth block of a naturally open mouth.
    pub fn open(&self) -> &[f32] {
        &self.open[..self.mouth]
    }

    /// The mouth block of a naturally closed mouth.
    pub fn closed(&self) -> &[f32] {
        &self.closed[..self.mouth]
    }

    /// Vertices of the contour of the lower frontal face, in order.
    pub fn ring(&self) -> &[usize] {
        &self.ring
    }

    /// Vertices of lips and jaw.
    pub fn lips(&self) -> &[usize] {
        &self.control[..self.lips]
    }

    /// The control points of the warp of the lower face: the vertices of [`lips`](Self::lips), then
    /// those of [`ring`](Self::ring) that are not among them.
    pub fn control_vertices(&self) -> &[usize] {
        &self.control
    }

    /// One vertex of the face with these coefficients, in model units. `mouth` is the expression's
    /// mouth block, `rest` the remaining coefficients; missing coefficients count as 0.
    ///
    /// # Panics
    /// If `index` is not a vertex.
    pub fn vertex(&self, index: usize, identity: &[f32], mouth: &[f32], rest: &[f32]) -> [f32; 3] {
        let width = self.identity + self.expression;
        let (person, expression) = self.basis[index * width..][..width].split_at(self.identity);
        let (lower, upper) = expression.split_at(self.mouth);
        let mut at = self.mean[index];
        for (coefficients, directions) in [(identity, person), (mouth, lower), (rest, upper)] {
            for (k, direction) in coefficients.iter().zip(directions) {
                for (v, d) in at.iter_mut().zip(direction) {
                    *v += k * d;
                }
            }
        }
        at
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A square of four vertices one unit wide around the origin; identity moves everything to the
    /// right, the one mouth coefficient the lower two down, the other expression the upper two up.
    pub(crate) fn square() -> FaceModelParts {
        let mean = vec![
            -0.5, -0.5, 0.0, 0.5, -0.5, 0.0, 0.5, 0.5, 0.0, -0.5, 0.5, 0.0,
        ];
        let right = [1.0, 0.0, 0.0].repeat(4);
        let mut down = vec![0.0; 12];
        let mut up = vec![0.0; 12];
        (down[7], down[10], up[1], up[4]) = (1.0, 1.0, -1.0, -1.0);
        FaceModelParts {
            mean,
            identity: right,
            expression: [down, up].concat(),
            mouth: 1,
            open: vec![0.5, 0.0],
            closed: vec![-0.25, 0.0],
            ring: vec![0, 1, 2, 3],
            lips: vec![2, 3],
        }
    }

    #[test]
    fn coefficients_move_their_vertices() {
        let model = FaceModel::new(square()).unwrap();
        assert_eq!(model.vertex(2, &[], &[], &[]), [0.5, 0.5, 0.0]);
        assert_eq!(model.vertex(2, &[2.0], &[0.25], &[9.0]), [2.5, 0.75, 0.0]);
        assert_eq!(model.vertex(0, &[2.0], &[0.25], &[1.0]), [1.5, -1.5, 0.0]);
        assert_eq!((model.open(), model.closed()), (&[0.5][..], &[-0.25][..]));
        assert_eq!(
            (model.lips(), model.control_vertices()),
            (&[2, 3][..], &[2, 3, 0, 1][..])
        );
    }

    #[test]
    fn an_expression_is_the_mouths_part_and_the_rest() {
        let model = FaceModel::new(square()).unwrap();
        let counts = (model.n_identity(), model.n_expression(), model.n_mouth());
        assert_eq!((model.n_vertices(), counts), (4, (1, 2, 1)));
        assert_eq!(
            model.split_expression(&[0.5, 0.25]),
            (&[0.5][..], &[0.25][..])
        );
        assert_eq!(model.split_expression(&[]), (&[][..], &[][..]));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let field = |change: &dyn Fn(&mut FaceModelParts)| {
            let mut parts = square();
            change(&mut parts);
            match FaceModel::new(parts) {
                Err(Error::Argument { field, .. }) => field,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(field(&|p| p.mean.clear()), "face_model.mean");
        assert_eq!(field(&|p| p.mean.push(0.0)), "face_model.mean");
        assert_eq!(field(&|p| p.identity.push(0.0)), "face_model.identity");
        assert_eq!(field(&|p| p.expression.push(0.0)), "face_model.expression");
        assert_eq!(field(&|p| p.mouth = 3), "face_model.mouth");
        assert_eq!(field(&|p| p.open.clear()), "face_model.open");
        assert_eq!(field(&|p| p.ring[0] = 4), "face_model.ring");
        assert_eq!(field(&|p| p.ring.truncate(2)), "face_model.ring");
        assert_eq!(field(&|p| p.lips[0] = 4), "face_model.lips");
    }
}
