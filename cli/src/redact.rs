//! Takes paths out of the lines of the log file: it is attached to public reports.

use std::path::{Path, PathBuf};

/// The environment variable that keeps paths in the log file, for whoever looks for a missing file.
const KEEP: &str = "STYLELIPSYNC_LOG_PATHS";
/// Shorter texts are parts of ordinary words.
const SHORTEST: usize = 3;

/// Knows the paths that messages can name: those of the command line, and the user's folders.
pub struct Redactor {
    /// The longest first.
    paths: Vec<String>,
}

impl Redactor {
    /// The paths among the program's arguments, the current and the home folder; none where the user wants them
    /// to be logged.
    pub fn from_environment() -> Self {
        if std::env::var_os(KEEP).is_some_and(|value| value == "1") {
            return Self { paths: Vec::new() };
        }
        let folders = [
            dirs::home_dir(),
            std::env::current_dir().ok(),
            Some(std::env::temp_dir()),
        ];
        let arguments = std::env::args_os().skip(1).map(PathBuf::from);
        Self::of(arguments, folders.into_iter().flatten())
    }

    fn of(
        arguments: impl Iterator<Item = PathBuf>,
        folders: impl Iterator<Item = PathBuf>,
    ) -> Self {
        let mut paths = Vec::new();
        for argument in arguments {
            let text = argument.to_string_lossy();
            // Also the value of --name=value.
            let value = match text.strip_prefix("--") {
                Some(option) => option.split_once('=').map(|(_, value)| value),
                None => Some(&*text),
            };
            let Some(value) = value.map(Path::new) else {
                continue;
            };
            let named = value.extension().is_some() || value.components().count() > 1;
            // A number such as 1.5 is not a path.
            if value.to_string_lossy().parse::<f64>().is_ok() || !(named || value.exists()) {
                continue;
            }
            paths.extend(value.canonicalize().ok());
            paths.extend(value.parent().map(Path::to_owned));
            paths.extend(value.file_name().map(PathBuf::from));
            paths.push(value.to_owned());
        }
        paths.extend(folders);
        let mut paths: Vec<String> = paths
            .iter()
            .map(|path| path.display().to_string())
            .filter(|path| path.len() >= SHORTEST)
            .collect();
        paths.sort_by_key(|path| std::cmp::Reverse(path.len()));
        paths.dedup();
        Self { paths }
    }

    /// The message with `[path]` for every path that is known, and for what lies below it.
    pub fn redact(&self, message: &str) -> String {
        let mut rest = message;
        let mut redacted = String::with_capacity(message.len());
        while let Some((start, end)) = self.first(rest) {
            redacted.push_str(&rest[..start]);
            redacted.push_str("[path]");
            rest = &rest[end..];
            if rest.starts_with(['/', '\\']) {
                let below = rest.find([':', '\n', '"', ',', ')']);
                rest = &rest[below.unwrap_or(rest.len())..];
            }
        }
        redacted + rest
    }

    /// Where the first path begins and ends.
    fn first(&self, text: &str) -> Option<(usize, usize)> {
        let places = self
            .paths
            .iter()
            .filter_map(|path| text.find(path.as_str()).map(|start| (start, path.len())));
        // Of two at one place the longer.
        let first = places.min_by_key(|&(start, length)| (start, usize::MAX - length));
        first.map(|(start, length)| (start, start + length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_what_lies_below_them_are_taken_out() {
        let arguments = [
            "render",
            "--video",
            "/job/secret film.mp4",
            "--out=cut/made.mov",
            "1.5",
        ];
        let arguments = arguments.map(PathBuf::from).into_iter();
        let redactor = Redactor::of(arguments, ["/home/me"].map(PathBuf::from).into_iter());
        for (message, expected) in [
            (
                "cannot read /job/secret film.mp4: no",
                "cannot read [path]: no",
            ),
            ("cannot write cut/made.mov", "cannot write [path]"),
            ("made.mov is full", "[path] is full"),
            (
                "the picture /job/frames/0001.png: broken",
                "the picture [path]: broken",
            ),
            ("cannot load /home/me/x/model.onnx", "cannot load [path]"),
            ("render at 1.5: 7 frames", "render at 1.5: 7 frames"),
        ] {
            assert_eq!(redactor.redact(message), expected);
        }
    }
}
