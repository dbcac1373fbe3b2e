//! Content credentials: every kind of file is signed and checked, what cannot be signed is refused, and a change
//! after the signature is found. And the plain metadata of results that nobody signs.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

#[path = "cli_support/certificates.rs"]
mod certificates;
mod cli_support;

use std::fs;
use std::path::{Path, PathBuf};

use certificates::{Flaw, signer};
use cli_support::*;

const SOURCE_TYPE: &str =
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia";

/// A report of `count` frames whose ranges of changed frames are these.
fn report(place: &Path, count: Option<u64>, changed: &[[i64; 2]]) -> PathBuf {
    let path = place.join("report.json");
    let hash = "0".repeat(64);
    let frames: i64 = changed.iter().map(|[a, b]| b - a + 1).sum();
    let extent = count.map_or(String::new(), |n| format!("\"first\": 0, \"count\": {n}, "));
    let text = format!(
        "{{\"format\": \"stylelipsync.provenance\", \"version\": 1,
          \"software\": {{\"name\": \"stylelipsync\", \"version\": \"0.1.0\"}},
          \"action\": \"c2pa.edited\", \"digital_source_type\": \"{SOURCE_TYPE}\",
          \"bundle\": {{\"name\": \"lite\", \"version\": \"1\", \"sha256\": \"{hash}\"}},
          \"person\": null, \"audio\": null,
          \"frames\": {{{extent}\"changed\": {changed:?}, \"changed_count\": {frames}, \"exact\": true}},
          \"watermark\": null}}"
    );
    fs::write(&path, text).unwrap();
    path
}

fn sign(file: &Path, report: &Path, credentials: &str) -> Ran {
    let mut command = program();
    command.arg("sign").arg(file).arg("--from").arg(report);
    run(command.args(["--credentials", credentials]))
}

fn verify(file: &Path, more: &[&str]) -> Ran {
    run(program().arg("verify").arg(file).args(more))
}

/// Changes a byte in a file that came from the middle of `original`.
fn damage(file: &Path, original: &[u8]) {
    let mut bytes = fs::read(file).unwrap();
    let middle = &original[original.len() / 2..][..12];
    let at = bytes.windows(12).position(|w| w == middle).unwrap();
    bytes[at] ^= 1;
    fs::write(file, bytes).unwrap();
}

fn holds(file: &Path, text: &str) -> bool {
    let bytes = fs::read(file).unwrap();
    bytes.windows(text.len()).any(|w| w == text.as_bytes())
}

#[test]
fn certificates_and_keys_that_cannot_sign_are_told_apart() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let picture = place.join("one.png");
    gradient_picture(64, 48, 0).save(&picture).unwrap();
    let before = fs::read(&picture).unwrap();
    let report = report(place, Some(1), &[[0, 0]]);
    let good = signer(place, "good", Flaw::None);
    let other = signer(place, "other", Flaw::None);
    let file = |name: &str, text: &str| {
        fs::write(place.join(name), text).unwrap();
        place.join(name).display().to_string()
    };
    let encrypted = file("encrypted.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n");
    let nothing = file("nothing.pem", "");
    let reversed = {
        let text = fs::read_to_string(&good.certificates).unwrap();
        let second = text.rfind("-----BEGIN").unwrap();
        file(
            "reversed.pem",
            &format!("{}{}", &text[second..], &text[..second]),
        )
    };
    let (certificates, key) = (good.certificates.display(), good.key.display());
    let flawed = |name, flaw| signer(place, name, flaw).argument();
    let cases = [
        (flawed("expired", Flaw::Expired), "expired on"),
        (flawed("early", Flaw::NotYet), "is not valid before"),
        (flawed("server", Flaw::Usage), "wrong extended key usage"),
        (flawed("cipher", Flaw::KeyUsage), "wrong key usage"),
        (flawed("boss", Flaw::Authority), "one of an authority"),
        (
            format!("{certificates},{}", other.key.display()),
            "does not belong to the certificate",
        ),
        (
            format!("{certificates},{encrypted}"),
            "the key is encrypted",
        ),
        (format!("{certificates},{nothing}"), "holds no private key"),
        (format!("{nothing},{key}"), "holds no certificate"),
        (format!("{reversed},{key}"), "order the chain"),
        (format!("{key},{certificates}"), "not only certificates"),
    ];
    let there = fs::read_dir(place).unwrap().count();
    for (credentials, wanted) in cases {
        let ran = sign(&picture, &report, &credentials);
        assert_eq!(ran.code, 7, "{wanted}: {}", ran.errors);
        assert!(ran.errors.contains(wanted), "{wanted}: {}", ran.errors);
        assert_eq!(fs::read(&picture).unwrap(), before, "{wanted}");
    }
    assert_eq!(fs::read_dir(place).unwrap().count(), there);
    let stamped = |url: &str| {
        let mut command = program();
        command.arg("sign").arg(&picture).arg("--from").arg(&report);
        run(command.args(["--credentials", &good.argument(), "--tsa", url]))
    };
    // Nothing listens there.
    let ran = stamped("http://127.0.0.1:1/");
    assert_eq!(ran.code, 7, "{}", ran.errors);
    assert!(ran.errors.contains("127.0.0.1:1"), "{}", ran.errors);
    assert_eq!(stamped("https://127.0.0.1:1/").code, 7);
    assert_eq!(fs::read(&picture).unwrap(), before);
    assert_eq!(fs::read_dir(place).unwrap().count(), there);
}

