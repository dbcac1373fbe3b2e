//! StyleLipSync as an OpenFX effect. The binary exports `OfxGetNumberOfPlugins`, `OfxGetPlugin` and
//! `OfxSetHost`; everything else goes through one entry point, to which a host sends actions.
//!
//! The modules, from the bottom layer to the top; each imports only modules above it in this list:
//!
//! ```text
//! abi, identity                          the OpenFX C structures and strings; the effect's name
//! error, log_file                        why an action failed; what hosts do not show
//! host                                   safe access to the host's suites
//! pixel_format, image, window, pixels    the host's images
//! controls, parameters, settings         the controls: their table, handles and values
//! aces, input_frame                      the host's images as the engine reads them
//! waveform, keys, cache, clip_parts, shared    engines, audio, clips and faces, shared by all instances
//! shot_starts, known_references, instance    one instance
//! frame_time, clip_options, reference, render_clip    from settings to a clip of the engine
//! overlay, post_process, render          the render action
//! presets, adapt_button, interaction, describe  the other actions
//! entry                                  the entry points
//! bundle                                 the plug-in bundle on disk
//! ```
//!
//! There is no lip-sync logic here: the engine is the crate `stylelipsync`, used through its public
//! API.

pub mod abi;
mod aces;
mod adapt_button;
pub mod bundle;
mod cache;
mod clip_options;
mod clip_parts;
mod controls;
mod describe;
mod entry;
mod error;
mod frame_time;
mod host;
mod identity;
mod image;
mod input_frame;
mod instance;
mod interaction;
mod keys;
mod known_references;
mod layer_output;
mod log_file;
mod overlay;
mod parameters;
mod pixel_format;
mod pixels;
mod post_process;
mod presets;
mod provenance;
mod reference;
mod render;
mod render_clip;
mod report_button;
mod settings;
mod shared;
mod shot_starts;
mod waveform;
mod window;

pub use entry::{OfxGetNumberOfPlugins, OfxGetPlugin, OfxSetHost};
pub use identity::IDENTIFIER;
