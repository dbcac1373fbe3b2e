//! `libstylelipsync`: changes the mouth in a video of a face to match other speech.
//!
//! The method is StyleLipSync (Ki and Min, 2023):
//!
//! ```text
//! audio  -> phonetic features -> E_aud -> a_t +
//! reference frame -> E_ref -> w_ref ----------+-> w_t = w_ref + a_t -> MaLS -> w~_t --+
//! frame X_t -> track -> pose-aware mask -> masked crop -> E_face ---------------------+-> G -> frame
//! ```
//!
//! # Use
//!
//! An [`Engine`] holds the networks: make one per process. A [`Clip`] holds what is known of one
//! video. Random access: [`Clip::analyze`] each frame and
//! [`Clip::finish_analysis`], then [`Clip::render`] any of them on any number of threads. A stream: [`Clip::push_frame`], [`Clip::push_audio`], [`Clip::pull_frame`].
//!
//! ```no_run
//! use std::path::Path;
//! use stylelipsync::{
//!     Clip, ClipOptions, Engine, EngineOptions, FrameMut, FrameRef, PixelFormat, Result, decode_file,
//! };
//!
//! /// Lip-syncs RGBA frames, `width * height * 4` bytes each, at 25 frames per second, in place.
//! fn lip_sync(frames: &mut [Vec<u8>], width: u32, height: u32, audio: &Path) -> Result<()> {
//!     let engine = Engine::new(&EngineOptions::default())?;
//!     let mut clip = Clip::new(engine, ClipOptions::default())?;
//!     let speech = decode_file(audio)?;
//!     clip.set_audio(&speech.samples, speech.rate, 1)?;
//!     for (index, frame) in (0..).zip(&*frames) {
//!         clip.analyze(index, &FrameRef::packed(frame, width, height, PixelFormat::Rgba8)?)?;
//!     }
//!     clip.finish_analysis()?;
//!     for (index, frame) in (0..).zip(frames) {
//!         let source = frame.clone();
//!         let source = FrameRef::packed(&source, width, height, PixelFormat::Rgba8)?;
//!         let mut target = FrameMut::packed(frame, width, height, PixelFormat::Rgba8)?;
//!         clip.render(index, &source, &mut target)?;
//!     }
//!     Ok(())
//! }
//! ```
//!
//! The names at the root are the interface for programs. The modules are public for the command
//! line and the OpenFX effect, which measure results and draw overlays; what only they contain
//! changes more often. A module uses only modules of lower layers (`ARCHITECTURE.md`).

pub mod adapt;
pub mod audio;
mod cancel;
#[cfg(feature = "capi")]
pub mod capi;
pub mod clip;
pub mod engine;
mod error;
pub mod evaluate;
pub mod face;
mod files;
pub mod frame;
mod latent;
pub mod mark;
mod memory;
pub mod model;
mod numeric;
mod parallel;
mod pool;
pub mod provenance;
pub mod track;

pub use adapt::{AdaptOptions, Adaptation};
pub use audio::{Rate, Waveform, decode_file};
pub use cancel::Canceller;
pub use clip::{
    Analysis, AudibleFace, Clip, ClipOptions, Detection, Detector, FrameFaces, FrameInputs,
    FrameOptions, LookAhead, MOST_SPEAKERS, Matte, MemoryUse, Neighbours, Profile, ReferenceFrame,
    Rendered, Renderer, SeenFace, ShotProfile, Speech, Timing,
};
pub use engine::{Engine, EngineInfo, EngineOptions};
pub use error::{Error, Result, StreamNeed};
pub use face::MaskTrim;
pub use frame::{ColourMatch, Corner, FrameMut, FrameRef, Label, Layers, PixelFormat, Transfer};
pub use mark::MarkId;
pub use model::{Person, Provider, SpeechContext};
pub use provenance::{Consent, Provenance};
pub use track::Selection;
