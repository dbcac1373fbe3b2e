//! Interlaced movies: which field of a frame is shown first.

use std::path::Path;

use crate::failure::{Failure, Result};
use crate::tool;

/// Which field of an interlaced frame is shown first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fields {
    /// As the decoder marks each frame.
    Marked,
    TopFirst,
    BottomFirst,
}

/// Of an interlaced movie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interlacing {
    pub fields: Fields,
    /// The movie does not say so, but its picture shows it.
    pub found: bool,
}

/// Codecs without fields, or whose movies are hardly ever interlaced: others that do not state their order are looked
/// at.
const PROGRESSIVE: [&str; 10] = [
    "apng", "av1", "gif", "hevc", "png", "qtrle", "theora", "vp8", "vp9", "webp",
];
/// Frames that are looked at.
const LOOKED_AT: &str = "50";
/// Of these, as many must be interlaced in one order, and none in the other. A picture with fine horizontal lines may
/// look interlaced in single frames, and one that hardly moves progressive.
const ENOUGH: usize = 5;

/// Finds the order. What the decoder marks is right for each frame. Some codecs carry no mark, and the container alone
/// knows; where that does not, the picture is looked at.
///
/// `stated`: ffprobe's field order. `marked`: the decoder marks frames as interlaced.
///
/// # Errors
/// [`Failure::Interrupted`].
pub fn find(
    path: &Path,
    codec: &str,
    stated: Option<&str>,
    marked: bool,
) -> Result<Option<Interlacing>> {
    let fields = match (known(stated, marked), stated) {
        (None, None | Some("unknown")) if !PROGRESSIVE.contains(&codec) => {
            let fields = look(path)?;
            return Ok(fields.map(|fields| Interlacing {
                fields,
                found: true,
            }));
        }
        (fields, _) => fields,
    };
    Ok(fields.map(|fields| Interlacing {
        fields,
        found: false,
    }))
}

fn known(stated: Option<&str>, marked: bool) -> Option<Fields> {
    match stated {
        _ if marked => Some(Fields::Marked),
        // The second letter is the field that is shown first.
        Some("tt" | "bt") => Some(Fields::TopFirst),
        Some("bb" | "tb") => Some(Fields::BottomFirst),
        _ => None,
    }
}

fn look(path: &Path) -> Result<Option<Fields>> {
    let mut command = tool::command("ffmpeg");
    command.arg("-i").arg(tool::file(path));
    command.args(["-map", "0:v:0", "-frames:v", LOOKED_AT, "-vf"]);
    // A higher threshold than the default: a sharp horizontal edge that moves looks like two fields.
    command.arg(
        "idet=intl_thres=1.5,metadata=mode=print:key=lavfi.idet.multiple.current_frame:file=-",
    );
    command.args(["-f", "null", "-"]);
    let doing = format!("looking for fields in {}", path.display());
    match tool::output("ffmpeg", command, doing) {
        Ok(printed) => Ok(order(&String::from_utf8_lossy(&printed))),
        Err(Failure::Interrupted) => Err(Failure::Interrupted),
        // Who decodes it reports what is wrong with it.
        Err(_) => Ok(None),
    }
}

/// What `idet` printed of all frames.
fn order(printed: &str) -> Option<Fields> {
    let count = |kind: &str| printed.lines().filter(|line| line.ends_with(kind)).count();
    let enough = (2 * count("=progressive")).max(ENOUGH);
    match [count("=tff"), count("=bff")] {
        [top, 0] if top >= enough => Some(Fields::TopFirst),
        [0, bottom] if bottom >= enough => Some(Fields::BottomFirst),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_comes_before_the_container() {
        assert_eq!(known(Some("progressive"), false), None);
        assert_eq!(known(None, false), None);
        assert_eq!(known(Some("unknown"), true), Some(Fields::Marked));
        assert_eq!(known(Some("bb"), false), Some(Fields::BottomFirst));
        assert_eq!(known(Some("bt"), false), Some(Fields::TopFirst));
    }

    #[test]
    fn an_order_must_be_clear() {
        let frames = |kind: &str, count: usize| {
            format!("frame:1\nlavfi.idet.multiple.current_frame={kind}\n").repeat(count)
        };
        assert_eq!(order(&frames("tff", 5)), Some(Fields::TopFirst));
        let mixed = frames("bff", 30) + &frames("undetermined", 20);
        assert_eq!(order(&mixed), Some(Fields::BottomFirst));
        assert_eq!(order(&frames("tff", 4)), None);
        assert_eq!(order(&(mixed.clone() + &frames("tff", 1))), None);
        assert_eq!(order(&(mixed + &frames("progressive", 16))), None);
        assert_eq!(order(""), None);
    }
}
