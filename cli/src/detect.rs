//! The command `detect`.

use stylelipsync::{Detection, Detector};

use crate::args::{DetectArguments, FrameRange};
use crate::failure::{Failure, Result};
use crate::progress;
use crate::source::Source;

/// Runs `detect`; prints what was found.
///
/// # Errors
/// [`Failure::NotFound`] where no watermark was found, after the report; any error that stops it.
pub fn run(arguments: &DetectArguments) -> Result<()> {
    let source = Source::open(&arguments.video, None)?;
    let range = match &arguments.frames {
        Some(FrameRange(range)) => *range.start()..range.end().saturating_add(1),
        None => 0..u64::MAX,
    };
    let mut detector = Detector::new(arguments.engine.open()?, source.transfer());
    let expected = source.expected_frames().min(range.end);
    let bar = progress::bar("reading", expected.saturating_sub(range.start));
    for frame in source.frames(range.start..range.end)? {
        detector.push(&frame?.picture.view()?)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    let detection = detector.detect()?;
    report(&detection)
}

fn report(detection: &Detection) -> Result<()> {
    let Detection {
        found,
        id,
        score,
        chance,
        frames,
        faces,
    } = *detection;
    if frames == 0 {
        return Err(Failure::Input("the clip has no frame".into()));
    }
    let seen = format!("{faces} faces in {frames} frames");
    if !found {
        println!("no watermark found in {seen} (score {score:.1})");
        return Err(Failure::NotFound);
    }
    match id {
        Some(id) => println!("watermark: {}", id.text()),
        None => println!("watermark: found, but its identifier cannot be read"),
    }
    println!("score: {score:.1} in {seen}; by chance with a probability below {chance:.0e}");
    Ok(())
}
