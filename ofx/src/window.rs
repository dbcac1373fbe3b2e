//! The part of the output image that a render action writes.

use std::ops::Range;

use crate::abi::RectI;
use crate::abi::names::*;
use crate::host::Properties;

/// A region of an image, and the rows of it: all, or those of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    region: RectI,
    field: Option<Field>,
}

/// A field of an interlaced frame. Row 0 is the bottom row, in the host's coordinates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    /// The even rows.
    Lower,
    /// The odd rows.
    Upper,
}

impl Window {
    /// The window of a render action, within the output's bounds.
    pub fn of(arguments: &Properties<'_>, bounds: RectI) -> Self {
        let region = arguments
            .rect(EFFECT_PROP_RENDER_WINDOW)
            .map_or(bounds, |window| RectI {
                x1: window.x1.max(bounds.x1),
                y1: window.y1.max(bounds.y1),
                x2: window.x2.min(bounds.x2),
                y2: window.y2.min(bounds.y2),
            });
        let field = arguments.text(EFFECT_PROP_FIELD_TO_RENDER);
        let field = match field.as_deref().map(str::as_bytes) {
            Some(name) if name == IMAGE_FIELD_LOWER.to_bytes() => Some(Field::Lower),
            Some(name) if name == IMAGE_FIELD_UPPER.to_bytes() => Some(Field::Upper),
            _ => None,
        };
        Self { region, field }
    }

    /// All rows of a region.
    pub fn whole(region: RectI) -> Self {
        Self {
            region,
            field: None,
        }
    }

    /// The first column.
    pub fn x1(&self) -> i32 {
        self.region.x1
    }

    /// The column after the last.
    pub fn x2(&self) -> i32 {
        self.region.x2
    }

    /// The rows that are written, in the host's coordinates. The other field may hold its picture already.
    pub fn rows(&self) -> impl Iterator<Item = i32> + use<> {
        let Self { region, field } = *self;
        let rows: Range<i32> = region.y1..region.y2;
        rows.filter(move |y| match field {
            None => true,
            Some(Field::Lower) => y % 2 == 0,
            Some(Field::Upper) => y % 2 != 0,
        })
    }
}
