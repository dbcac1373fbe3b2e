//! StyleLipSync as an OpenFX effect. A host is shown two functions and an entry point; what they do:
//!
//! ```text
//! host -> entry (panics caught) -> describe | instance | interaction (buttons, status) | render
//! render: controls -> Settings;  host's images -> frames;  shared (engines, clips, tracks) -> engine
//! ```
//!
//! There is no lip-sync here: the engine is `stylelipsync`, used as any program would. Everything
//! that is costly lives in `shared`, process-wide and keyed by content, since hosts make and
//! destroy instances as they like, some for each frame.

pub mod abi;
mod adapting;
pub mod bundle;
mod controls;
mod describe;
mod entry;
mod fault;
mod host;
mod image;
mod instance;
mod interaction;
mod overlay;
mod pixels;
mod reference;
mod render;
mod shared;

pub use entry::{IDENTIFIER, OfxGetNumberOfPlugins, OfxGetPlugin, OfxSetHost};