#[test]
fn every_kind_of_file_is_signed_and_a_change_is_found() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let good = signer(place, "good", Flaw::None);
    let picture = gradient_picture(64, 48, 0);
    let mut files = Vec::new();
    for name in ["a.png", "a.jpg", "a.tif"] {
        picture.save(place.join(name)).unwrap();
        files.push((name, 1));
    }
    tone(place, "a.wav", 16000, 1, 0.2);
    files.push(("a.wav", 1));
    if has_ffmpeg() {
        for (name, more) in [
            ("a.mp4", &["-pix_fmt", "yuv420p"][..]),
            ("a.mov", &["-c:v", "prores_ks"][..]),
            ("a.mkv", &["-c:v", "ffv1"][..]),
        ] {
            pattern(place, name, "64x48", "25", 5, more);
            files.push((name, 5));
        }
    }
    for (name, frames) in files {
        let file = place.join(name);
        let changed: &[[i64; 2]] = if frames == 1 {
            &[[0, 0]]
        } else {
            &[[0, 1], [3, 3]]
        };
        let none = verify(&file, &[]);
        assert_eq!(none.code, 7, "{name}: {}", none.errors);
        assert!(
            none.errors.contains("has no content credentials"),
            "{name}: {}",
            none.errors
        );
        let original = fs::read(&file).unwrap();
        let ran = sign(
            &file,
            &report(place, Some(frames), changed),
            &good.argument(),
        );
        assert_eq!(ran.code, 0, "{name}: {}", ran.errors);
        assert_eq!(place.join("a.c2pa").is_file(), name == "a.mkv");

        let root = good.root.display().to_string();
        let ran = verify(&file, &["--trust", &root]);
        assert_eq!(ran.code, 0, "{name}: {}", ran.errors);
        for wanted in [
            "good",
            "trusted     by a certificate in",
            "pixels      unchanged",
            SOURCE_TYPE,
        ] {
            assert!(
                ran.output.contains(wanted),
                "{name}, {wanted}: {}",
                ran.output
            );
        }
        let stated = if frames == 1 {
            "1 of 1 frames: 0"
        } else {
            "3 of 5 frames: 0-1, 3"
        };
        assert!(
            name == "a.wav" || ran.output.contains(stated),
            "{name}: {}",
            ran.output
        );

        damage(&file, &original);
        let ran = verify(&file, &[]);
        assert_eq!(ran.code, 7, "{name}: {} {}", ran.errors, ran.output);
        assert!(
            ran.errors.contains("was changed after it was signed"),
            "{name}: {}",
            ran.errors
        );
    }
}

