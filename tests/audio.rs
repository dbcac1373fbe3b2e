//! Audio in: every format, layout and rate to 16 kHz mono in step with the picture; the mel
//! spectrogram against its Python twin; and no chunking changes a byte.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::path::{Path, PathBuf};

use hound::{SampleFormat, WavSpec, WavWriter};
use proptest::prelude::*;
use stylelipsync::Error;
use stylelipsync::audio::{
    MelParameters, MelSpectrogram, Rate, Resampler16k, Samples, Timeline, decode_file, to_16k,
};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/audio")
        .join(name)
}

fn lite_mel() -> MelParameters {
    MelParameters {
        rate: 16000,
        mels: 80,
        fft: 512,
        window: 400,
        hop: 160,
        low: 55.0,
        high: 7600.0,
        floor: 1e-5,
        frames: 28,
        lead: 16,
    }
}

/// First and last second at which the sound exceeds `level`.
fn heard(samples: &[f32], level: f32) -> (f64, f64) {
    let first = samples
        .iter()
        .position(|s| s.abs() > level)
        .expect("a sound");
    let last = samples
        .iter()
        .rposition(|s| s.abs() > level)
        .expect("a sound");
    (first as f64 / 16000.0, last as f64 / 16000.0)
}

/// For comparison bit by bit.
fn bits(samples: &[f32]) -> Vec<u32> {
    samples.iter().map(|sample| sample.to_bits()).collect()
}

