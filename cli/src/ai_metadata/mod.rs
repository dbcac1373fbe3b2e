//! The IPTC's digital source type as plain metadata, so that a reader without any C2PA software finds that a
//! result is synthetic. It is not signed: whoever has the file can remove it.
//!
//! | container | field |
//! |---|---|
//! | MP4, MOV | `Iptc4xmpExt:DigitalSourceType` in an XMP packet, in a `uuid` box at the end of the file |
//! | Matroska | the tag `DIGITAL_SOURCE_TYPE` |
//! | PNG | the same XMP packet, in an `iTXt` chunk |
//! | TIFF | the same XMP packet, in tag 700 |
//! | OpenEXR | the text attribute `digitalSourceType` |

mod bmff;
mod png;
mod tiff;

use std::path::Path;

use stylelipsync::provenance::DIGITAL_SOURCE_TYPE;

use crate::failure::{Failure, Result};
use crate::format::{Kind, PictureKind};

/// The metadata option of ffmpeg for Matroska.
pub const MATROSKA_TAG: &str = "DIGITAL_SOURCE_TYPE";

/// The attribute of OpenEXR pictures.
pub const EXR_ATTRIBUTE: &str = "digitalSourceType";

/// What the user is told who turns it off.
pub const TURNED_OFF: &str = "--no-ai-metadata: the result does not state that it is synthetic. In the EU, AI Act \
    art. 50(2) asks whoever provides a system that alters video to mark its output in a machine-readable way";

/// The XMP packet. It is the same for every result, so that the pieces of a farm are equal to a render in one.
pub fn xmp() -> String {
    format!(
        "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\
         <x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\
         <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
         <rdf:Description rdf:about=\"\" \
         xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\" \
         xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" \
         Iptc4xmpExt:DigitalSourceType=\"{DIGITAL_SOURCE_TYPE}\" \
         xmp:CreatorTool=\"stylelipsync {}\"/>\
         </rdf:RDF></x:xmpmeta><?xpacket end=\"w\"?>",
        env!("CARGO_PKG_VERSION")
    )
}

/// Marks a finished movie. Matroska's tag is written by ffmpeg with the movie.
///
/// # Errors
/// [`Failure::Output`] when the disk refuses.
pub fn mark_movie(kind: Kind, movie: &Path) -> Result<()> {
    match kind {
        Kind::Mp4 | Kind::Mov => {
            bmff::append(movie, &xmp()).map_err(|error| Failure::writing(movie, error))
        }
        Kind::Mkv | Kind::Folder => Ok(()),
    }
}

/// Whether a movie that this program wrote holds the packet.
pub fn is_marked(movie: &Path) -> bool {
    bmff::ends_with(movie, &xmp()).unwrap_or(false)
}

/// Marks an encoded picture. OpenEXR's attribute is written with the picture.
pub fn mark_picture(kind: PictureKind, bytes: Vec<u8>) -> Vec<u8> {
    match kind {
        PictureKind::Png => png::insert(bytes, &xmp()),
        PictureKind::Tiff => tiff::insert(bytes, &xmp()),
        PictureKind::Exr => bytes,
    }
}
