//! ffmpeg and ffprobe as child processes.
//!
//! A child is killed when its handle is dropped, so that a failure anywhere leaves none behind,
//! and its last line on standard error becomes part of our error message.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::thread::{JoinHandle, ScopedJoinHandle};

use parking_lot::Mutex;
use serde::de::DeserializeOwned;

use crate::failure::{Failure, Result};
use crate::interrupt;

/// The creation flag of Windows for a child that does not get Ctrl-C.
#[cfg(windows)]
const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;

/// A running ffmpeg or ffprobe.
pub struct Tool {
    name: &'static str,
    doing: String,
    child: Child,
    last_line_thread: Option<JoinHandle<String>>,
}

/// A command line of `name` that prints errors only and never asks back.
pub fn command(name: &'static str) -> Command {
    let mut command = Command::new(name);
    command.args(["-v", "error"]);
    if name == "ffmpeg" {
        command.args(["-nostdin", "-y"]);
    }
    command
}

/// A path as an argument of ffmpeg: a name that begins like a protocol or an option stays a name.
pub fn file(path: &Path) -> OsString {
    let mut argument = OsString::from("file:");
    argument.push(path);
    argument
}

impl Tool {
    /// Starts `command`; `doing` completes the message "ffmpeg failed while ...".
    ///
    /// # Errors
    /// [`Failure::Tool`] when the program is not installed or cannot be started.
    pub fn start(name: &'static str, mut command: Command, doing: String) -> Result<Self> {
        own_group(&mut command);
        let mut child = command
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| cannot_start(name, &error))?;
        let last_line_thread = child
            .stderr
            .take()
            .map(|pipe| std::thread::spawn(move || last_line(pipe)));
        Ok(Self {
            name,
            doing,
            child,
            last_line_thread,
        })
    }

    /// The child's standard input, once.
    pub fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// The child's standard output, once.
    pub fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Waits for the child to end by itself.
    ///
    /// # Errors
    /// [`Failure::Tool`] with the child's last message when it failed.
    pub fn finish(mut self) -> Result<()> {
        let status = self.child.wait();
        let message = self
            .last_line_thread
            .take()
            .and_then(|thread| thread.join().ok());
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(self.failed(status, message.unwrap_or_default())),
            Err(error) => Err(Failure::Tool(format!("{} was lost: {error}", self.name))),
        }
    }

    fn failed(&self, status: ExitStatus, message: String) -> Failure {
        if let Err(interrupted) = interrupt::check() {
            return interrupted;
        }
        let message = if message.is_empty() {
            status.to_string()
        } else {
            message
        };
        Failure::Tool(format!(
            "{} failed while {}: {message}",
            self.name, self.doing
        ))
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        // Both fail when the child has ended already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// In a group of its own, Ctrl-C reaches only us, and we stop the child when we are ready.
fn own_group(command: &mut Command) {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    #[cfg(windows)]
    std::os::windows::process::CommandExt::creation_flags(command, CREATE_NEW_PROCESS_GROUP);
}

fn cannot_start(name: &str, error: &std::io::Error) -> Failure {
    Failure::Tool(match error.kind() {
        ErrorKind::NotFound => format!(
            "{name} was not found: install the package ffmpeg and see that PATH has it, \
             or use folders of PNGs instead of movies"
        ),
        _ => format!("{name} cannot be started: {error}"),
    })
}

/// What ffmpeg says of itself.
#[derive(Debug)]
pub struct Ffmpeg {
    /// Its option that says what becomes of frames.
    pub frame_mode: &'static str,
    /// Its list of encoders, a line for each.
    pub encoders: String,
}

/// What a thread gave; its panic is passed on.
pub fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    match thread.join() {
        Ok(given) => given,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// ffmpeg's option that says what becomes of frames. Without an ffmpeg, whatever is called with it fails anyway.
pub fn frame_mode() -> &'static str {
    ffmpeg().map_or("", |known| known.frame_mode)
}

/// Asks ffmpeg for its version and its encoders, once.
///
/// # Errors
/// [`Failure::Tool`] that names the package to install.
pub fn ffmpeg() -> Result<&'static Ffmpeg> {
    static KNOWN: OnceLock<Ffmpeg> = OnceLock::new();
    static ASKING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = ASKING.lock();
    if let Some(known) = KNOWN.get() {
        return Ok(known);
    }
    // The banner on standard error has the version: one run tells both.
    let mut command = Command::new("ffmpeg");
    command.arg("-encoders").stdin(Stdio::null());
    own_group(&mut command);
    let printed = command
        .output()
        .map_err(|error| cannot_start("ffmpeg", &error))?;
    let banner = String::from_utf8_lossy(&printed.stderr);
    if !printed.status.success() {
        let last = banner.lines().last().unwrap_or_default();
        return Err(Failure::Tool(format!(
            "ffmpeg failed while listing its encoders: {last}"
        )));
    }
    Ok(KNOWN.get_or_init(|| Ffmpeg {
        frame_mode: frame_mode_of(&banner),
        encoders: String::from_utf8_lossy(&printed.stdout).into_owned(),
    }))
}

