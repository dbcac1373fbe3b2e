//! What a result is made from, for the report and for the watermark.

use stylelipsync::model::Person;
use stylelipsync::provenance::{AudioFacts, FramesReport, Provenance};
use stylelipsync::{Engine, Speech};

/// A report of the inputs; `frames`: those that were changed.
pub fn of_inputs(
    engine: &Engine,
    person: Option<&Person>,
    speech: &Speech,
    frames: FramesReport,
) -> Provenance {
    let mut report = Provenance::new(engine.bundle().facts(), frames);
    report.person = person.map(Person::facts);
    report.audio = Some(AudioFacts {
        sha256: None,
        samples_sha256: speech.hash(),
    });
    report
}
