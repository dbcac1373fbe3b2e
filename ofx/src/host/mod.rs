//! Safe access to the host: its suites are fetched and checked once, in the Load action. One file
//! per suite.

mod effect;
mod functions;
mod loaded;
mod messages;
mod parameters;
mod properties;
mod text;

pub use self::{
    loaded::{Host, current, load, set_host},
    properties::Properties,
};
