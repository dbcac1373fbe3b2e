//! Signing: credentials inside a file, or beside it where its format has no place for them.

use std::fs::File;
use std::io::{Cursor, Read, Seek, Write};
use std::path::Path;

use c2pa::assertions::DataHash;
use c2pa::{Reader, Signer};
use serde_json::json;
use sha2::{Digest, Sha256};
use stylelipsync::Provenance;

use super::certificate::Credentials;
use super::faults::failures;
use super::formats::{SIDECAR, format_of};
use super::manifest::{self, failed};
use super::parent::Parent;
use crate::failure::{Failure, Result};

impl Credentials {
    /// Signs `source` into `target`, which are files of the same type.
    ///
    /// # Errors
    /// [`Failure::Credentials`] when signing fails; [`Failure::Input`] and [`Failure::Output`] for the files.
    pub fn embed(
        &self,
        (source, target): (&Path, &Path),
        provenance: &Provenance,
        title: &str,
        parent: &Parent,
    ) -> Result<()> {
        let format = format_of(source).ok_or_else(|| failed(c2pa::Error::UnsupportedType))?;
        let mut builder = manifest::builder(provenance, title)?;
        parent.add_to(&mut builder)?;
        let mut read = File::open(source).map_err(|error| Failure::reading(source, error))?;
        // The crate reads what it has written.
        let mut options = File::options();
        let options = options.read(true).write(true).create(true).truncate(true);
        let mut written = options
            .open(target)
            .map_err(|error| Failure::writing(target, error))?;
        builder
            .sign(&self.signer()?, format, &mut read, &mut written)
            .map_err(failed)?;
        written
            .flush()
            .map_err(|error| Failure::writing(target, error))
    }

    /// The bytes of credentials that lie beside the file of this content.
    ///
    /// # Errors
    /// As [`embed`](Self::embed).
    pub fn beside(
        &self,
        content: &mut (impl Read + Seek),
        provenance: &Provenance,
        title: &str,
        parent: &Parent,
    ) -> Result<Vec<u8>> {
        let mut builder = manifest::builder(provenance, title)?;
        parent.add_to(&mut builder)?;
        let signer = self.signer()?;
        let mut hash = Sha256::new();
        std::io::copy(content, &mut Hashing(&mut hash))
            .map_err(|error| Failure::Input(format!("cannot read {title}: {error}")))?;
        builder
            .data_hashed_placeholder(signer.reserve_size(), SIDECAR)
            .map_err(failed)?;
        let mut binding = DataHash::new("file", "sha256");
        binding.set_hash(hash.finalize().to_vec());
        builder
            .sign_data_hashed_embeddable(&signer, &binding, SIDECAR)
            .map_err(failed)
    }

    /// Signs a PNG in memory and reads it back; returns what is wrong with the signature.
    ///
    /// # Errors
    /// [`Failure::Credentials`] when it cannot be signed at all.
    pub(super) fn trial(&self, png: Vec<u8>) -> Result<Vec<String>> {
        let definition = json!({
            "claim_generator_info": [{ "name": "stylelipsync" }],
            "assertions": [{
                "label": "c2pa.actions",
                "data": { "actions": [{
                    "action": "c2pa.created",
                    "digitalSourceType": "http://c2pa.org/digitalsourcetype/empty",
                }] },
            }],
        });
        let context = manifest::context(None)?;
        let mut builder = c2pa::Builder::from_context(context)
            .with_definition(definition.to_string())
            .map_err(failed)?;
        let mut signed = Cursor::new(Vec::new());
        builder
            .sign(
                &self.signer()?,
                "image/png",
                &mut Cursor::new(png),
                &mut signed,
            )
            .map_err(failed)?;
        signed.set_position(0);
        let reader = Reader::from_context(manifest::context(None)?);
        Ok(failures(
            &reader.with_stream("image/png", signed).map_err(failed)?,
        ))
    }
}

/// A hash that is written to.
struct Hashing<'a>(&'a mut Sha256);

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
