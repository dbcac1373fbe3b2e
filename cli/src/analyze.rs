//! The command `analyze`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use stylelipsync::{Clip, ClipOptions, SeenFace};

use crate::args::AnalyzeArguments;
use crate::face::FaceChoice;
use crate::failure::{Failure, Result};
use crate::lipsync::{PersonFrames, Tracks};
use crate::sink;
use crate::source::Source;

/// Runs `analyze`.
///
/// # Errors
/// Any error that stops it; the file is then unchanged.
pub fn run(arguments: &AnalyzeArguments) -> Result<()> {
    let out = arguments.out.as_path();
    if out.is_dir() {
        return Err(Failure::writing(out, "it is a folder"));
    }
    if out.exists() && out.canonicalize().ok() == arguments.video.canonicalize().ok() {
        return Err(Failure::writing(out, "it is the clip itself"));
    }
    // Checked before the work.
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    tempfile::tempfile_in(folder.unwrap_or(".".as_ref()))
        .map_err(|error| Failure::writing(out, error))?;
    let source = Source::open(&arguments.video, arguments.rate)?;
    let engine = arguments.engine.open()?;
    let faces = arguments.face.iter();
    let selections = faces.map(|face| face.selection(&engine));
    let selections = selections.collect::<Result<Vec<_>>>()?;
    let options = ClipOptions {
        timing: source.timing()?,
        transfer: source.transfer(),
        selection: selections.first().copied().unwrap_or_default(),
        ..ClipOptions::default()
    };
    let mut clip = Clip::new(engine, options)?;
    for selection in selections.into_iter().skip(1) {
        // What they speak is not known yet.
        clip.add_speaker(selection, Arc::new(vec![0.0]), None)?;
    }
    let tracks = Tracks {
        clip: &clip,
        source: &source,
        number_faces: arguments.face.iter().any(FaceChoice::is_number),
        person: PersonFrames::All,
        workers: arguments.engine.workers(),
    };
    let frames = tracks.analyse(&(0..u64::MAX))?;
    // The analysis accepts a clip without a face, for `render`; here it is an error, which the second call
    // returns.
    clip.finish_analysis()?;
    clip.save_analysis(out)?;
    let shots = clip.analysis().shots().len();
    let shots = match shots {
        1 => "1 shot".into(),
        shots => format!("{shots} shots"),
    };
    eprintln!("{frames} frames in {shots}: {}", out.display());
    report_faces(&clip);
    match &arguments.faces {
        Some(path) => write_faces(&clip, path),
        None => Ok(()),
    }
}

/// The faces of a clip's analysed frames, with the frames' indices.
fn faces(clip: &Clip) -> impl Iterator<Item = (i64, SeenFace)> {
    let indices = clip.analysis().indices().into_iter();
    indices.flat_map(|index| {
        let faces = clip.faces(index).unwrap_or_default();
        faces.into_iter().map(move |face| (index, face))
    })
}

/// Prints each face: its number is what --face takes.
fn report_faces(clip: &Clip) {
    let mut seen: BTreeMap<u32, (u64, i64, SeenFace)> = BTreeMap::new();
    for (index, face) in faces(clip) {
        let first = (0, index, face);
        seen.entry(face.id).or_insert(first).0 += 1;
    }
    for (id, (count, first, face)) in seen {
        let [x, y] = face.centre;
        eprintln!("face {id}: in {count} frames, first in frame {first} at {x:.0},{y:.0}");
    }
}

fn write_faces(clip: &Clip, path: &Path) -> Result<()> {
    let mut frames: BTreeMap<i64, Vec<serde_json::Value>> = BTreeMap::new();
    for (index, face) in faces(clip) {
        frames.entry(index).or_default().push(json!({
            "id": face.id,
            "x": face.centre[0],
            "y": face.centre[1],
            "side": face.side,
            "confidence": face.confidence,
        }));
    }
    let text = json!({ "frames": frames }).to_string();
    sink::write_whole(path, text.as_bytes())
}
