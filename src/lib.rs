//! `libstylelipsync`: a face clip and other words in, the same face saying them out.
//!
//! The paper is StyleLipSync (Ki and Min, 2023). Data flows one way:
//!
//! ```text
//! audio  -> mel windows A_t -> E_aud -> a_t --+
//! reference frame -> E_ref -> w_ref ----------+-> w_t = w_ref + a_t -> MaLS -> w~_t --+
//! frame X_t -> track -> pose-aware mask -> masked crop -> E_face ---------------------+-> G -> frame
//! ```

pub mod adapt;
pub mod audio;
mod cancel;
pub mod capi;
pub mod clip;
pub mod engine;
mod error;
pub mod evaluate;
pub mod face;
mod files;
pub mod frame;
mod latent;
mod memory;
pub mod model;
mod numeric;
mod pool;
pub mod track;

pub use cancel::Canceller;
pub use clip::{
    Analysis, Clip, ClipOptions, FrameFaces, FrameInputs, FrameOptions, LookAhead, Matte,
    MemoryUse, Neighbours, Reference, ReferenceFrame, Rendered, Renderer, SeenFace, Speech, Timing,
};
pub use engine::{Engine, EngineInfo, EngineOptions};
pub use error::{Error, Result};