#[test]
fn a_report_that_cannot_be_true_of_a_file_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let good = signer(place, "good", Flaw::None);
    let folder = gradient(place, 4);
    let before = fs::read_dir(&folder).unwrap().count();
    type Claim<'a> = (Option<u64>, &'a [[i64; 2]], &'a str);
    let cases: [Claim<'_>; 4] = [
        (
            Some(5),
            &[[0, 4]],
            "the report is of 5 frames, the file has 4",
        ),
        (Some(4), &[[2, 4]], "is not within the file's frames 0 to 3"),
        (Some(4), &[[2, 3], [1, 1]], "out of order"),
        (
            None,
            &[[100, 104]],
            "is not within the file's frames 100 to 103",
        ),
    ];
    for (count, changed, wanted) in cases {
        let ran = sign(&folder, &report(place, count, changed), &good.argument());
        assert_eq!(ran.code, 3, "{wanted}: {}", ran.errors);
        assert!(ran.errors.contains(wanted), "{wanted}: {}", ran.errors);
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), before);
}

#[test]
fn a_folder_is_signed_by_a_list_and_each_picture_is_checked() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let good = signer(place, "good", Flaw::None);
    let folder = gradient(place, 4);
    let ran = sign(
        &folder,
        &report(place, Some(4), &[[1, 2]]),
        &good.argument(),
    );
    assert_eq!(ran.code, 0, "{}", ran.errors);
    let ran = verify(&folder, &[]);
    assert_eq!(ran.code, 0, "{}", ran.errors);
    assert!(ran.output.contains("2 of 4 frames: 1-2"), "{}", ran.output);
    let list = folder.join("credentials-0-3.json");
    assert!(list.is_file() && folder.join("credentials-0-3.c2pa").is_file());

    let picture = folder.join("0002.png");
    let kept = fs::read(&picture).unwrap();
    gradient_picture(96, 64, 9).save(&picture).unwrap();
    let ran = verify(&folder, &[]);
    assert_eq!(ran.code, 7, "{}", ran.output);
    assert!(ran.errors.contains("0002.png"), "{}", ran.errors);
    // A list that was changed to fit is not the one that was signed.
    fs::write(&picture, kept).unwrap();
    let text = fs::read_to_string(&list).unwrap();
    fs::write(&list, text.replace("0003.png", "0004.png")).unwrap();
    let ran = verify(&folder, &[]);
    assert_eq!(ran.code, 7, "{}", ran.output);
    assert!(
        ran.errors.contains("was changed after it was signed"),
        "{}",
        ran.errors
    );
}

/// A movie of the bundled head, which has a face in every frame.
fn head_movie(place: &Path, frames: usize) -> PathBuf {
    let pictures = place.join("head");
    fs::create_dir(&pictures).unwrap();
    for frame in head_frames(frames) {
        fs::copy(&frame, pictures.join(frame.file_name().unwrap())).unwrap();
    }
    let movie = place.join("head.mp4");
    let pattern = pictures.join("%04d.jpg").display().to_string();
    ffmpeg(
        &["-framerate", "25", "-i", &pattern, "-pix_fmt", "yuv420p"],
        &movie,
    );
    movie
}

