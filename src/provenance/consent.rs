//! Consent of a person: fields of a document that lies elsewhere.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::hex::is_hex;
use crate::{Error, Result, files};

/// The largest consent file that is read, in bytes.
const LARGEST: u64 = 64 << 10;
/// The longest text of a field, in bytes.
const LONGEST: usize = 2000;

/// That a person agreed to be shown speaking other words. The fields are statements: they prove nothing by
/// themselves. The document whose hash they hold can, where somebody keeps it and can show who signed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// Who agreed.
    pub who: String,
    /// The day from which it holds: `YYYY-MM-DD`.
    pub when: String,
    /// What it covers: a production, languages, places of publication.
    pub scope: String,
    /// The last day on which it holds, `YYYY-MM-DD`; `None`: it does not expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// SHA-256 of the document, in hexadecimal.
    pub document_sha256: String,
}

impl Consent {
    /// Reads a JSON file with these fields.
    ///
    /// # Errors
    /// [`Error::Read`]; [`Error::Consent`] that names the file and the field.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = files::read_below(path, LARGEST)?;
        let refuse = |reason: String| Error::Consent(format!("{}: {reason}", path.display()));
        let read: Self = serde_json::from_slice(&bytes)
            .map_err(|error| refuse(format!("is not a consent file: {error}")))?;
        match read.fault() {
            Some(fault) => Err(refuse(fault)),
            None => Ok(read),
        }
    }

    /// Whether it holds today, in UTC.
    ///
    /// # Errors
    /// [`Error::Consent`] when it has expired, or does not hold yet.
    pub fn check_today(&self) -> Result<()> {
        self.check_on(&today())
    }

    fn check_on(&self, day: &str) -> Result<()> {
        let who = &self.who;
        // Days in this form sort as text.
        match &self.expires {
            _ if day < self.when.as_str() => Err(Error::Consent(format!(
                "that of {who} holds from {} on, and today is {day}",
                self.when
            ))),
            Some(expires) if day > expires.as_str() => Err(Error::Consent(format!(
                "that of {who} expired on {expires}, and today is {day}"
            ))),
            _ => Ok(()),
        }
    }

    /// What is wrong with a field.
    pub(crate) fn fault(&self) -> Option<String> {
        for (field, text) in [("who", &self.who), ("scope", &self.scope)] {
            if text.trim().is_empty() {
                return Some(format!("{field}: is empty"));
            }
            if text.len() > LONGEST {
                return Some(format!("{field}: is longer than {LONGEST} bytes"));
            }
        }
        let expires = self.expires.as_ref().map(|day| ("expires", day));
        for (field, day) in [("when", &self.when)].into_iter().chain(expires) {
            if !is_day(day) {
                return Some(format!(
                    "{field}: \"{day}\" is not a day such as 2026-05-03"
                ));
            }
        }
        if self.expires.as_ref().is_some_and(|day| *day < self.when) {
            return Some("expires: is before when".into());
        }
        let hash = is_hex(&self.document_sha256, 64);
        (!hash).then(|| "document_sha256: not 64 hexadecimal digits in lower case".into())
    }
}

/// Whether a render is covered: by the consent given for the clip, and by that in the person file. Where both
/// are there, both must hold.
///
/// # Errors
/// [`Error::Consent`] when there is none, or one does not hold today.
pub fn check_consents(clip: Option<&Consent>, person: Option<&Consent>) -> Result<()> {
    if clip.is_none() && person.is_none() {
        return Err(Error::Consent(
            "is required, but neither the clip nor its person file has any (a note in a person file is not enough)"
                .into(),
        ));
    }
    clip.into_iter()
        .chain(person)
        .try_for_each(Consent::check_today)
}

/// Today in UTC, `YYYY-MM-DD`.
fn today() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let days = now.map_or(0, |since| since.as_secs() / 86_400);
    day_of(days)
}

/// The day this number of days after 1970-01-01, in the Gregorian calendar.
fn day_of(mut days: u64) -> String {
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let mut month = 1;
    while days >= u64::from(length(year, month)) {
        days -= u64::from(length(year, month));
        month += 1;
    }
    format!("{year:04}-{month:02}-{:02}", days + 1)
}

fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// Days of a month, 1 to 12.
fn length(year: u32, month: u32) -> u32 {
    match month {
        2 => 28 + u32::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Whether a text is a day of the calendar, `YYYY-MM-DD`.
fn is_day(text: &str) -> bool {
    let digits = |range: std::ops::Range<usize>| {
        let part = text
            .get(range)
            .filter(|part| part.bytes().all(|b| b.is_ascii_digit()))?;
        part.parse::<u32>().ok()
    };
    let dashes = text.len() == 10 && text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
    match (digits(0..4), digits(5..7), digits(8..10)) {
        (Some(year), Some(month), Some(day)) if dashes => {
            (1..=12).contains(&month) && (1..=length(year, month)).contains(&day)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn consent() -> Consent {
        Consent {
            who: "Jane Doe".into(),
            when: "2026-05-03".into(),
            scope: "the German version of The Film".into(),
            expires: Some("2027-05-02".into()),
            document_sha256: "0".repeat(64),
        }
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        assert_eq!(day_of(0), "1970-01-01");
        assert_eq!(day_of(11_016), "2000-02-29");
        assert_eq!(day_of(20_785), "2026-11-28");
        for day in ["2026-02-28", "2024-02-29", "2000-02-29"] {
            assert!(is_day(day), "{day}");
        }
        for day in [
            "2026-02-29",
            "2100-02-29",
            "2026-13-01",
            "2026-1-01",
            "3 May",
            "2026-00-10",
            "+026-01-01",
        ] {
            assert!(!is_day(day), "{day}");
        }
    }

    #[test]
    fn both_ends_belong_to_it() {
        for (day, holds) in [
            ("2026-05-02", false),
            ("2026-05-03", true),
            ("2027-05-02", true),
            ("2027-05-03", false),
        ] {
            assert_eq!(consent().check_on(day).is_ok(), holds, "{day}");
        }
        let forever = Consent {
            expires: None,
            ..consent()
        };
        assert!(forever.check_on("2999-01-01").is_ok());
    }

    #[test]
    fn a_wrong_field_is_named() {
        type Forge = fn(&mut Consent);
        let cases: [(&str, Forge); 6] = [
            ("who", |c| c.who = " ".into()),
            ("when", |c| c.when = "3 May".into()),
            ("scope", |c| c.scope = "x".repeat(2001)),
            ("expires", |c| c.expires = Some("2026-05-32".into())),
            ("expires: is before", |c| {
                c.expires = Some("2026-05-02".into())
            }),
            ("document_sha256", |c| c.document_sha256.clear()),
        ];
        for (field, change) in cases {
            let mut wrong = consent();
            change(&mut wrong);
            let fault = wrong.fault().unwrap();
            assert!(fault.starts_with(field), "{fault}");
        }
        assert_eq!(consent().fault(), None);
    }
}
