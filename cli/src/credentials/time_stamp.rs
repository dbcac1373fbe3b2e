//! Time stamps (RFC 3161): the only network access of signing, and only where an authority is named.

use std::time::Duration;

use c2pa::{BoxedSigner, Signer, SigningAlg};

use crate::failure::{Failure, Result};

/// The most bytes of an answer.
const LARGEST: u64 = 1 << 20;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A time stamp authority, asked over HTTP. Its answer is signed by itself, so the connection needs no TLS.
#[derive(Clone, Debug)]
pub struct TimeStampAuthority {
    url: String,
}

impl TimeStampAuthority {
    /// # Errors
    /// [`Failure::Credentials`] for an address that is not one of HTTP.
    pub fn new(url: &str) -> Result<Self> {
        if url.starts_with("http://") && url.len() > "http://".len() {
            return Ok(Self { url: url.into() });
        }
        Err(Failure::Credentials(format!(
            "--tsa {url}: must begin with http:// (an authority signs its answer, so that TLS is not needed)"
        )))
    }

    fn ask(&self, request: &[u8]) -> std::result::Result<Vec<u8>, String> {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .build()
            .new_agent();
        let answer = agent
            .post(&self.url)
            .header("content-type", "application/timestamp-query")
            .send(request)
            .map_err(|error| error.to_string())?;
        let mut body = answer.into_body();
        let stated = body.mime_type().unwrap_or_default().to_owned();
        if stated != "application/timestamp-reply" {
            return Err(format!(
                "it answered with \"{stated}\", not with a time stamp"
            ));
        }
        body.with_config()
            .limit(LARGEST)
            .read_to_vec()
            .map_err(|error| error.to_string())
    }
}

/// A signer whose signatures are time-stamped where there is an authority.
pub struct Stamped<'a> {
    signer: BoxedSigner,
    authority: Option<&'a TimeStampAuthority>,
}

impl<'a> Stamped<'a> {
    pub fn new(signer: BoxedSigner, authority: Option<&'a TimeStampAuthority>) -> Self {
        Self { signer, authority }
    }
}

impl Signer for Stamped<'_> {
    fn sign(&self, data: &[u8]) -> c2pa::Result<Vec<u8>> {
        self.signer.sign(data)
    }

    fn alg(&self) -> SigningAlg {
        self.signer.alg()
    }

    fn certs(&self) -> c2pa::Result<Vec<Vec<u8>>> {
        self.signer.certs()
    }

    fn reserve_size(&self) -> usize {
        // A time stamp with the certificates of its authority takes 4 to 10 KiB.
        let stamp = if self.authority.is_some() {
            20 << 10
        } else {
            0
        };
        self.signer.reserve_size() + stamp
    }

    fn time_authority_url(&self) -> Option<String> {
        Some(self.authority?.url.clone())
    }

    fn send_timestamp_request(&self, message: &[u8]) -> Option<c2pa::Result<Vec<u8>>> {
        let authority = self.authority?;
        let answer = self.timestamp_request_body(message).and_then(|request| {
            authority.ask(&request).map_err(|reason| {
                c2pa::Error::OtherError(format!("time stamp of {}: {reason}", authority.url).into())
            })
        });
        Some(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_http_is_asked() {
        assert!(TimeStampAuthority::new("http://stamp.example/").is_ok());
        for url in ["https://stamp.example/", "stamp.example", "http://", ""] {
            assert!(TimeStampAuthority::new(url).is_err(), "{url}");
        }
    }
}