fn wav(path: &Path, rate: u32, channels: u16, samples: impl IntoIterator<Item = f32>) {
    let spec = WavSpec {
        channels,
        sample_rate: rate,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    let mut writer = WavWriter::create(path, spec).unwrap();
    for sample in samples {
        writer.write_sample((sample * 32767.0) as i16).unwrap();
    }
    writer.finalize().unwrap();
}

/// 440 Hz, `seconds` long.
fn tone(rate: u32, seconds: f64) -> Vec<f32> {
    let step = std::f64::consts::TAU * 440.0 / f64::from(rate);
    let count = (seconds * f64::from(rate)).round() as usize;
    (0..count)
        .map(|i| (0.5 * (step * i as f64).sin()) as f32)
        .collect()
}

#[test]
fn every_format_is_in_step() {
    // The tone lies at 0.25-0.5 s. Raw ADTS has no place to say that 1024 samples are padding.
    for (name, late) in [
        ("tone.flac", 0.0),
        ("tone.mp3", 0.0),
        ("tone.m4a", 0.0),
        ("tone.ogg", 0.0),
        ("tone.aac", 1024.0 / 44100.0),
        ("late.mp4", 0.2),
        ("opus.ogg", 0.0),
    ] {
        let sound = decode_file(&data(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let opus = name.starts_with("opus");
        assert_eq!(sound.rate, if opus { 48_000 } else { 44_100 }, "{name}");
        let samples = sound.to_16k().unwrap();
        let (first, last) = heard(&samples, 0.1);
        assert!(
            (first - late - 0.25).abs() < 0.003,
            "{name} begins at {first}"
        );
        assert!((last - late - 0.5).abs() < 0.003, "{name} ends at {last}");
        let middle = ((late + 0.3) * 16000.0) as usize..((late + 0.45) * 16000.0) as usize;
        let loudest = samples[middle]
            .iter()
            .fold(0f32, |most, s| most.max(s.abs()));
        assert!(
            (loudest - 0.375).abs() < 0.08,
            "{name}: the mix of 0.5 and 0.25 is {loudest}"
        );
    }
}

#[test]
fn wav_of_any_rate_and_layout() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tone.wav");
    for (rate, channels) in [
        (8000, 1),
        (16000, 1),
        (22050, 2),
        (44100, 1),
        (44101, 1),
        (48000, 2),
        (48000, 6),
    ] {
        let frames = tone(rate, 0.5);
        let interleaved = frames
            .iter()
            .flat_map(|&s| std::iter::repeat_n(s, channels.into()));
        wav(&path, rate, channels, interleaved);
        let sound = decode_file(&path).unwrap();
        assert_eq!((sound.rate, sound.samples.len()), (rate, frames.len()));
        let samples = sound.to_16k().unwrap();
        assert_eq!(
            samples.len(),
            (frames.len() * 16000).div_ceil(rate as usize),
            "{rate} Hz"
        );
        for (i, (got, wanted)) in samples.iter().zip(tone(16000, 0.5)).enumerate() {
            // Away from the ends, where the tone starts out of nothing. A shift by one sample would
            // show as 0.09; at odd rates half a sample is allowed.
            if (200..7800).contains(&i) {
                assert!(
                    (got - wanted).abs() < if rate == 44101 { 0.05 } else { 0.002 },
                    "{rate} Hz at {i}: {got}, not {wanted}"
                );
            }
        }
    }
}

#[test]
fn surround_keeps_the_voice_and_drops_low_effects() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("surround.wav");
    let voice = tone(48000, 0.2);
    let only = |channel: usize| -> f32 {
        wav(
            &path,
            48000,
            6,
            voice
                .iter()
                .flat_map(|&s| (0..6).map(move |c| if c == channel { s } else { 0.0 })),
        );
        let sound = decode_file(&path).unwrap();
        sound.samples.iter().fold(0f32, |most, s| most.max(s.abs()))
    };
    let (left, centre, effects, surround) = (only(0), only(2), only(3), only(4));
    assert!(centre > left && left > surround && surround > 0.0);
    assert_eq!(effects, 0.0);
    // Pushed samples, where only the number of channels is known, are mixed alike.
    let frame = |channel: usize| (0..6).map(move |c| if c == channel { 0.5 } else { 0.0 });
    let pushed = to_16k(&frame(2).collect::<Vec<f32>>().repeat(100), 16000, 6).unwrap();
    assert!((pushed[50] - centre).abs() < 1e-3);
}

#[test]
fn bad_files_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let fails = |name: &str| decode_file(&at(name)).expect_err(name);

    assert!(matches!(fails("none.wav"), Error::Read { .. }));
    assert!(matches!(
        decode_file(folder.path()),
        Err(Error::Read { .. })
    ));

    std::fs::write(at("empty.wav"), []).unwrap();
    assert!(matches!(fails("empty.wav"), Error::NoAudio(_)));

    wav(&at("no-samples.wav"), 16000, 1, []);
    assert!(matches!(fails("no-samples.wav"), Error::NoAudio(_)));

    std::fs::write(
        at("text.wav"),
        "these are words, but nobody says them\n".repeat(400),
    )
    .unwrap();
    assert!(matches!(fails("text.wav"), Error::Audio(_)));

    let mut state = 1u32;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1664525).wrapping_add(1013904223);
        (state >> 24) as u8
    });
    std::fs::write(at("noise.mp3"), noise.take(60_000).collect::<Vec<_>>()).unwrap();
    assert!(matches!(
        fails("noise.mp3"),
        Error::Audio(_) | Error::NoAudio(_)
    ));

    let mut codec = std::fs::read(data("tone.m4a")).unwrap();
    let name = codec.windows(4).rposition(|name| name == b"mp4a").unwrap();
    codec[name..name + 4].copy_from_slice(b"samr");
    std::fs::write(at("amr.m4a"), codec).unwrap();
    let codec = fails("amr.m4a").to_string();
    assert!(
        codec.contains("not supported: convert it, for instance with ffmpeg"),
        "{codec}"
    );
}

#[test]
fn truncated_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole.wav");
    wav(&whole, 44100, 1, tone(44100, 2.0));
    for source in [whole, data("tone.flac"), data("tone.m4a"), data("tone.mp3")] {
        let bytes = std::fs::read(&source).unwrap();
        let cut = folder
            .path()
            .join("cut")
            .with_extension(source.extension().unwrap());
        std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
        let error = decode_file(&cut).expect_err("half a file");
        assert!(matches!(error, Error::Audio(_)), "{error}");
    }
}

