//! The C API (`include/stylelipsync.h`): one file per section of the header.
//!
//! It validates the arguments, calls the library, and converts errors to status codes. It contains
//! no lip-sync logic. Every function follows these rules:
//!
//! - A panic never unwinds into C ([`boundary`]); it makes the handle unusable (poisoned).
//! - Every pointer is checked for NULL, every enum value is validated.
//! - Output parameters are written only if the call succeeds.
//! - Structs carry their size and are read through a copy; reserved fields must be 0 ([`sized`]).
//!
//! `tests/header.rs` generates the header from these files, including the comments.

#![allow(non_camel_case_types, reason = "the names are C's")]
#![allow(
    clippy::missing_safety_doc,
    reason = "the comments are the header's, written for C"
)]

pub mod adapt;
pub mod adapt_options;
pub mod analysis;
pub mod audio;
pub mod boundary;
pub mod clip;
pub mod clip_options;
pub mod engine;
pub mod failure;
pub mod frame;
pub mod handle;
pub mod last_error;
pub mod layers;
pub mod log;
pub mod person;
pub mod provenance;
pub mod render;
pub mod render_result;
pub mod sized;
pub mod speakers;
pub mod status;
pub mod stream;
pub mod text;
pub mod version;
pub mod watermark;
