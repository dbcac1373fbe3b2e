//! The certificate chain and the private key that sign.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use c2pa::{BoxedSigner, SigningAlg, create_signer};
use x509_parser::certificate::X509Certificate;
use x509_parser::oid_registry as oids;
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer;

use super::time_stamp::{Stamped, TimeStampAuthority};
use crate::failure::{Failure, Result};

/// The most bytes of a certificate or key file.
const LARGEST: u64 = 1 << 20;

/// `cert.pem,key.pem`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialFiles {
    /// The signer's certificate, then those of the authorities that issued it, without the root.
    pub certificates: PathBuf,
    /// Its private key in PKCS #8.
    pub key: PathBuf,
}

impl FromStr for CredentialFiles {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text.split_once(',') {
            Some((certificates, key)) if !certificates.is_empty() && !key.is_empty() => Ok(Self {
                certificates: certificates.into(),
                key: key.into(),
            }),
            _ => Err(format!("'{text}' is not CERTIFICATES.pem,KEY.pem")),
        }
    }
}

/// Who signs.
pub struct Credentials {
    files: CredentialFiles,
    chain: Vec<u8>,
    key: Vec<u8>,
    algorithm: SigningAlg,
    authority: Option<TimeStampAuthority>,
}

impl Credentials {
    /// Reads certificates and key, and signs a small picture with them, so that whatever is wrong with them is
    /// found before hours of work. The authority is not asked yet.
    ///
    /// # Errors
    /// [`Failure::Input`] for a file that cannot be read; [`Failure::Credentials`] that says what is wrong.
    pub fn open(files: &CredentialFiles, tsa: Option<&str>) -> Result<Self> {
        let chain = read(&files.certificates)?;
        let key = read(&files.key)?;
        let algorithm = check_chain(&files.certificates, &chain)?;
        check_key(&files.key, &key)?;
        let credentials = Self {
            files: files.clone(),
            chain,
            key,
            algorithm,
            authority: None,
        };
        credentials.try_out()?;
        Ok(Self {
            authority: tsa.map(TimeStampAuthority::new).transpose()?,
            ..credentials
        })
    }

    /// The signer.
    ///
    /// # Errors
    /// [`Failure::Credentials`] for a key that cannot be used.
    pub(super) fn signer(&self) -> Result<Stamped<'_>> {
        let signer: BoxedSigner =
            create_signer::from_keys(&self.chain, &self.key, self.algorithm, None).map_err(
                |error| {
                    fault(
                        &self.files.key,
                        format!(
                            "does not belong to the certificate {}: {error}",
                            self.files.certificates.display()
                        ),
                    )
                },
            )?;
        Ok(Stamped::new(signer, self.authority.as_ref()))
    }

    fn try_out(&self) -> Result<()> {
        let mut picture = std::io::Cursor::new(Vec::new());
        image::RgbImage::new(1, 1)
            .write_to(&mut picture, image::ImageFormat::Png)
            .map_err(|error| Failure::Credentials(error.to_string()))?;
        let codes = self.trial(picture.into_inner())?;
        match &codes[..] {
            [] => Ok(()),
            codes if codes.iter().any(|code| code.contains("claimSignature")) => Err(fault(
                &self.files.key,
                format!(
                    "does not belong to the certificate {}",
                    self.files.certificates.display()
                ),
            )),
            codes => Err(fault(
                &self.files.certificates,
                format!("cannot sign content credentials: {}", codes.join(", ")),
            )),
        }
    }
}

/// Something is wrong with a certificate or a key.
fn fault(path: &Path, reason: impl std::fmt::Display) -> Failure {
    Failure::Credentials(format!("{}: {reason}", path.display()))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let length = std::fs::metadata(path).map_err(|error| Failure::reading(path, error))?;
    if length.len() > LARGEST {
        return Err(fault(path, "is too large for a certificate or a key"));
    }
    std::fs::read(path).map_err(|error| Failure::reading(path, error))
}

/// Checks what can be checked of a certificate chain without knowing whom its reader trusts.
fn check_chain(path: &Path, pem: &[u8]) -> Result<SigningAlg> {
    let mut blocks = Vec::new();
    for block in Pem::iter_from_buffer(pem) {
        let block = block.map_err(|error| fault(path, format!("is not a PEM file: {error}")))?;
        match block.label.as_str() {
            "CERTIFICATE" => blocks.push(block.contents),
            other => {
                return Err(fault(
                    path,
                    format!("holds a {other}, not only certificates"),
                ));
            }
        }
    }
    let parse = |der| match X509Certificate::from_der(der) {
        Ok((_, certificate)) => Ok(certificate),
        Err(error) => Err(fault(path, format!("is not a certificate: {error}"))),
    };
    let chain = blocks
        .iter()
        .map(|der| parse(der))
        .collect::<Result<Vec<_>>>()?;
    let Some(leaf) = chain.first() else {
        return Err(fault(path, "holds no certificate in PEM format"));
    };
    if let Some(pair) = chain
        .windows(2)
        .find(|pair| pair[0].issuer() != pair[1].subject())
    {
        let [subject, next] = [pair[0].subject(), pair[1].subject()];
        return Err(fault(
            path,
            format!(
                "the certificate after \"{subject}\" is \"{next}\", not that of its issuer: order the chain from \
                 the signer's certificate upwards"
            ),
        ));
    }
    for certificate in &chain {
        let (subject, validity) = (certificate.subject(), certificate.validity());
        if validity.time_to_expiration().is_none() && !validity.is_valid() {
            let now = x509_parser::time::ASN1Time::now();
            let when = match now < validity.not_before {
                true => format!("is not valid before {}", validity.not_before),
                false => format!("expired on {}", validity.not_after),
            };
            return Err(fault(
                path,
                format!("the certificate of \"{subject}\" {when}"),
            ));
        }
    }
    check_usage(leaf).map_err(|reason| fault(path, reason))?;
    algorithm(leaf).map_err(|reason| fault(path, reason))
}

