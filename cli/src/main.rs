//! `stylelipsync`: the library on the command line.
//!
//! Reads clips, drives [`stylelipsync::Clip`], writes results. Lip-sync itself is in the library;
//! this crate holds files, child processes, queues and messages.

mod active;
mod adapt;
mod ai_metadata;
mod analyze;
mod args;
mod audio;
mod bundles;
mod credentials;
mod demo;
mod detect;
mod evaluate;
mod face;
mod failure;
mod fit;
mod format;
mod interrupt;
mod join;
mod layers;
mod light;
mod lipsync;
mod logger;
mod marks;
mod measure;
mod mouths;
mod movie;
mod open_exr;
mod picture;
mod pipeline;
mod progress;
mod rate;
mod redact;
mod render;
mod report;
mod session;
mod sheet;
mod sign;
mod sink;
mod source;
mod speakers;
mod stills;
mod tool;
mod variants;
mod verify;
mod voice;

use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};

/// Has all threads share one heap. glibc makes one for each of several threads otherwise, and frames go from the
/// thread that reads to one that works to the one that writes: each heap keeps what was freed in it.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn share_heap() {
    // SAFETY: it only sets a limit of the allocator, and no other thread runs yet.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, 1) };
}

fn main() -> ExitCode {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    share_heap();
    let arguments = Arguments::parse();
    logger::install();
    interrupt::install();
    let done = match arguments.command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Render(arguments) => render::run(&arguments),
        Command::Analyze(arguments) => analyze::run(&arguments),
        Command::Join(arguments) => join::run(&arguments),
        Command::Adapt(arguments) => adapt::run(&arguments),
        Command::Evaluate(arguments) => evaluate::run(&arguments),
        Command::Detect(arguments) => detect::run(&arguments),
        Command::Sign(arguments) => sign::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Doctor(arguments) => session::doctor(&arguments),
    };
    match done {
        Ok(()) => {
            log::info!(target: logger::FILE_ONLY, "done");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("error: {failure}");
            log::error!(target: logger::FILE_ONLY, "{failure}");
            failure.exit_code()
        }
    }
}
