//! The C API (`include/stylelipsync.h`): one file for each section of the header.
//!
//! It validates what C hands over, calls the library, and turns errors into status codes. Nothing
//! here knows about lip-sync. The rules, which every function keeps:
//!
//! - no panic crosses into C ([`boundary`]); the handle it happened in is poisoned,
//! - every pointer is checked for NULL, every number that stands for an enum is validated,
//! - out parameters are written when the call succeeds, and only then,
//! - structs carry their size, are read through a copy, and reserved bytes must be zero ([`sized`]).
//!
//! The header is generated from these files by `tests/header.rs`, comments included.

#![allow(non_camel_case_types, reason = "the names are C's")]
#![allow(
    clippy::missing_safety_doc,
    reason = "the comments are the header's, written for C"
)]

pub mod adapt;
pub mod audio;
pub mod boundary;
pub mod clip;
pub mod engine;
pub mod frame;
pub mod handle;
pub mod log;
pub mod render;
pub mod sized;
pub mod status;
pub mod stream;
pub mod text;
pub mod version;