#[test]
fn a_render_is_signed_with_its_source_s_credentials_or_not_at_all() {
    if !has_ffmpeg() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let camera = signer(place, "camera", Flaw::None);
    let studio = signer(place, "studio", Flaw::None);
    let movie = head_movie(place, 6);
    let plain = fs::read(&movie).unwrap();
    // The source has credentials of its own.
    assert_eq!(
        sign(&movie, &report(place, Some(6), &[]), &camera.argument()).code,
        0
    );
    let out = place.join("out.mov");
    let written = place.join("written.json");
    let mut command = render(&movie, &head_words(), &out);
    command.args(["--credentials", &studio.argument(), "--frames", "2-5"]);
    let consent = place.join("consent.json");
    let stated = |expires: &str| {
        let document = "0".repeat(64);
        let text = format!(
            "{{\"who\": \"Jane Doe\", \"when\": \"2020-05-03\", \"scope\": \"a test\", {expires}
              \"document_sha256\": \"{document}\"}}"
        );
        fs::write(&consent, text).unwrap();
    };
    stated("");
    command
        .arg("--require-consent")
        .arg("--consent-file")
        .arg(&consent);
    let ran = run(command.arg("--report").arg(&written));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    let ran = verify(&out, &[]);
    assert_eq!(ran.code, 0, "{}", ran.errors);
    for wanted in [
        "signed by   studio",
        "source      head.mp4, with content credentials signed by camera",
        "4 of 4 frames: 2-5",
        "consent     stated, not proved: Jane Doe",
    ] {
        assert!(ran.output.contains(wanted), "{wanted}: {}", ran.output);
    }
    assert!(holds(&out, SOURCE_TYPE));
    let report: serde_json::Value = serde_json::from_slice(&fs::read(&written).unwrap()).unwrap();
    assert_eq!(report["frames"]["changed"], serde_json::json!([[2, 5]]));
    assert_eq!(report["frames"]["first"], 2);
    assert_eq!(report["audio"]["sha256"].as_str().unwrap().len(), 64);

    // Consent that is missing, expired or wrong.
    let careless = |expires: Option<&str>| {
        let mut command = render(&movie, &head_words(), &place.join("gone.mp4"));
        command.arg("--require-consent");
        if let Some(expires) = expires {
            stated(expires);
            command.arg("--consent-file").arg(&consent);
        }
        let ran = run(&mut command);
        assert_eq!(ran.code, 3, "{}", ran.errors);
        assert!(!place.join("gone.mp4").exists());
        ran.errors
    };
    assert!(careless(None).contains("is required"));
    assert!(careless(Some("\"expires\": \"2021-05-03\",")).contains("expired on 2021-05-03"));
    assert!(careless(Some("\"expiry\": \"2099-05-03\",")).contains("is not a consent file"));

    // A source that was changed after it was signed, and an authority that is not there, leave nothing.
    let refused = |what: &[&str]| {
        let gone = place.join("gone.mp4");
        let mut command = render(&movie, &head_words(), &gone);
        let ran = run(command
            .args(["--credentials", &studio.argument()])
            .args(what));
        assert_eq!(ran.code, 7, "{}", ran.errors);
        assert!(!gone.exists());
        let left = fs::read_dir(place).unwrap().filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_string_lossy().starts_with('.')
        });
        assert_eq!(left.count(), 0);
        ran.errors
    };
    assert!(refused(&["--tsa", "http://127.0.0.1:1/"]).contains("127.0.0.1:1"));
    damage(&movie, &plain);
    assert!(refused(&[]).contains("own content credentials are broken"));
}

