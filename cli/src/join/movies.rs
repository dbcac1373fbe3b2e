//! Pieces that are movies: their packets are copied into one movie, nothing is encoded again but the audio.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::ai_metadata;
use crate::args::JoinArguments;
use crate::audio::Track;
use crate::failure::{Failure, Result};
use crate::format::{Codec, Kind};
use crate::join::check::{self, argument};
use crate::join::concat;
use crate::join::piece::{self, Piece};
use crate::movie::codec;
use crate::movie::encoder::{self, Sound};
use crate::movie::probe;
use crate::sink;
use crate::tool::{self, Tool};

/// Joins the movies. Returns the number of frames.
///
/// # Errors
/// [`Failure::Input`] when a piece is missing or unlike the first; [`Failure::Tool`] from ffmpeg.
pub fn join(arguments: &JoinArguments) -> Result<u64> {
    let out = arguments.out.as_path();
    let kind = Kind::of(out)?;
    let pieces = arguments.pieces.iter().map(|path| Piece::open(path));
    let mut pieces = pieces.collect::<Result<Vec<Piece>>>()?;
    let first_frame = piece::order(&mut pieces)?;
    let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else {
        return Err(argument("PIECE", "at least one is needed"));
    };
    for piece in &pieces {
        piece.check_like(first)?;
    }
    let frames = pieces.iter().map(|piece| piece.movie.frames).sum();
    check::count(arguments.count, frames, last.path)?;
    if !first.codec.fits(kind) {
        return Err(Failure::writing(
            out,
            format!(
                "the pieces are {}, which {} does not hold",
                codec::name(first.codec),
                kind.name()
            ),
        ));
    }
    if !first.codec.is_intra() {
        log::warn!(
            "each piece was encoded on its own: the decoded frames differ slightly from those of a {} movie that \
             was rendered in one piece (those of FFV1, ProRes and pictures do not)",
            codec::name(first.codec)
        );
    }
    let rate = first.movie.rate;
    let track = match &arguments.audio {
        Some(path) => Some(Track::find(path, &arguments.sound)?),
        None if arguments.sound.is_default() => None,
        None => return Err(argument("audio", "is needed by its track and offset")),
    };
    let sound = track.map(|track| Sound {
        track,
        start: rate.seconds(first_frame.unwrap_or(0)),
        seconds: rate.seconds(frames),
    });
    if sound.is_none()
        && let Some(lossy) = first.lossy_audio()
    {
        return Err(argument(
            "audio",
            format!("is needed: the {lossy} audio of pieces cannot be joined without gaps"),
        ));
    }
    let temporary = sink::temporary_movie(out)?;
    let mut command = command(kind, &pieces, sound.as_ref());
    if let Some(start) = first_frame {
        let tag = encoder::piece_tag(start, frames);
        command.args(["-metadata", &tag]);
    }
    let marked = pieces
        .iter()
        .any(|piece| ai_metadata::is_marked(piece.path));
    if marked {
        encoder::ai_metadata(&mut command, kind);
    }
    write(command, &concat::list(&pieces)?, &temporary, out)?;
    // ffmpeg leaves out a piece that it cannot read, and ends without an error.
    let written = probe::movie(&temporary)?.frames;
    if written != frames {
        return Err(Failure::Tool(format!(
            "ffmpeg wrote {written} of {frames} frames while joining {}",
            out.display()
        )));
    }
    if marked {
        ai_metadata::mark_movie(kind, &temporary)?;
    }
    temporary
        .persist(out)
        .map_err(|error| Failure::writing(out, error.error))?;
    Ok(frames)
}

/// The ffmpeg that reads the list of pieces from its standard input; the output's path is still to be added.
fn command(kind: Kind, pieces: &[Piece], sound: Option<&Sound>) -> Command {
    let mut command = tool::command("ffmpeg");
    command.args(["-f", "concat", "-safe", "0"]);
    command.args(["-protocol_whitelist", "file,pipe", "-i", "pipe:0"]);
    if let Some(sound) = sound {
        command.arg("-i").arg(tool::file(sound.track.path));
    }
    command.args(["-map_chapters", "-1", "-map", "0:v:0", "-c:v", "copy"]);
    let Some(first) = pieces.first() else {
        return command;
    };
    let rate = first.movie.rate;
    // ffmpeg sets the times back to where the first packet begins, which may be one of AAC's before the picture.
    if first.codec.is_intra() {
        // Each piece's times were rounded on their own. No `-r`: it would undo this.
        let on_grid = format!("setts=ts=round(round((PTS-STARTPTS)*TB*{rate})/({rate})/TB)");
        command.args(["-bsf:v", &on_grid]);
    } else {
        command.args(["-bsf:v", "setts=pts=PTS-STARTPTS:dts=DTS-STARTPTS"]);
        command.args(["-r", &rate.to_string()]);
    }
    if first.codec == Codec::H265 && kind != Kind::Mkv {
        command.args(encoder::HEVC_TAG);
    }
    if let Some(sound) = sound {
        sound.output(&mut command, kind, 1);
    } else if first.audio.is_some() {
        // The pieces' samples follow each other without a gap: no time stamp is needed, and those of Matroska are
        // rounded.
        command.args(["-map", "0:a:0", "-filter:a:0", "asetpts=N/SR/TB"]);
        encoder::sound_codec(&mut command, kind);
    }
    if let Some(code) = first.movie.timecode.and_then(|code| code.later(0, rate)) {
        encoder::timecode_tag(&mut command, kind, &code);
    }
    encoder::container(&mut command, kind);
    command
}

fn write(mut command: Command, list: &[u8], temporary: &Path, out: &Path) -> Result<()> {
    command
        .arg(tool::file(temporary))
        .stdin(Stdio::piped())
        .stdout(Stdio::null());
    let mut tool = Tool::start("ffmpeg", command, format!("joining {}", out.display()))?;
    if let Some(mut pipe) = tool.stdin() {
        // Where ffmpeg has ended before it read all, its own message says why.
        let _ = pipe.write_all(list);
    }
    tool.finish()
}