/// The option's name changed with version 5.1.
fn frame_mode_of(printed: &str) -> &'static str {
    let version = printed.strip_prefix("ffmpeg version ").unwrap_or_default();
    let mut numbers = version
        .trim_start_matches('n')
        .split(|c: char| !c.is_ascii_digit())
        .map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) if (major, minor) < (5, 1) => "-vsync",
        // Builds between versions, which have a hash instead of a number, are recent.
        _ => "-fps_mode",
    }
}

/// Runs `command` to its end and returns what it printed.
///
/// # Errors
/// [`Failure::Tool`] as [`Tool::start`] and [`Tool::finish`].
pub fn output(name: &'static str, mut command: Command, doing: String) -> Result<Vec<u8>> {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut tool = Tool::start(name, command, doing)?;
    let mut printed = Vec::new();
    if let Some(mut pipe) = tool.stdout() {
        pipe.read_to_end(&mut printed)
            .map_err(|error| Failure::Tool(format!("{name} was lost: {error}")))?;
    }
    tool.finish()?;
    Ok(printed)
}

/// Asks ffprobe about a file: `options` name what it shows, `T` holds the fields that are wanted.
///
/// # Errors
/// [`Failure::Tool`] from ffprobe, or where its answer lacks a field.
pub fn probe<T: DeserializeOwned>(path: &Path, options: &[&str]) -> Result<T> {
    let mut command = command("ffprobe");
    command
        .args(options)
        .args(["-show_streams", "-show_format", "-of", "json"]);
    command.arg(file(path));
    let doing = format!("reading {}", path.display());
    let printed = output("ffprobe", command, doing.clone())?;
    serde_json::from_slice(&printed)
        .map_err(|error| Failure::Tool(format!("ffprobe failed while {doing}: {error}")))
}

/// The last line with text in it; read to the end so that the child never blocks on a full pipe.
fn last_line(pipe: ChildStderr) -> String {
    let mut last = String::new();
    let mut reader = BufReader::new(pipe);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
        let text = String::from_utf8_lossy(&line);
        if !text.trim().is_empty() {
            last = text.trim().to_owned();
        }
        line.clear();
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_decides_the_option_s_name() {
        for (version, option) in [
            ("4.4.2-0ubuntu0.22.04.1", "-vsync"),
            ("5.0.1", "-vsync"),
            ("n5.1", "-fps_mode"),
            ("5.1.9-0+deb12u1", "-fps_mode"),
            ("8.0", "-fps_mode"),
            ("N-109542-g1bf1c1d6e2", "-fps_mode"),
        ] {
            let printed = format!("ffmpeg version {version} Copyright (c) 2000-2026");
            assert_eq!(frame_mode_of(&printed), option, "{version}");
        }
    }
}
