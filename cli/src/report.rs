//! The report of `evaluate`: a table for people, JSON for programs.

use std::fmt;

use serde_json::{Map, Value, json};
use stylelipsync::Engine;
use stylelipsync::evaluate::silence::Heard;
use stylelipsync::evaluate::sync::Score;
use stylelipsync::evaluate::{identity, mean, series};

use crate::args::{Baseline, EvaluateArguments};
use crate::failure::{Failure, Result};
use crate::measure::{Measured, RESULT, SOURCE, Seen};
use crate::rate::FrameRate;
use crate::variants;

/// The largest lag of the opening that is searched, frames.
const LAGS: i64 = 7;
/// Version of the JSON layout.
const FORMAT: u32 = 1;

/// The settings of the measurement.
pub struct About<'a> {
    pub arguments: &'a EvaluateArguments,
    pub engine: &'a Engine,
    pub rate: FrameRate,
    /// The first frame that was measured.
    pub first: u64,
    pub reconstruction: bool,
}

/// Scores by shapes and by pixels, of the result with its speech and of the source with its own.
#[derive(Default)]
pub struct Sync {
    pub result: [Option<Score>; 2],
    pub real: [Option<Score>; 2],
}

/// One line: its title, its name in the JSON, the value of the result and of the source.
struct Line {
    title: &'static str,
    field: &'static str,
    result: Option<f64>,
    real: Option<f64>,
    digits: usize,
}

/// The numbers of a clip.
pub struct Report {
    frames: usize,
    used: usize,
    lines: Vec<Line>,
    distances: Map<String, Value>,
}

impl Report {
    /// Summarises the measurements. `heard` classifies the audio at a frame.
    pub fn new(about: &About<'_>, seen: &Seen, sync: &Sync, heard: impl Fn(u64) -> Heard) -> Self {
        let rows = &seen.rows;
        let mut report = Self {
            frames: rows.len(),
            used: rows.iter().flatten().count(),
            lines: Vec::new(),
            distances: Map::new(),
        };
        let over =
            |of: &dyn Fn(&Measured) -> Option<f64>| mean(rows.iter().flatten().filter_map(of));
        if about.reconstruction {
            report.add("SSIM", "ssim", over(&|row| row.ssim), None, 4);
            report.add("PSNR, dB", "psnr", over(&|row| row.psnr), None, 2);
            let inside = over(&|row| row.psnr_mask);
            report.add("PSNR in the mask, dB", "psnr_mask", inside, None, 2);
            let gmsd = over(&|row| row.gmsd);
            report.add("GMSD in the mask", "gmsd", gmsd, None, 4);
            report.add("LMD, crop pixels", "lmd", over(&|row| row.lmd), None, 3);
        }
        report.sync(sync);
        report.identity(about, seen);
        report.jitter(rows);
        report.opening(about, rows);
        report.motion(about, rows, heard);
        let confidence = over(&|row| Some(f64::from(row.confidence)));
        report.add("face confidence", "confidence", confidence, None, 3);
        report
    }

    fn add(
        &mut self,
        title: &'static str,
        field: &'static str,
        result: Option<f64>,
        real: Option<f64>,
        digits: usize,
    ) {
        self.lines.push(Line {
            title,
            field,
            result,
            real,
            digits,
        });
    }

    fn sync(&mut self, sync: &Sync) {
        let kinds = [
            [
                ("LSE-D", "lse_d"),
                ("LSE-C", "lse_c"),
                ("A/V offset, 1/25 s", "offset"),
                ("windows", "windows"),
            ],
            [
                ("LSE-D, pixels", "lse_d_pixels"),
                ("LSE-C, pixels", "lse_c_pixels"),
                ("A/V offset, pixels", "offset_pixels"),
                ("windows, pixels", "windows_pixels"),
            ],
        ];
        for (kind, (names, distances)) in kinds
            .into_iter()
            .zip(["distances", "distances_pixels"])
            .enumerate()
        {
            let (made, real) = (&sync.result[kind], &sync.real[kind]);
            if kind == 1 && made.is_none() && real.is_none() {
                continue;
            }
            let get = |of: &dyn Fn(&Score) -> f64| (made.as_ref().map(of), real.as_ref().map(of));
            let values = [
                (get(&|s| s.lse_d), 3),
                (get(&|s| s.lse_c), 3),
                (get(&|s| s.offset as f64), 0),
                (get(&|s| s.windows as f64), 0),
            ];
            for ((title, field), ((made, real), digits)) in names.into_iter().zip(values) {
                self.add(title, field, made, real, digits);
            }
            let all = |score: &Option<Score>| json!(score.as_ref().map(|s| s.distances.clone()));
            self.distances.insert(distances.into(), all(made));
            self.distances
                .insert(format!("{distances}_real"), all(real));
        }
    }

