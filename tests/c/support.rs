//! Compilers and the libraries that this test run has built.

use std::path::PathBuf;
use std::process::Command;

/// The C or C++ compiler: $CC or cc, $CXX or c++. None, with a message, where there is none. The project
/// requires a C compiler, except on Windows, where cc is no usual name.
pub fn compiler(cpp: bool) -> Option<PathBuf> {
    let (variable, usual) = if cpp { ("CXX", "c++") } else { ("CC", "cc") };
    let name = std::env::var_os(variable).unwrap_or(usual.into());
    let works = Command::new(&name).arg("--version").output().is_ok();
    let required = !cpp && !cfg!(windows);
    assert!(works || !required, "no C compiler: {name:?} cannot be run");
    if !works {
        super::skip::skip(if cpp { "g++" } else { "gcc" });
    }
    works.then(|| name.into())
}

/// Runs a program to its end and gives what it wrote; a failure ends the test.
pub fn run(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success(),
        "{command:?}: {}\n{out}\n{err}",
        output.status
    );
    out.into_owned()
}

/// A library of this package: Cargo builds it beside the test programs.
pub fn library(name: &str) -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let path = program.parent().unwrap().join(name);
    assert!(path.is_file(), "{} was not built", path.display());
    path
}
