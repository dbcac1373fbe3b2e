//! Ctrl-C and termination: a flag that is checked between frames, so that partial files are removed
//! before the program exits.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::{Failure, Result};

static ASKED: AtomicBool = AtomicBool::new(false);

/// Handles SIGINT, SIGTERM and SIGHUP (Ctrl-C on Windows). Call it once, at the start.
pub fn install() {
    let handler = ctrlc::set_handler(|| ASKED.store(true, Ordering::Relaxed));
    if let Err(error) = handler {
        log::warn!("Ctrl-C cannot be handled here ({error}): a temporary file may stay behind");
    }
}

/// Fails after an interrupt was requested.
pub fn check() -> Result<()> {
    if ASKED.load(Ordering::Relaxed) {
        Err(Failure::Interrupted)
    } else {
        Ok(())
    }
}