    fn identity(&mut self, about: &About<'_>, seen: &Seen) {
        if about.arguments.recognition.is_none() {
            return;
        }
        let embedded = |row: &'_ Measured| row.embeddings.clone();
        let pairs: Vec<[Vec<f32>; 2]> = seen.rows.iter().flatten().filter_map(embedded).collect();
        let own = mean(pairs.iter().filter_map(|[a, b]| identity::cosine(a, b)));
        self.add("CSIM", "csim", own, None, 3);
        let at = seen.reference.as_ref().map(|reference| reference.index);
        let at = at.and_then(|at| usize::try_from(at - about.first as i64).ok());
        let row = at.and_then(|at| seen.rows.get(at)?.as_ref());
        let reference = row.and_then(|row| row.embeddings.as_ref());
        let against = |side: usize| {
            let reference = &reference?[SOURCE];
            mean(
                pairs
                    .iter()
                    .filter_map(|pair| identity::cosine(&pair[side], reference)),
            )
        };
        let title = "CSIM with the reference";
        self.add(title, "csim_reference", against(RESULT), against(SOURCE), 3);
    }

    fn jitter(&mut self, rows: &[Option<Measured>]) {
        let picture = |side: usize| {
            let known = rows.iter().flatten().filter_map(|row| row.jitter);
            mean(known.map(|pair| pair[side]))
        };
        let (made, real) = (picture(RESULT), picture(SOURCE));
        self.add("jitter in the mask, levels", "jitter", made, real, 3);
        self.add("  over real", "jitter_ratio", ratio(made, real), None, 3);
        let points = |side: usize| {
            let three = rows.windows(3).filter_map(|rows| {
                let [a, b, c] = [0, 1, 2].map(|k| rows[k].as_ref().map(|row| &row.lips[side]));
                series::point_jitter(a?, b?, c?)
            });
            mean(three)
        };
        let (made, real) = (points(RESULT), points(SOURCE));
        self.add(
            "jitter of the lips, crop pixels",
            "lip_jitter",
            made,
            real,
            3,
        );
        self.add(
            "  over real",
            "lip_jitter_ratio",
            ratio(made, real),
            None,
            3,
        );
    }

    fn opening(&mut self, about: &About<'_>, rows: &[Option<Measured>]) {
        let (made, real) = (openings(rows, RESULT), openings(rows, SOURCE));
        if about.reconstruction {
            let zero = series::correlation_at(&real, &made, 0);
            self.add(
                "opening, correlation at lag 0",
                "opening_correlation",
                zero,
                None,
                3,
            );
            let best = series::best_lag(&real, &made, -LAGS..=LAGS);
            let lag = best.map(|(lag, _)| lag as f64);
            self.add("  best lag, frames", "opening_lag", lag, None, 0);
            let best = best.map(|(_, value)| value);
            self.add(
                "  correlation there",
                "opening_correlation_best",
                best,
                None,
                3,
            );
        }
        let spreads = [&made, &real].map(|values| series::deviation(values));
        self.add(
            "opening, deviation",
            "opening_deviation",
            spreads[0],
            spreads[1],
            4,
        );
        if about.reconstruction {
            let amplitude = ratio(spreads[0], spreads[1]);
            self.add(
                "  amplitude over real",
                "opening_amplitude",
                amplitude,
                None,
                3,
            );
        }
    }

