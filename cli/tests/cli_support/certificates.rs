//! A certificate chain of the tests' own: an authority, and signers that it issued.

use std::fs;
use std::path::{Path, PathBuf};

use p256::ecdsa::signature::Signer;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::pkcs8::{EncodePrivateKey, LineEnding};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyIdMethod, KeyUsagePurpose, PublicKeyData, SerialNumber, SignatureAlgorithm,
    date_time_ymd,
};

/// A P-256 key, for tests only.
struct Key {
    secret: SigningKey,
    public: Vec<u8>,
}

impl Key {
    fn new(number: u8) -> Self {
        let secret = SigningKey::from_slice(&[number; 32]).unwrap();
        let public = secret.verifying_key().to_encoded_point(false);
        Self {
            public: public.as_bytes().to_vec(),
            secret,
        }
    }
}

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let signature: DerSignature = self.secret.sign(message);
        Ok(signature.as_bytes().to_vec())
    }
}

/// What is unusual about a signer's certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    None,
    Expired,
    NotYet,
    /// Server authentication.
    Usage,
    /// No digital signature.
    KeyUsage,
    Authority,
}

fn parameters(name: &str, number: u8) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    subject.push(DnType::OrganizationName, "Tests of stylelipsync");
    parameters.distinguished_name = subject;
    parameters.not_before = date_time_ymd(2020, 1, 1);
    parameters.not_after = date_time_ymd(2100, 1, 1);
    parameters.serial_number = Some(SerialNumber::from(u64::from(number)));
    parameters.key_identifier_method = KeyIdMethod::PreSpecified(vec![number; 20]);
    parameters.use_authority_key_identifier_extension = true;
    parameters
}

/// Files of a signer: `NAME.pem`, `NAME.key`, and `root.pem` of the authority.
pub struct Signing {
    pub certificates: PathBuf,
    pub key: PathBuf,
    pub root: PathBuf,
}

impl Signing {
    /// What `--credentials` takes.
    pub fn argument(&self) -> String {
        format!("{},{}", self.certificates.display(), self.key.display())
    }
}

/// Makes a signer. Signers of other names have other keys.
pub fn signer(place: &Path, name: &str, flaw: Flaw) -> Signing {
    let root_key = Key::new(1);
    let mut root = parameters("Root of the tests", 1);
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let root_certificate = root.self_signed(&root_key).unwrap();
    let issuer = Issuer::new(root, root_key);

    let number = 2 + name.bytes().fold(0u8, |sum, byte| sum.wrapping_add(byte)) % 100;
    let key = Key::new(number);
    let mut leaf = parameters(name, number);
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
    leaf.is_ca = IsCa::ExplicitNoCa;
    match flaw {
        Flaw::None => {}
        Flaw::Expired => leaf.not_after = date_time_ymd(2021, 2, 3),
        Flaw::NotYet => leaf.not_before = date_time_ymd(2099, 2, 3),
        Flaw::Usage => leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth],
        Flaw::KeyUsage => leaf.key_usages = vec![KeyUsagePurpose::KeyEncipherment],
        Flaw::Authority => leaf.is_ca = IsCa::Ca(BasicConstraints::Unconstrained),
    }
    let leaf = leaf.signed_by(&key, &issuer).unwrap();

    let path = |ending: &str| place.join(format!("{name}.{ending}"));
    let files = Signing {
        certificates: path("pem"),
        key: path("key"),
        root: place.join("root.pem"),
    };
    let chain = leaf.pem() + &root_certificate.pem();
    fs::write(&files.certificates, chain).unwrap();
    fs::write(&files.root, root_certificate.pem()).unwrap();
    let pem = key.secret.to_pkcs8_pem(LineEnding::LF).unwrap();
    fs::write(&files.key, pem.as_bytes()).unwrap();
    files
}
