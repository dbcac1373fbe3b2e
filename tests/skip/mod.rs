//! How a test skips.

use std::io::Write;

/// Reports on standard error that the running test is skipped, or a part of it, because `package`
/// (its name in Debian and Ubuntu) is missing. Unlike `eprintln!` it shows in every run: the test
/// harness hides what a passing test prints by macros.
pub fn skip(package: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    // Nothing can be done where standard error is closed.
    let _ = writeln!(
        std::io::stderr(),
        "skipped: {test} needs the package {package}"
    );
}