    fn motion(
        &mut self,
        about: &About<'_>,
        rows: &[Option<Measured>],
        heard: impl Fn(u64) -> Heard,
    ) {
        let fps = about.rate.fps();
        let heard: Vec<Heard> = (0..rows.len())
            .map(|at| heard(about.first + at as u64))
            .collect();
        let of = |side: usize, wanted: Option<Heard>| {
            let both = |t: usize| wanted.is_none_or(|w| heard[t] == w && heard[t - 1] == w);
            series::motion(&openings(rows, side), fps, both)
        };
        let (made, real) = (of(RESULT, None), of(SOURCE, None));
        self.add("lip motion, 1/s", "lip_motion", made, real, 3);
        self.add(
            "  over real",
            "lip_motion_ratio",
            ratio(made, real),
            None,
            3,
        );
        if !heard.is_empty() && heard.iter().all(|h| *h == Heard::Silence) {
            self.add("LipLeak", "leak", ratio(made, real), None, 3);
            return;
        }
        let quiet = of(RESULT, Some(Heard::Silence));
        if quiet.is_some() {
            let share = |side| {
                ratio(
                    of(side, Some(Heard::Silence)),
                    of(side, Some(Heard::Speech)),
                )
            };
            let title = "lip motion, silence over speech";
            self.add(
                title,
                "silence_motion_ratio",
                share(RESULT),
                share(SOURCE),
                3,
            );
        }
    }

    /// All numbers as JSON, with a row for each frame.
    ///
    /// # Errors
    /// [`Failure::Output`] when it cannot be serialised.
    pub fn json(&self, about: &About<'_>, seen: &Seen) -> Result<String> {
        let arguments = about.arguments;
        let path = |path: &Option<std::path::PathBuf>| {
            json!(path.as_ref().map(|p| p.display().to_string()))
        };
        let info = about.engine.info();
        let mut metrics = Map::new();
        for line in &self.lines {
            metrics.insert(line.field.into(), json!(line.result));
            if line.real.is_some() {
                metrics.insert(format!("{}_real", line.field), json!(line.real));
            }
        }
        metrics.extend(self.distances.clone());
        let rows: Vec<Value> = seen
            .rows
            .iter()
            .zip(about.first..)
            .map(|(row, index)| row.as_ref().map_or(unused(index), |row| used(index, row)))
            .collect();
        let report = json!({
            "format": FORMAT,
            "version": info.version,
            "bundle": info.bundle,
            "provider": info.provider.used.to_string(),
            "mode": if about.reconstruction { "reconstruction" } else { "cross-identity" },
            "result": path(&arguments.result),
            "baseline": arguments.baseline.map(|baseline| match baseline {
                Baseline::Frozen => "frozen",
                Baseline::Untouched => "untouched",
            }),
            "truth": path(&arguments.truth),
            "source": path(&arguments.source),
            "audio": path(&arguments.audio),
            "audio_offset_ms": arguments.sound.audio_offset,
            "recognition": path(&arguments.recognition),
            "rate": about.rate.to_string(),
            "frames": {
                "first": about.first,
                "measured": self.frames,
                "used": self.used,
                "skipped": self.frames - self.used,
            },
            "variants": variants::all(),
            "metrics": metrics,
            "rows": rows,
        });
        serde_json::to_string(&report).map_err(|error| Failure::Output(error.to_string()))
    }
}

fn ratio(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    let value = a? / b?;
    value.is_finite().then_some(value)
}

fn openings(rows: &[Option<Measured>], side: usize) -> Vec<Option<f64>> {
    let one = |row: &Option<Measured>| row.as_ref().map(|row| row.openings[side]);
    rows.iter().map(one).collect()
}

fn unused(index: u64) -> Value {
    json!({ "index": index, "used": false })
}

fn used(index: u64, row: &Measured) -> Value {
    let round = |v: f64| (v * 100.0).round() / 100.0;
    let points = |side: usize| -> Vec<[f64; 2]> {
        row.points[side]
            .iter()
            .map(|point| point.map(round))
            .collect()
    };
    json!({
        "index": index,
        "used": true,
        "confidence": row.confidence,
        "ssim": row.ssim,
        "psnr": row.psnr,
        "psnr_mask": row.psnr_mask,
        "gmsd": row.gmsd,
        "lmd": row.lmd,
        "opening": row.openings[RESULT],
        "opening_source": row.openings[SOURCE],
        "points": points(RESULT),
        "points_source": points(SOURCE),
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let skipped = self.frames - self.used;
        writeln!(f, "{} frames, {skipped} without a usable face", self.frames)?;
        writeln!(f, "{:34}{:>10}{:>10}", "", "result", "real")?;
        for line in &self.lines {
            let cell = |value: Option<f64>| {
                value.map_or_else(|| "-".into(), |v| format!("{v:.*}", line.digits))
            };
            let real = line.real.map_or_else(String::new, |v| cell(Some(v)));
            let text = format!("{:34}{:>10}{real:>10}", line.title, cell(line.result));
            writeln!(f, "{}", text.trim_end())?;
        }
        Ok(())
    }
}