#[test]
fn every_prefix_ends_well() {
    // Cut at any byte, or with any byte altered: an error that says why, or finite samples and no
    // more of them than a header can promise; no panic.
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "tone.m4a",
        "late.mp4",
        "tone.mp3",
        "tone.ogg",
        "opus.ogg",
        "tone.aac",
        "tone.flac",
    ] {
        let bytes = std::fs::read(data(name)).unwrap();
        let whole = decode_file(&data(name)).unwrap().samples.len();
        let path = folder.path().join(name);
        // Whether it is an error.
        let refused = |bytes: &[u8], what: &str, most: usize| {
            std::fs::write(&path, bytes).unwrap();
            match decode_file(&path) {
                Ok(sound) => {
                    let count = sound.samples.len();
                    assert!(count <= most, "{name} {what}: {count} of {whole} samples");
                    assert!(
                        sound.samples.iter().all(|sample| sample.is_finite()),
                        "{name} {what}"
                    );
                    false
                }
                Err(Error::Audio(reason) | Error::NoAudio(reason)) => {
                    assert!(!reason.is_empty(), "{name} {what}");
                    true
                }
                Err(other) => panic!("{name} {what}: {other:?}"),
            }
        };
        let (mut cuts, mut refusals) = (0, 0);
        for cut in (0..bytes.len()).step_by(97) {
            cuts += 1;
            refusals += usize::from(refused(&bytes[..cut], &format!("cut at {cut}"), whole));
            let mut altered = bytes.clone();
            altered[cut] ^= 0xA5;
            refused(&altered, &format!("altered at {cut}"), 8 * whole);
        }
        assert!(refused(&[], "empty", 0), "{name}");
        println!("{name}: {refusals} of {cuts} prefixes refused");
    }
}

#[test]
fn a_stream_of_unknown_length_is_read() {
    // What `ffmpeg -f wav -` writes: no length in the header.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("piped.wav");
    wav(&path, 16000, 1, tone(16000, 0.3));
    let mut bytes = std::fs::read(&path).unwrap();
    let data = bytes.windows(4).position(|name| name == b"data").unwrap();
    bytes[4..8].fill(0xFF);
    bytes[data + 4..data + 8].fill(0xFF);
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(decode_file(&path).unwrap().samples.len(), 4800);
}

#[test]
fn samples_that_are_no_numbers_are_silent() {
    let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, 0.25];
    assert_eq!(to_16k(&odd[..3], 16000, 1).unwrap(), [0.0; 3]);
    let mixed = to_16k(&[f32::NAN, 0.5, f32::MAX, f32::MAX], 16000, 2).unwrap();
    assert_eq!(mixed[0], 0.25);
    let resampled = to_16k(&odd.repeat(500), 48000, 1).unwrap();
    assert!(resampled.iter().all(|s| !s.is_nan()));
}

#[test]
fn formats_outside_the_range_are_refused() {
    for (rate, channels) in [(0, 1), (999, 1), (768_001, 1), (48000, 0), (48000, 65)] {
        assert!(matches!(
            to_16k(&[], rate, channels),
            Err(Error::Argument { .. })
        ));
    }
    assert!(matches!(
        to_16k(&[0.0; 3], 48000, 2),
        Err(Error::Argument { .. })
    ));
    for (num, den) in [(0, 1), (25, 0), (1, 2), (1001, 1)] {
        assert!(matches!(
            Rate::new(num, den),
            Err(Error::Argument { field: "rate", .. })
        ));
    }
}

#[test]
fn mel_is_the_twins() {
    let bytes = include_bytes!("golden/mel.safetensors");
    let file = safetensors::SafeTensors::deserialize(bytes).unwrap();
    let tensor = |name: &str| file.tensor(name).unwrap().data().to_vec();
    let samples: Vec<f32> = bytemuck::pod_collect_to_vec(&tensor("samples"));
    let positions: Vec<i64> = bytemuck::pod_collect_to_vec(&tensor("positions"));
    let windows: Vec<f32> = bytemuck::pod_collect_to_vec(&tensor("windows"));
    let mel = MelSpectrogram::new(lite_mel()).unwrap();
    let mut out = vec![0.0; 80 * 28];
    for (&position, wanted) in positions.iter().zip(windows.chunks_exact(80 * 28)) {
        mel.window(samples.as_slice(), position, &mut out).unwrap();
        for (i, (got, wanted)) in out.iter().zip(wanted).enumerate() {
            assert!(
                (got - wanted).abs() < 1e-5,
                "at {position}, value {i}: {got}, not {wanted}"
            );
        }
    }
    assert!(
        windows.contains(&-5.0) && windows.iter().any(|&v| v > -1.0),
        "the golden file is dull"
    );
}

