//! The report of a render, as JSON.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::consent::Consent;
use super::frames::FramesReport;
use super::hex::is_hex;
use crate::{Error, Result, files};

/// What was done, in the vocabulary of C2PA.
pub const ACTION: &str = "c2pa.edited";

/// What the result is, in the vocabulary of the IPTC: a composite of captured and generated pixels.
pub const DIGITAL_SOURCE_TYPE: &str =
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia";

/// Name and version of the format.
const FORMAT: &str = "stylelipsync.provenance";
const VERSION: u32 = 1;

/// The largest report that is read, in bytes.
const LARGEST: usize = 1 << 20;

/// What made a render, and what was changed. It is a function of the clip's inputs and of the set of frames
/// that were rendered: not of their order, nor of the number of threads, nor of the time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    format: String,
    version: u32,
    /// The program that rendered.
    pub software: Software,
    /// [`ACTION`].
    pub action: String,
    /// [`DIGITAL_SOURCE_TYPE`].
    pub digital_source_type: String,
    /// The networks.
    pub bundle: BundleFacts,
    /// The person that the decoder was adapted to.
    pub person: Option<PersonFacts>,
    /// The new speech.
    pub audio: Option<AudioFacts>,
    /// The speakers after the first, whose are `person` and `audio`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub speakers: Vec<SpeakerFacts>,
    /// Which frames were changed.
    pub frames: FramesReport,
    /// The consent given for this render; that of the person file is in `person`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<Consent>,
    /// The identifier in the invisible watermark: 16 hexadecimal digits; `None` without a watermark.
    pub watermark: Option<String>,
}

/// A program and its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Software {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A model bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleFacts {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its `weights.safetensors`, in hexadecimal.
    pub sha256: String,
}

/// A person that the decoder was adapted to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonFacts {
    /// SHA-256 of the person file, in hexadecimal; `None` for a person that was adapted in the same
    /// process and not read from a file.
    pub sha256: Option<String>,
    /// SHA-256 of the adapted tensors, in hexadecimal.
    pub tensors_sha256: String,
    /// The consent in the person file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<Consent>,
}

/// The audio that the speaker speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AudioFacts {
    /// SHA-256 of the audio file, in hexadecimal, where the caller knows it.
    pub sha256: Option<String>,
    /// SHA-256 of the mono samples at 16 kHz (32-bit floats, little-endian), in hexadecimal; `None` for
    /// a stream, which does not keep them.
    pub samples_sha256: Option<String>,
}

/// A further speaker of a clip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpeakerFacts {
    /// The person that its decoder was adapted to.
    pub person: Option<PersonFacts>,
    /// Its speech.
    pub audio: AudioFacts,
}

impl Provenance {
    /// A report of this version of the library.
    pub fn new(bundle: BundleFacts, frames: FramesReport) -> Self {
        Self {
            format: FORMAT.into(),
            version: VERSION,
            software: Software {
                name: env!("CARGO_PKG_NAME").into(),
                version: env!("CARGO_PKG_VERSION").into(),
            },
            action: ACTION.into(),
            digital_source_type: DIGITAL_SOURCE_TYPE.into(),
            bundle,
            person: None,
            audio: None,
            speakers: Vec::new(),
            frames,
            consent: None,
            watermark: None,
        }
    }

    /// A name for what the render is made from: the hashes of the bundle, and of person and audio of each
    /// speaker (empty where there is none, and for the audio of a stream). It does not depend on the frames,
    /// so that all pieces of one render get the same.
    pub fn inputs(&self) -> String {
        let person = |it: &Option<PersonFacts>| it.as_ref().map(|it| it.tensors_sha256.clone());
        let first = [
            Some(self.bundle.sha256.clone()),
            person(&self.person),
            self.audio.as_ref().and_then(|it| it.samples_sha256.clone()),
        ];
        let further = self
            .speakers
            .iter()
            .flat_map(|it| [person(&it.person), it.audio.samples_sha256.clone()]);
        let parts = first.into_iter().chain(further);
        let parts: Vec<String> = parts.map(Option::unwrap_or_default).collect();
        parts.join("/")
    }

