//! C2PA content credentials: signing what was rendered, and checking what was signed.
//!
//! ```text
//! formats      which files hold credentials
//! faults       what validation found wrong
//! certificate  the certificate chain and the key; what can be wrong with them
//! time_stamp   the request to a time stamp authority: the only network access
//! manifest     the report of a render in the vocabulary of C2PA
//! parent       the source, and the credentials that it has
//! writing      credentials inside a file, or beside it
//! pictures     the list of a folder's pictures, which is signed in their stead
//! reading      what the credentials of a file state, and whether they hold
//! ```

mod certificate;
mod faults;
mod formats;
mod manifest;
mod parent;
mod pictures;
mod reading;
mod time_stamp;
mod writing;

pub use certificate::{CredentialFiles, Credentials};
pub use formats::{is_embedded, sidecar_of};
pub use parent::Parent;
pub use pictures::PictureList;
pub use reading::{Checked, read};