/// What the certificate may be used for (C2PA 2.1, section 14.5.1).
fn check_usage(leaf: &X509Certificate<'_>) -> std::result::Result<(), String> {
    if leaf.is_ca() {
        return Err(format!(
            "the first certificate, of \"{}\", is one of an authority, not of a signer",
            leaf.subject()
        ));
    }
    let usage = leaf.key_usage().map_err(|error| error.to_string())?;
    if !usage.is_some_and(|usage| usage.value.digital_signature()) {
        return Err("wrong key usage: digitalSignature is missing".into());
    }
    let extended = leaf
        .extended_key_usage()
        .map_err(|error| error.to_string())?;
    let Some(extended) = extended.map(|extension| extension.value) else {
        return Err("wrong key usage: it has no extended key usage".into());
    };
    // Document signing (RFC 9336) and C2PA claim signing.
    let others = ["1.3.6.1.5.5.7.3.36", "1.3.6.1.4.1.62558.2.1"];
    let fits = extended.email_protection
        || extended
            .other
            .iter()
            .any(|oid| others.contains(&oid.to_id_string().as_str()));
    if extended.any || !fits {
        return Err(
            "wrong extended key usage: it must be emailProtection, documentSigning or C2PA claim signing, and not \
             anyExtendedKeyUsage"
                .into(),
        );
    }
    Ok(())
}

/// The signature algorithm of the certificate's key.
fn algorithm(leaf: &X509Certificate<'_>) -> std::result::Result<SigningAlg, String> {
    let key = &leaf.public_key().algorithm;
    let curve = key.parameters.as_ref().and_then(|any| any.as_oid().ok());
    let kind = &key.algorithm;
    if *kind == oids::OID_KEY_TYPE_EC_PUBLIC_KEY {
        return match curve {
            Some(curve) if curve == oids::OID_EC_P256 => Ok(SigningAlg::Es256),
            Some(curve) if curve == oids::OID_NIST_EC_P384 => Ok(SigningAlg::Es384),
            Some(curve) if curve == oids::OID_NIST_EC_P521 => Ok(SigningAlg::Es512),
            _ => Err("its elliptic curve is not P-256, P-384 or P-521".into()),
        };
    }
    if *kind == oids::OID_PKCS1_RSAENCRYPTION || *kind == oids::OID_PKCS1_RSASSAPSS {
        return Ok(SigningAlg::Ps256);
    }
    if *kind == oids::OID_SIG_ED25519 {
        return Ok(SigningAlg::Ed25519);
    }
    Err(format!("its key ({kind}) is not EC, RSA or Ed25519"))
}

fn check_key(path: &Path, pem: &[u8]) -> Result<()> {
    let text = String::from_utf8_lossy(pem);
    let convert = format!(
        "convert it with `openssl pkcs8 -topk8 -nocrypt -in {} -out plain.pem`",
        path.display()
    );
    if text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(fault(path, format!("the key is encrypted: {convert}")));
    }
    if text.contains("BEGIN EC PRIVATE KEY") || text.contains("BEGIN RSA PRIVATE KEY") {
        return Err(fault(path, format!("the key is not in PKCS #8: {convert}")));
    }
    if !text.contains("BEGIN PRIVATE KEY") {
        return Err(fault(path, "holds no private key in PEM format"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_files_are_named() {
        let files: CredentialFiles = "a/cert.pem,b/key.pem".parse().unwrap();
        assert_eq!(files.certificates, PathBuf::from("a/cert.pem"));
        assert_eq!(files.key, PathBuf::from("b/key.pem"));
        for text in ["cert.pem", ",key.pem", "cert.pem,", ""] {
            assert!(text.parse::<CredentialFiles>().is_err(), "{text}");
        }
    }

    #[test]
    fn keys_of_other_forms_are_told_apart() {
        let message =
            |pem: &str| check_key(Path::new("k"), pem.as_bytes()).map_err(|e| e.to_string());
        let encrypted = message("-----BEGIN ENCRYPTED PRIVATE KEY-----").unwrap_err();
        assert!(encrypted.contains("the key is encrypted"), "{encrypted}");
        let old = message("-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED").unwrap_err();
        assert!(old.contains("the key is encrypted"), "{old}");
        let sec1 = message("-----BEGIN EC PRIVATE KEY-----").unwrap_err();
        assert!(sec1.contains("not in PKCS #8"), "{sec1}");
        assert!(
            message("-----BEGIN CERTIFICATE-----")
                .unwrap_err()
                .contains("no private key")
        );
        assert!(message("-----BEGIN PRIVATE KEY-----").is_ok());
    }
}
