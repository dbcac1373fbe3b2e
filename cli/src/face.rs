//! Which face an option means.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use stylelipsync::Engine;
use stylelipsync::frame::Transfer;
use stylelipsync::track::Selection;

use crate::failure::Result;
use crate::stills::Still;

/// Which face of the clip is meant.
#[derive(Clone, Debug, PartialEq)]
pub enum FaceChoice {
    Largest,
    Point {
        x: f64,
        y: f64,
    },
    Id(u32),
    /// The person in a picture.
    Picture(PathBuf),
}

impl FaceChoice {
    /// What the library is asked for.
    ///
    /// # Errors
    /// [`Failure::Input`](crate::failure::Failure::Input) for a picture that cannot be read; from the library when
    /// it shows no face.
    pub fn selection(&self, engine: &Engine) -> Result<Selection> {
        Ok(match self {
            Self::Largest => Selection::Largest,
            Self::Point { x, y } => Selection::Point { x: *x, y: *y },
            Self::Id(id) => Selection::Id(*id),
            Self::Picture(path) => {
                let picture = Still::of(path).decode()?.displayed();
                Selection::Like(engine.recognize(&picture.view()?, Transfer::Display)?)
            }
        })
    }

    /// Whether it is a track's number, which depends on every earlier frame.
    pub fn is_number(&self) -> bool {
        matches!(self, Self::Id(_))
    }
}

impl FromStr for FaceChoice {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        if text == "largest" {
            return Ok(Self::Largest);
        }
        let point = text.split_once(',').and_then(|(x, y)| {
            let number = |text: &str| text.trim().parse::<f64>().ok().filter(|v| v.is_finite());
            number(x).zip(number(y))
        });
        if let Some((x, y)) = point {
            return Ok(Self::Point { x, y });
        }
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(id));
        }
        let picture = Path::new(text).is_file();
        picture.then(|| Self::Picture(text.into())).ok_or_else(|| {
            format!(
                "'{text}' is neither 'largest', a point X,Y, a track's number nor a picture file"
            )
        })
    }
}

/// Which face `render` lip-syncs.
#[derive(Clone, Debug, PartialEq)]
pub enum RenderedFace {
    Chosen(FaceChoice),
    /// The one that speaks in the clip's own audio.
    Speaking,
}

impl FromStr for RenderedFace {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text {
            "speaking" => Ok(Self::Speaking),
            _ => text.parse().map(Self::Chosen),
        }
    }
}

/// A face and a file: the audio that it speaks, or its person file.
#[derive(Clone, Debug, PartialEq)]
pub struct OfFace {
    pub face: FaceChoice,
    pub file: PathBuf,
}

impl FromStr for OfFace {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (face, file) = text
            .split_once('=')
            .filter(|(_, file)| !file.is_empty())
            .ok_or_else(|| format!("'{text}' is not FACE=FILE, such as 0=speech.wav"))?;
        Ok(Self {
            face: face.parse()?,
            file: file.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speaker_is_a_face_and_a_file() {
        let speak = "640,250.5=a=b.wav".parse::<OfFace>().unwrap();
        assert_eq!(speak.face, FaceChoice::Point { x: 640.0, y: 250.5 });
        assert_eq!(speak.file, PathBuf::from("a=b.wav"));
        for text in ["a.wav", "0=", "left=a.wav", "=a.wav", ""] {
            assert!(text.parse::<OfFace>().is_err(), "{text}");
        }
    }

    #[test]
    fn faces() {
        assert_eq!("largest".parse(), Ok(FaceChoice::Largest));
        assert_eq!(
            "12.5,80".parse(),
            Ok(FaceChoice::Point { x: 12.5, y: 80.0 })
        );
        assert_eq!("2".parse(), Ok(FaceChoice::Id(2)));
        let folder = tempfile::tempdir().unwrap();
        let picture = folder.path().join("a, b.png");
        std::fs::write(&picture, []).unwrap();
        assert_eq!(
            picture.to_str().unwrap().parse(),
            Ok(FaceChoice::Picture(picture.clone()))
        );
        let missing = folder.path().join("c.png").display().to_string();
        for text in ["", "biggest", "1,", "nan,2", "-1", &missing] {
            assert!(text.parse::<FaceChoice>().is_err(), "{text}");
        }
    }
}
