//! The provenance of a render: which software and which inputs made it, and which frames were changed.
//! It is data, for reports and for whoever signs them; nothing here is signed.
//!
//! The vocabulary is that of C2PA 2.1 (actions) and of the IPTC (digital source types).

mod consent;
mod frames;
mod hex;
mod report;

pub use consent::{Consent, check_consents};
pub use frames::{FrameSet, FramesReport};
pub use report::{
    ACTION, AudioFacts, BundleFacts, DIGITAL_SOURCE_TYPE, PersonFacts, Provenance, Software,
    SpeakerFacts,
};