    /// The report as JSON, with line breaks; the order of the fields is fixed.
    ///
    /// # Errors
    /// [`Error::State`] when it cannot be serialised.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string_pretty(self)
            .map_err(|error| Error::State(format!("the provenance report: {error}")))
    }

    /// Writes the report to a file, completely or not at all.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        files::write_whole(path.as_ref(), self.to_json()?.as_bytes())
    }

    /// Reads a report and checks that it is consistent. What it states may still be false: it is not signed.
    ///
    /// # Errors
    /// [`Error::Argument`] with the field that is wrong.
    pub fn parse(json: &str) -> Result<Self> {
        let refuse = |reason: String| Error::Argument {
            field: "report",
            reason,
        };
        if json.len() > LARGEST {
            return Err(refuse(format!("{} bytes are too many", json.len())));
        }
        let read: Self = serde_json::from_str(json)
            .map_err(|error| refuse(format!("is not a provenance report: {error}")))?;
        match read.fault() {
            Some(fault) => Err(refuse(fault)),
            None => Ok(read),
        }
    }

    /// One report of the pieces of a render.
    ///
    /// # Errors
    /// [`Error::Argument`] when they are not of one render: other inputs, or frames missing between them.
    pub fn merged(reports: &[Self]) -> Result<Self> {
        let refuse = |reason: String| Error::Argument {
            field: "report",
            reason,
        };
        let Some((first, others)) = reports.split_first() else {
            return Err(refuse("there is none".into()));
        };
        if others.is_empty() {
            return Ok(first.clone());
        }
        let unlike = |other: &&Self| {
            **other
                != Self {
                    frames: other.frames.clone(),
                    ..first.clone()
                }
        };
        if others.iter().any(|other| unlike(&other)) {
            return Err(refuse("the reports are not of pieces of one render".into()));
        }
        let frames: Vec<&FramesReport> = reports.iter().map(|report| &report.frames).collect();
        Ok(Self {
            frames: FramesReport::merged(&frames).map_err(refuse)?,
            ..first.clone()
        })
    }

    fn fault(&self) -> Option<String> {
        if (self.format.as_str(), self.version) != (FORMAT, VERSION) {
            return Some(format!(
                "format: {} {}; this library reads {FORMAT} {VERSION}",
                self.format, self.version
            ));
        }
        for (field, value, wanted) in [
            ("action", &self.action, ACTION),
            (
                "digital_source_type",
                &self.digital_source_type,
                DIGITAL_SOURCE_TYPE,
            ),
        ] {
            if value != wanted {
                return Some(format!("{field}: {value} is not {wanted}"));
            }
        }
        let person = self.person.as_ref();
        let audio = self.audio.as_ref();
        let hashes = [
            ("bundle.sha256", Some(&self.bundle.sha256), 64),
            (
                "person.sha256",
                person.and_then(|facts| facts.sha256.as_ref()),
                64,
            ),
            (
                "person.tensors_sha256",
                person.map(|facts| &facts.tensors_sha256),
                64,
            ),
            (
                "audio.sha256",
                audio.and_then(|facts| facts.sha256.as_ref()),
                64,
            ),
            (
                "audio.samples_sha256",
                audio.and_then(|facts| facts.samples_sha256.as_ref()),
                64,
            ),
            ("watermark", self.watermark.as_ref(), 16),
        ];
        for (field, value, digits) in hashes {
            if let Some(value) = value
                && !is_hex(value, digits)
            {
                return Some(format!("{field}: not {digits} hexadecimal digits"));
            }
        }
        for speaker in &self.speakers {
            let (person, audio) = (speaker.person.as_ref(), &speaker.audio);
            let hashes = [
                person.and_then(|facts| facts.sha256.as_ref()),
                person.map(|facts| &facts.tensors_sha256),
                audio.sha256.as_ref(),
                audio.samples_sha256.as_ref(),
            ];
            if hashes.into_iter().flatten().any(|hash| !is_hex(hash, 64)) {
                return Some("speakers: not 64 hexadecimal digits".into());
            }
            let consent = person.and_then(|facts| facts.consent.as_ref());
            if let Some(fault) = consent.and_then(Consent::fault) {
                return Some(format!("speakers.person.consent.{fault}"));
            }
        }
        let of_person = person.and_then(|facts| facts.consent.as_ref());
        for (field, consent) in [
            ("consent", self.consent.as_ref()),
            ("person.consent", of_person),
        ] {
            if let Some(fault) = consent.and_then(Consent::fault) {
                return Some(format!("{field}.{fault}"));
            }
        }
        self.frames.fault()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provenance::FrameSet;

    fn report() -> Provenance {
        let mut frames = FrameSet::default();
        [0, 1, 2, 9].into_iter().for_each(|t| frames.insert(t));
        let bundle = BundleFacts {
            name: "lite".into(),
            version: "1".into(),
            sha256: "0".repeat(64),
        };
        let mut report = Provenance::new(bundle, frames.report());
        (report.frames.first, report.frames.count) = (Some(0), Some(10));
        report
    }

    #[test]
    fn a_report_is_read_as_it_was_written() {
        let json = report().to_json().unwrap();
        assert_eq!(Provenance::parse(&json).unwrap(), report());
    }

    #[test]
    fn the_reports_of_pieces_become_that_of_the_whole() {
        let whole = report();
        let piece = |first, count, changed: &[[i64; 2]], changed_count| {
            let mut piece = report();
            piece.frames = FramesReport {
                first: Some(first),
                count: Some(count),
                changed: changed.to_vec(),
                changed_count,
                exact: true,
            };
            piece
        };
        let pieces = [piece(2, 8, &[[2, 2], [9, 9]], 2), piece(0, 2, &[[0, 1]], 2)];
        assert_eq!(Provenance::merged(&pieces).unwrap(), whole);
        let gap = [piece(0, 2, &[[0, 1]], 2), piece(3, 7, &[[9, 9]], 1)];
        assert!(Provenance::merged(&gap).is_err());
        let mut other = pieces.clone();
        other[1].bundle.sha256 = "1".repeat(64);
        assert!(Provenance::merged(&other).is_err());
        assert!(Provenance::merged(&[]).is_err());
    }

    #[test]
    fn the_frames_of_an_exported_file_may_begin_anywhere_in_the_clip() {
        let mut exported = report();
        (exported.frames.first, exported.frames.count) = (None, None);
        exported.frames.changed = vec![[100, 102], [109, 109]];
        assert!(exported.frames.clone().fit(9).is_err());
        let mut short = exported.clone();
        short.frames.fit(10).unwrap();
        assert_eq!(short.frames.first, Some(100));
        exported.frames.fit(200).unwrap();
        assert_eq!(exported.frames.first, Some(0));
    }

    #[test]
    fn false_reports_are_refused_with_the_field() {
        type Forge = fn(&mut Provenance);
        let cases: [(&str, Forge); 9] = [
            ("format", |r| r.version = 2),
            ("action", |r| r.action = "c2pa.created".into()),
            ("digital_source_type", |r| r.digital_source_type.clear()),
            ("bundle.sha256", |r| r.bundle.sha256 = "0".repeat(63)),
            ("watermark", |r| r.watermark = Some("xyz".into())),
            ("frames.changed: 9 is after 3", |r| {
                r.frames.changed[1] = [9, 3];
            }),
            ("out of order", |r| r.frames.changed.reverse()),
            ("frames.changed_count: 3", |r| r.frames.changed_count = 3),
            ("is not within the file's frames 0 to 8", |r| {
                r.frames.count = Some(9);
            }),
        ];
        for (wanted, forge) in cases {
            let mut forged = report();
            forge(&mut forged);
            let error = Provenance::parse(&forged.to_json().unwrap()).unwrap_err();
            let text = error.to_string();
            assert!(text.contains(wanted), "{text}, not {wanted}");
        }
        let mut longer = report();
        longer.frames.count = Some(11);
        assert!(longer.frames.fit(10).is_err());
        let unknown = report()
            .to_json()
            .unwrap()
            .replacen('{', "{\"more\": 1,", 1);
        assert!(Provenance::parse(&unknown).is_err());
    }
}
