//! A progress bar with frames per second and time left. Disabled if standard error is not a
//! terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar for `frames` frames.
pub fn bar(doing: &'static str, frames: u64) -> ProgressBar {
    let bar = ProgressBar::new(frames).with_message(doing);
    let template = "{msg:>10} {wide_bar} {pos}/{len} frames, {per_sec}, {eta} left";
    // A template that does not parse would be a mistake of ours; the default bar serves too.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.with_key("per_sec", per_second));
    }
    bar
}

/// A bar for `steps` steps; its message follows the count.
pub fn steps(doing: &'static str, steps: u64) -> ProgressBar {
    let bar = ProgressBar::new(steps).with_prefix(doing);
    let template = "{prefix:>10} {wide_bar} {pos}/{len} steps, {eta} left; {msg}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

fn per_second(state: &indicatif::ProgressState, out: &mut dyn std::fmt::Write) {
    // Failing to format into the bar's own string cannot happen.
    let _ = write!(out, "{:.1} frames/s", state.per_sec());
}