#[test]
fn mel_of_a_tone_peaks_in_its_band() {
    // By hand: a tone of amplitude a under a Hann window of 400 has magnitude 100 a at its bin,
    // half of it in both neighbours; 1000 Hz is bin 32, and Slaney's mel 15.
    let step = std::f64::consts::TAU / 16.0;
    let samples: Vec<f32> = (0..16000)
        .map(|i| (0.5 * (step * i as f64).sin()) as f32)
        .collect();
    let mel = MelSpectrogram::new(lite_mel()).unwrap();
    let mut out = vec![0.0; 80 * 28];
    mel.window(samples.as_slice(), 8000, &mut out).unwrap();
    let column: Vec<f32> = (0..80).map(|band| out[band * 28 + 16]).collect();
    let loudest = (0..80)
        .max_by(|&a, &b| column[a].total_cmp(&column[b]))
        .unwrap();
    // Bands lie evenly from mel(55 Hz) = 0.825 to mel(7600 Hz) = 44.5.., 81 steps.
    let top = 15.0 + 27.0 * 7.6f64.ln() / 6.4f64.ln();
    let wanted = ((15.0 - 0.825) / ((top - 0.825) / 81.0)).round() as usize - 1;
    assert_eq!(loudest, wanted);
    assert!(column[79] < -3.0);
}

#[test]
fn silence_reads_as_the_floor() {
    let mel = MelSpectrogram::new(lite_mel()).unwrap();
    let mut out = vec![0.0; 80 * 28];
    let ends = [i64::MIN, -1_000_000, 0, 1_000_000, i64::MAX];
    for position in ends {
        mel.window(&[] as &[f32], position, &mut out).unwrap();
        assert!(out.iter().all(|&value| value == -5.0));
    }
    mel.window([0.0f32; 9000].as_slice(), 4000, &mut out)
        .unwrap();
    assert!(out.iter().all(|&value| value == -5.0));
    assert!(matches!(
        mel.window([0.0f32; 9].as_slice(), 0, &mut out[1..]),
        Err(Error::Argument { .. })
    ));
}

#[test]
fn mel_parameters_are_checked() {
    type Change = fn(&mut MelParameters);
    let changes: [(&str, Change); 9] = [
        ("mel.rate", |p| p.rate = 44100),
        ("mel.fft", |p| p.fft = 0),
        ("mel.window", |p| p.window = 513),
        ("mel.mels", |p| p.mels = 0),
        ("mel.hop", |p| p.hop = 0),
        ("mel.frames", |p| p.frames = usize::MAX),
        ("mel.lead", |p| p.lead = 28),
        ("mel.low", |p| p.low = f64::NAN),
        ("mel.floor", |p| p.floor = 0.0),
    ];
    for (wanted, change) in changes {
        let mut params = lite_mel();
        change(&mut params);
        match MelSpectrogram::new(params) {
            Err(Error::Argument { field, .. }) => assert_eq!(field, wanted),
            _ => panic!("{wanted} was accepted"),
        }
    }
}

#[test]
fn frames_lie_where_their_rate_says() {
    let film = Rate::new(24000, 1001).unwrap();
    assert_eq!(Rate::new(25, 1).unwrap().position(7), 7 * 640);
    assert_eq!(Rate::new(50, 1).unwrap().position(-3), -960);
    assert_eq!(film.position(24000), 1001 * 16000);
    assert_eq!(film.position(1), 667); // 667.33
    assert_eq!(Rate::new(30000, 1001).unwrap().position(1), 534); // 533.87
    assert_eq!(film.position(i64::MAX), i64::MAX);
}

