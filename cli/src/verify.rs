//! The command `verify`: who signed a file, what was changed in it, and whether it is still what was signed.

use std::path::Path;

use crate::args::VerifyArguments;
use crate::credentials::{self, Checked, PictureList};
use crate::failure::{Failure, Result};
use crate::sign;

/// Runs `verify`.
///
/// # Errors
/// [`Failure::Credentials`] when there are none, or they do not hold; [`Failure::Input`] for files that cannot be
/// read.
pub fn run(arguments: &VerifyArguments) -> Result<()> {
    let trust = match &arguments.trust {
        Some(path) => {
            Some(std::fs::read_to_string(path).map_err(|error| Failure::reading(path, error))?)
        }
        None => None,
    };
    let file = arguments.file.as_path();
    if !file.is_dir() {
        let checked = credentials::read(file, trust.as_deref())?;
        return report(arguments, file, &checked, sign::count(file)?);
    }
    let lists = PictureList::all_in(file)?;
    if lists.is_empty() {
        let none = format!("{}: has no content credentials", file.display());
        return Err(Failure::Credentials(none));
    }
    for path in lists {
        let checked = credentials::read(&path, trust.as_deref())?;
        let list = PictureList::open(&path)?;
        list.check(file)?;
        report(arguments, &path, &checked, Some(list.len() as u64))?;
    }
    Ok(())
}

fn report(
    arguments: &VerifyArguments,
    file: &Path,
    checked: &Checked,
    frames: Option<u64>,
) -> Result<()> {
    if arguments.json {
        println!("{}", checked.json());
    } else {
        print(arguments, file, checked, frames);
    }
    let Some((provenance, frames)) = checked.provenance.as_ref().zip(frames) else {
        return Ok(());
    };
    let mut fits = provenance.frames.clone();
    fits.fit(frames).map_err(|reason| {
        Failure::Credentials(format!(
            "{}: its content credentials state what cannot be: {reason}",
            file.display()
        ))
    })
}

fn print(arguments: &VerifyArguments, file: &Path, checked: &Checked, frames: Option<u64>) {
    println!("file        {}", file.display());
    println!("signed by   {}", checked.signer());
    let trusted = match (&arguments.trust, checked.is_trusted()) {
        (None, _) => "not checked: --trust names certificates that you trust".into(),
        (Some(path), true) => format!("by a certificate in {}", path.display()),
        (Some(path), false) => format!("NO: by no certificate in {}", path.display()),
    };
    println!("trusted     {trusted}");
    let time = checked.time();
    let time = time.unwrap_or("not by a time stamp authority".into());
    println!("signed at   {time}");
    println!("pixels      unchanged since the signature");
    println!("made by     {}", checked.generator());
    for source in checked.sources() {
        println!("source      {source}");
    }
    let Some(provenance) = &checked.provenance else {
        println!("changed     not stated by stylelipsync");
        return;
    };
    println!("kind        {}", provenance.digital_source_type);
    let ranges: Vec<String> = provenance
        .frames
        .changed
        .iter()
        .map(|[first, last]| match first == last {
            true => first.to_string(),
            false => format!("{first}-{last}"),
        })
        .collect();
    let of = frames.map_or(String::new(), |frames| format!(" of {frames}"));
    println!(
        "changed     {}{of} frames: {}",
        provenance.frames.changed_count,
        ranges.join(", ")
    );
    let bundle = &provenance.bundle;
    println!(
        "bundle      {} {} ({})",
        bundle.name, bundle.version, bundle.sha256
    );
    if let Some(person) = &provenance.person {
        let hash = person.sha256.as_ref().unwrap_or(&person.tensors_sha256);
        println!("person      {hash}");
    }
    if let Some(audio) = &provenance.audio {
        let hash = audio.sha256.as_ref().or(audio.samples_sha256.as_ref());
        println!("audio       {}", hash.map_or("a stream", String::as_str));
    }
    let of_person = provenance.person.as_ref();
    let of_person = of_person.and_then(|person| person.consent.as_ref());
    for consent in provenance.consent.iter().chain(of_person) {
        let until = consent.expires.as_deref().unwrap_or("without an end");
        println!(
            "consent     stated, not proved: {}, from {} to {until}, for {}; document {}",
            consent.who, consent.when, consent.scope, consent.document_sha256
        );
    }
    if let Some(watermark) = &provenance.watermark {
        println!("watermark   {watermark}");
    }
}