#[test]
fn credentials_beside_a_source_are_kept_or_refused() {
    if !has_ffmpeg() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let camera = signer(place, "camera", Flaw::None).argument();
    let studio = signer(place, "studio", Flaw::None).argument();
    let mp4 = head_movie(place, 4);
    let movie = place.join("head.mkv");
    ffmpeg(&["-i", mp4.to_str().unwrap(), "-c", "copy"], &movie);
    let pictures = place.join("head");
    let signed = sign(&movie, &report(place, Some(4), &[]), &camera);
    assert_eq!(signed.code, 0, "{}", signed.errors);
    let signed = sign(&pictures, &report(place, Some(4), &[]), &camera);
    assert_eq!(signed.code, 0, "{}", signed.errors);

    let rendered = |source: &Path, out: &Path| {
        run(render(source, &head_words(), out).args(["--credentials", &studio]))
    };
    let out = place.join("out.mp4");
    for (source, name) in [(&movie, "head.mkv"), (&pictures, "credentials-0-3.json")] {
        let ran = rendered(source, &out);
        assert_eq!(ran.code, 0, "{}", ran.errors);
        let ran = verify(&out, &[]);
        assert_eq!(ran.code, 0, "{}", ran.errors);
        let wanted = format!("source      {name}, with content credentials signed by camera");
        assert!(ran.output.contains(&wanted), "{wanted}: {}", ran.output);
        fs::remove_file(&out).unwrap();
    }
    // Two lists: both are named, and none of them as the parent.
    let piece = place.join("piece");
    fs::create_dir(&piece).unwrap();
    for name in ["0000.jpg", "0001.jpg", "0002.jpg"] {
        fs::copy(pictures.join(name), piece.join(name)).unwrap();
    }
    let signed = sign(&piece, &report(place, Some(3), &[]), &camera);
    assert_eq!(signed.code, 0, "{}", signed.errors);
    for name in ["credentials-0-2.json", "credentials-0-2.c2pa"] {
        fs::copy(piece.join(name), pictures.join(name)).unwrap();
    }
    let ran = rendered(&pictures, &out);
    assert_eq!(ran.code, 0, "{}", ran.errors);
    let ran = verify(&out, &[]);
    for wanted in [
        "source      head, without",
        "source      credentials-0-2.json, with content",
    ] {
        assert!(ran.output.contains(wanted), "{wanted}: {}", ran.output);
    }

    let gone = place.join("gone.mp4");
    fs::copy(pictures.join("0001.jpg"), pictures.join("0002.jpg")).unwrap();
    let mut bytes = fs::read(&movie).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&movie, bytes).unwrap();
    for (source, wanted) in [
        (&movie, "own content credentials are broken"),
        (&pictures, "0002.jpg: the pixels or the file were changed"),
    ] {
        let ran = rendered(source, &gone);
        assert_eq!(ran.code, 7, "{}", ran.errors);
        assert!(ran.errors.contains(wanted), "{}", ran.errors);
        assert!(!gone.exists());
    }
}

#[test]
fn a_result_states_what_it_is_without_a_signature_too() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let pictures = place.join("frames");
    fs::create_dir(&pictures).unwrap();
    for frame in head_frames(2) {
        fs::copy(&frame, pictures.join(frame.file_name().unwrap())).unwrap();
    }
    let out = place.join("pictures");
    let ran = run(&mut render(&pictures, &head_words(), &out));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    assert!(holds(&out.join("0000.png"), SOURCE_TYPE));
    let labelled = place.join("labelled");
    let ran = run(render(&pictures, &head_words(), &labelled).args(["--label", "top-left"]));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    let [with, without] = [&labelled, &out].map(|folder| pixels(&folder.join("0000.png")));
    let rows = with.height() / 8;
    let at = |x: u32, y: u32| with.get_pixel(x, y) != without.get_pixel(x, y);
    let all = (0..with.height()).flat_map(|y| (0..with.width()).map(move |x| (x, y)));
    let places: Vec<_> = all.filter(|(x, y)| at(*x, *y)).collect();
    assert!(places.len() > 100 && places.iter().all(|(x, y)| *x < 2 * rows && *y < rows));
    let bare = place.join("bare");
    let ran = run(render(&pictures, &head_words(), &bare).arg("--no-ai-metadata"));
    assert!(ran.errors.contains("AI Act"), "{}", ran.errors);
    assert!(!holds(&bare.join("0000.png"), SOURCE_TYPE));
    assert_eq!(
        pixels(&bare.join("0000.png")),
        pixels(&out.join("0000.png"))
    );
    if !has_ffmpeg() {
        return;
    }
    let movie = pattern(place, "in.mkv", "64x48", "25", 4, &["-c:v", "ffv1"]);
    let [mp4, mkv] = ["out.mp4", "out.mkv"].map(|name| {
        let out = place.join(name);
        let ran = run(&mut render(&movie, &head_words(), &out));
        assert_eq!(ran.code, 0, "{name}: {}", ran.errors);
        out
    });
    assert!(holds(&mp4, SOURCE_TYPE));
    assert_eq!(probe(&mp4, "v:0", "stream=nb_read_frames"), "4");
    let tag = probe(&mkv, "v:0", "format_tags=DIGITAL_SOURCE_TYPE");
    assert_eq!(tag, SOURCE_TYPE);
}