#[test]
fn a_growing_timeline_says_when_it_is_ready() {
    let mel = lite_mel();
    let ready = |timeline: &Timeline, at| timeline.is_known(mel.reach(at).end);
    let mut timeline = Timeline::growing(320);
    assert!(timeline.is_empty() && !ready(&timeline, 0));
    // The window of 0 hears up to 160 * 11 + 200.
    timeline.push(&vec![0.1; 1960 - 320 - 1], 16000, 1).unwrap();
    assert!(!ready(&timeline, 0));
    timeline.push(&[0.1], 16000, 1).unwrap();
    assert!(ready(&timeline, 0) && !ready(&timeline, 1));
    assert!(matches!(
        timeline.push(&[0.1; 2], 16000, 2),
        Err(Error::Argument { .. })
    ));
    timeline.finish().unwrap();
    assert!(ready(&timeline, i64::MAX));
    assert!(matches!(
        timeline.push(&[0.1], 16000, 1),
        Err(Error::State(_))
    ));
    let mut out = [9.0; 4];
    timeline.read(318, &mut out);
    assert_eq!(out, [0.0, 0.0, 0.1, 0.1]);
}

#[test]
fn a_long_stream_is_bounded() {
    let mut timeline = Timeline::growing(-100);
    let whole: Vec<f32> = (0..160_000).map(|i| (i % 1000) as f32).collect();
    let mut most = 0;
    for (index, chunk) in whole.chunks(640).enumerate() {
        timeline.push(chunk, 16000, 1).unwrap();
        let keep = index as i64 * 640 - 5000;
        timeline.discard_before(keep);
        assert!(timeline.holds(keep));
        most = most.max(timeline.held());
        let (mut got, mut wanted) = (vec![0.0; 5000], vec![0.0; 5000]);
        timeline.read(keep, &mut got);
        whole.as_slice().read(keep + 100, &mut wanted);
        wanted[(timeline.end() - keep).clamp(0, 5000) as usize..].fill(0.0);
        assert_eq!(got, wanted);
    }
    assert!(most < 3 * 16000, "{most} samples were held");
    assert!(!timeline.holds(0) && !timeline.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn chunking_never_changes_a_byte(
        rate in prop::sample::select(vec![8000u32, 16000, 22050, 44100, 47952, 48000, 96000]),
        channels in 1u16..=6,
        frames in 0usize..6000,
        cuts in prop::collection::vec(0usize..3000, 0..12),
        seed in any::<u32>(),
    ) {
        let mut state = seed;
        let sound: Vec<f32> = (0..frames * usize::from(channels)).map(|_| {
            state = state.wrapping_mul(1664525).wrapping_add(1013904223);
            state as i32 as f32 / i32::MAX as f32
        }).collect();
        let whole = to_16k(&sound, rate, channels).unwrap();
        prop_assert_eq!(whole.len(), (frames * 16000).div_ceil(rate as usize));

        let mut streamed = Vec::new();
        let mut resampler = Resampler16k::new(rate, channels).unwrap();
        let mut rest = sound.as_slice();
        for cut in cuts {
            let (chunk, tail) = rest.split_at((cut * usize::from(channels)).min(rest.len()));
            resampler.push(chunk, &mut streamed).unwrap();
            rest = tail;
        }
        resampler.push(rest, &mut streamed).unwrap();
        resampler.finish(&mut streamed).unwrap();
        prop_assert_eq!(bits(&whole), bits(&streamed));
    }

    #[test]
    fn mel_hears_nothing_beyond_its_reach(position in -3000i64..9000, seed in any::<u32>()) {
        let mel = MelSpectrogram::new(lite_mel()).unwrap();
        let reach = mel.params().reach(position);
        let mut state = seed;
        let sound: Vec<f32> = (0..6000).map(|_| {
            state = state.wrapping_mul(1664525).wrapping_add(1013904223);
            state as i32 as f32 / i32::MAX as f32
        }).collect();
        let mut other = sound.clone();
        for (i, sample) in other.iter_mut().enumerate() {
            if !reach.contains(&(i as i64)) {
                *sample = 7.0;
            }
        }
        let (mut a, mut b) = (vec![0.0; 80 * 28], vec![0.0; 80 * 28]);
        mel.window(sound.as_slice(), position, &mut a).unwrap();
        mel.window(other.as_slice(), position, &mut b).unwrap();
        prop_assert_eq!(&a, &b);
        // The same columns, whatever window they are in.
        mel.window(sound.as_slice(), position + 640, &mut b).unwrap();
        for band in 0..80 {
            prop_assert_eq!(&a[band * 28 + 4..band * 28 + 28], &b[band * 28..band * 28 + 24]);
        }
    }
}
