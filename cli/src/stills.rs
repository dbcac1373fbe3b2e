//! Single pictures and folders of them.

use std::path::{Path, PathBuf};

use image::DynamicImage;

use crate::failure::{Failure, Result};
use crate::open_exr;
use crate::picture::{Layout, Picture};

/// One picture of a folder, or of the program itself.
pub struct Still {
    /// The file's name without its extension.
    pub name: String,
    pub content: Content,
}

pub enum Content {
    File(PathBuf),
    Bytes(&'static [u8]),
}

impl Still {
    pub fn of(path: &Path) -> Self {
        let name = path.file_stem().unwrap_or_default();
        Self {
            name: name.to_string_lossy().into_owned(),
            content: Content::File(path.to_owned()),
        }
    }

    pub fn label(&self) -> String {
        match &self.content {
            Content::File(path) => path.display().to_string(),
            Content::Bytes(_) => self.name.clone(),
        }
    }

    /// Decodes the picture.
    ///
    /// # Errors
    /// [`Failure::Input`] when it cannot be read or is not a picture.
    pub fn decode(&self) -> Result<Picture> {
        let failed = |error: &dyn std::fmt::Display| {
            Failure::Input(format!("cannot read the picture {}: {error}", self.label()))
        };
        let bytes = match &self.content {
            Content::File(path) => &std::fs::read(path).map_err(|error| failed(&error))?,
            Content::Bytes(bytes) => *bytes,
        };
        if open_exr::is(bytes) {
            let decoded = open_exr::decode(bytes).map_err(|reason| failed(&reason))?;
            return Ok(Picture::from_exr(decoded));
        }
        let image = image::load_from_memory(bytes).map_err(|error| failed(&error))?;
        if matches!(
            image,
            DynamicImage::ImageRgb32F(_) | DynamicImage::ImageRgba32F(_)
        ) {
            return Err(failed(
                &"it holds float numbers, which are read from EXR only",
            ));
        }
        Ok(Picture::from_image(image))
    }

    pub fn decode_as(&self, layout: Layout) -> Result<Picture> {
        let picture = self.decode()?;
        if picture.layout == layout {
            return Ok(picture);
        }
        if picture.layout.displayed() == layout {
            return Ok(picture.displayed());
        }
        let describe = |l: Layout| {
            let bits = 2 * l.depth.pixel_bytes();
            let alpha = if l.alpha { " with alpha" } else { "" };
            format!("{}x{}, {bits} bits{alpha}", l.width, l.height)
        };
        Err(Failure::Input(format!(
            "the picture {} is {}, but the clip's first is {}",
            self.label(),
            describe(picture.layout),
            describe(layout)
        )))
    }
}

/// The extension of a name in small letters.
pub fn ending(path: &Path) -> Option<String> {
    let extension = path.extension().and_then(|e| e.to_str());
    extension.map(str::to_ascii_lowercase)
}

/// Whether a name is that of a picture.
pub fn is_picture(path: &Path) -> bool {
    matches!(
        ending(path).as_deref(),
        Some("png" | "jpg" | "jpeg" | "tif" | "tiff" | "exr")
    )
}

/// The folder's pictures in no order. Hidden files are left out.
///
/// # Errors
/// [`Failure::Input`] when the folder cannot be read.
pub fn pictures(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(|error| Failure::reading(folder, error))?;
    let mut pictures = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| Failure::reading(folder, error))?;
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if is_picture(&entry.path()) && !hidden {
            pictures.push(entry.path());
        }
    }
    Ok(pictures)
}

/// The folder's pictures in the order of the numbers in their names.
pub fn list(folder: &Path) -> Result<Vec<Still>> {
    let pictures = pictures(folder)?;
    let mut stills: Vec<Still> = pictures.iter().map(|path| Still::of(path)).collect();
    stills.sort_by(|a, b| natural_key(&a.name).cmp(&natural_key(&b.name)));
    if let Some(pair) = stills.windows(2).find(|pair| pair[0].name == pair[1].name) {
        let twice = format!(
            "{} contains two pictures named {}",
            folder.display(),
            pair[0].name
        );
        return Err(Failure::Input(twice));
    }
    if let Some(missing) = gap(&stills) {
        let gap = format!("{} has no picture {missing}", folder.display());
        return Err(Failure::Input(
            gap + ", though there are pictures before and after it",
        ));
    }
    Ok(stills)
}

/// The first number that is left out between two pictures whose names differ in their numbers only.
fn gap(stills: &[Still]) -> Option<String> {
    stills.windows(2).find_map(|pair| {
        let [(text, number, name), (next_text, next, _)] =
            [natural_key(&pair[0].name), natural_key(&pair[1].name)];
        let digits = name.len() - text.len();
        let missing = number.checked_add(1)?;
        (text == next_text && next != u128::MAX && next > missing)
            .then(|| format!("{text}{missing:0digits$}"))
    })
}

/// Orders frame2 before frame10: text, number, and the whole name where those are equal.
fn natural_key(name: &str) -> (&str, u128, &str) {
    let text = name.trim_end_matches(|c: char| c.is_ascii_digit());
    (text, name[text.len()..].parse().unwrap_or(u128::MAX), name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_sort_by_number() {
        let mut names = ["f10", "f2", "f02", "f1", "g0", "a", "f"];
        names.sort_by(|a, b| natural_key(a).cmp(&natural_key(b)));
        assert_eq!(names, ["a", "f1", "f02", "f2", "f10", "f", "g0"]);
    }
}
