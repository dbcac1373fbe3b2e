//! Tests of a valid bundle and of every kind of invalid one. The bundle is synthetic: graphs of a few
//! bytes that contain only the list of their tensors, because opening a bundle reads nothing else.

use super::*;
use serde_json::{Value, json};
use std::collections::HashMap;

/// Protocol buffers, as much as an ONNX file with external tensors needs.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    assert!(bytes.len() < 1 << 14);
    let length = bytes.len() as u16;
    let mut out = vec![
        number << 3 | 2,
        (length & 0x7f) as u8 | 0x80,
        (length >> 7) as u8,
    ];
    out.extend_from_slice(bytes);
    out
}

fn external_tensor(name: &str, shape: &[u8], location: &str) -> Vec<u8> {
    let mut tensor: Vec<u8> = shape.iter().flat_map(|&dim| [1 << 3, dim]).collect();
    tensor.extend([2 << 3, 1]); // data_type = FLOAT
    tensor.extend(field(8, name.as_bytes()));
    tensor.extend(field(
        13,
        &[field(1, b"location"), field(2, location.as_bytes())].concat(),
    ));
    tensor.extend([14 << 3, 1]); // data_location = EXTERNAL
    field(5, &tensor)
}

fn graph(tensors: &[Vec<u8>]) -> Vec<u8> {
    field(7, &tensors.concat())
}

fn safetensors(tensors: &[(&str, &str, &[usize], Vec<u8>)]) -> Vec<u8> {
    let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
    for (name, dtype, shape, bytes) in tensors {
        let from = data.len();
        data.extend_from_slice(bytes);
        let offsets = [from, data.len()];
        let entry = json!({"dtype": dtype, "shape": shape, "data_offsets": offsets});
        header.insert((*name).to_owned(), entry);
    }
    let header = Value::Object(header).to_string();
    [
        &(header.len() as u64).to_le_bytes()[..],
        header.as_bytes(),
        &data,
    ]
    .concat()
}

struct Files {
    manifest: Value,
    files: HashMap<String, Vec<u8>>,
}

const NETWORKS: [&str; 10] = [
    "detector",
    "mesh",
    "phonetic",
    "phonetic_far",
    "audio_encoder",
    "audio_encoder_far",
    "shape_code",
    "reference_encoder",
    "mals",
    "generator",
];

fn halves(count: usize) -> Vec<u8> {
    half::f16::from_f32(0.5).to_le_bytes().repeat(count)
}

fn indices(values: &[i32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

/// The tensors of the good bundle: 4 vertices, 2 identity and 2 expression coefficients.
fn tensors() -> Vec<(&'static str, &'static str, &'static [usize], Vec<u8>)> {
    vec![
        ("generator.w", "F16", &[2, 3], halves(6)),
        ("face_model.mean", "F16", &[4, 3], halves(12)),
        ("face_model.identity", "F16", &[2, 4, 3], halves(24)),
        ("face_model.expression", "F16", &[2, 4, 3], halves(24)),
        ("face_model.open", "F16", &[2], halves(2)),
        ("face_model.closed", "F16", &[2], halves(2)),
        ("face_model.ring", "I32", &[3], indices(&[0, 1, 2])),
        ("face_model.lips", "I32", &[2], indices(&[1, 3])),
    ]
}

impl Files {
    fn good() -> Self {
        let image = json!([1, 3, 256, 256]);
        let code = json!([1, 14, 8]);
        let sides = [
            (
                json!({"frame": [1, 3, 64, 64]}),
                json!({"score": [1, 1, 8, 8], "box": [1, 3, 8, 8]}),
            ),
            (
                json!({"crop": [1, 3, 64, 64]}),
                json!({"identity": [1, 2], "expression": [1, 2], "rotation": [1, 3],
                    "translation": [1, 2], "log_scale": [1, 1], "confidence": [1, 1]}),
            ),
            (json!({"mel": [1, 80, 13]}), json!({"features": [1, 6, 4]})),
            (json!({"mel": [1, 80, 17]}), json!({"features": [1, 6, 4]})),
            (
                json!({"features": ["batch", 6, 3]}),
                json!({"shape": ["batch", 1]}),
            ),
            (
                json!({"features": ["batch", 6, 4]}),
                json!({"shape": ["batch", 1]}),
            ),
            (
                json!({"shape": ["batch", 1]}),
                json!({"code": ["batch", 14, 8]}),
            ),
            (json!({"reference": image}), json!({"code": code})),
            (
                json!({"codes": [1, 7, 14, 8], "reference": code}),
                json!({"code": code}),
            ),
            (
                json!({"face": image, "lips": [1, 2, 2], "code": code}),
                json!({"image": image}),
            ),
        ];
        let mut files = HashMap::new();
        let mut graphs = serde_json::Map::new();
        for (network, (inputs, outputs)) in NETWORKS.into_iter().zip(sides) {
            let tensors = match network {
                "generator" => vec![external_tensor("w", &[2, 3], "weights.safetensors")],
                _ => Vec::new(),
            };
            let file = format!("{network}.onnx");
            files.insert(file.clone(), graph(&tensors));
            graphs.insert(
                network.into(),
                json!({"file": file, "sha256": "", "inputs": inputs, "outputs": outputs}),
            );
        }
        files.insert("weights.safetensors".into(), safetensors(&tensors()));
        let manifest = json!({
            "format": 2, "name": "toy", "version": "0",
            "latent": {"dim": 8, "codes": 14}, "image": 256,
            "mel": {"rate": 16000, "mels": 80, "fft": 512, "window": 400, "hop": 160, "low": 55.0,
                "high": 7600.0, "floor": 1e-5, "frames": 28, "lead": 16},
            "phonetic": {"step": 2, "block": 4, "components": 6,
                "near": {"past": 5, "future": 1, "before": 2, "after": 0},
                "far": {"past": 6, "future": 4, "before": 2, "after": 1}},
            "crop": {"centre": [0.0, 0.2, 0.25], "side": 2.1},
            "face_model": {"vertices": 4, "identity": 2, "expression": 2, "mouth": 1},
            "mask": {"grow": 9, "feather": 14}, "lips": 2,
            "detector": {"size": 64, "stride": 8, "threshold": 0.5},
            "mesh": {"size": 64, "margin": 1.3},
            "graphs": graphs,
            "weights": {"file": "weights.safetensors", "sha256": ""},
        });
        let mut good = Files { manifest, files };
        good.seal();
        good
    }

    /// Makes the manifest's hashes true.
    fn seal(&mut self) {
        let hash = |files: &HashMap<String, Vec<u8>>, file: &Value| {
            let bytes = files.get(file.as_str().unwrap_or_default());
            bytes.map(|bytes| Value::from(hex::encode(Sha256::digest(bytes))))
        };
        for entry in self.manifest["graphs"]
            .as_object_mut()
            .unwrap()
            .values_mut()
        {
            if let Some(hash) = hash(&self.files, &entry["file"]) {
                entry["sha256"] = hash;
            }
        }
        if let Some(hash) = hash(&self.files, &self.manifest["weights"]["file"]) {
            self.manifest["weights"]["sha256"] = hash;
        }
    }

    fn write(&self) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(MANIFEST), self.manifest.to_string()).unwrap();
        for (name, bytes) in &self.files {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        folder
    }

    /// Opens it from a folder; the sentence of the refusal.
    fn refusal(&self) -> String {
        let folder = self.write();
        let error = Bundle::open(folder.path()).expect_err("it must be refused");
        assert!(
            matches!(error, Error::Bundle { .. } | Error::Read { .. }),
            "{error:?}"
        );
        error.to_string()
    }

    fn weights(&mut self, tensors: &[(&str, &str, &[usize], Vec<u8>)]) {
        self.files
            .insert("weights.safetensors".into(), safetensors(tensors));
        self.seal();
    }
}

#[track_caller]
fn says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in {message:?}");
    }
}

#[test]
fn a_good_bundle_opens() {
    let folder = Files::good().write();
    let bundle = Bundle::open(folder.path()).unwrap();
    assert_eq!(bundle.manifest().latent.dim, 8);
    assert_eq!(bundle.floats("face_model.open", &[2]).unwrap(), [0.5, 0.5]);
    assert_eq!(bundle.indices("face_model.lips", 4).unwrap(), [1, 3]);
    let (bytes, tensors) = bundle.graph("generator").unwrap();
    assert!(!bytes.is_empty());
    assert_eq!(tensors, [("w".to_owned(), vec![2, 3], vec![0.5; 6])]);
    assert!(bundle.has("mals") && !bundle.has("sync_sound"));
}

#[test]
fn a_missing_file_is_a_read_error_that_names_it() {
    for name in ["mals.onnx", "weights.safetensors"] {
        let mut files = Files::good();
        files.files.remove(name);
        says(&files.refusal(), &["cannot read", name]);
    }
    let empty = tempfile::tempdir().unwrap();
    says(
        &Bundle::open(empty.path()).unwrap_err().to_string(),
        &["cannot read", MANIFEST],
    );
}

#[test]
fn an_altered_file_is_refused() {
    for (name, field) in [
        ("mals.onnx", "graphs.mals"),
        ("weights.safetensors", "weights"),
    ] {
        let mut files = Files::good();
        files.files.get_mut(name).unwrap().push(0);
        says(&files.refusal(), &[field, "SHA-256", name]);
    }
}

#[test]
fn a_broken_manifest_is_refused() {
    let folder = Files::good().write();
    let path = folder.path().join(MANIFEST);
    let text = std::fs::read_to_string(&path).unwrap();
    for broken in [
        &text[..text.len() / 2],
        "",
        "[]",
        "{}",
        "null",
        "{\"format\": 2}",
    ] {
        std::fs::write(&path, broken).unwrap();
        says(
            &Bundle::open(folder.path()).unwrap_err().to_string(),
            &["manifest.json"],
        );
    }
    let deep = "[".repeat(100_000);
    std::fs::write(&path, deep).unwrap();
    says(
        &Bundle::open(folder.path()).unwrap_err().to_string(),
        &["manifest.json"],
    );
    std::fs::write(&path, vec![b' '; (1 << 20) + 1]).unwrap();
    says(
        &Bundle::open(folder.path()).unwrap_err().to_string(),
        &["more than"],
    );
}

#[test]
fn another_format_is_refused_before_anything_else() {
    let mut files = Files::good();
    files.manifest = json!({"format": 3, "something": "else"});
    says(
        &files.refusal(),
        &["manifest.format: is 3", "reads format 2"],
    );
}

#[test]
fn sizes_out_of_range_are_refused_by_name() {
    for (group, field, value) in [
        ("latent", "dim", json!(0)),
        ("latent", "codes", json!(13)),
        ("phonetic", "step", json!(0)),
        ("phonetic", "block", json!(129)),
        ("phonetic", "components", json!(0)),
        (
            "phonetic",
            "near",
            json!({"past": 401, "future": 1, "before": 2, "after": 0}),
        ),
        (
            "phonetic",
            "far",
            json!({"past": 6, "future": 4, "before": 2, "after": 65}),
        ),
        ("mel", "rate", json!(8000)),
        ("mel", "lead", json!(29)),
        ("mel", "high", json!(9000.0)),
        ("mel", "floor", json!(0.0)),
        ("face_model", "mouth", json!(3)),
        ("face_model", "vertices", json!(1_000_000_000)),
        ("crop", "side", json!(-1.0)),
        ("detector", "stride", json!(7)),
        ("detector", "threshold", json!(2.0)),
    ] {
        let mut files = Files::good();
        files.manifest[group][field] = value;
        let message = files.refusal();
        let named = message.contains(&format!("manifest.{group}."));
        assert!(named, "{group}.{field}: {message}");
    }
}

#[test]
fn file_names_may_not_leave_the_folder() {
    for name in [
        "../weights.safetensors",
        "/etc/hostname",
        "..",
        "",
        ".hidden",
        "a/b.onnx",
        "a\\b.onnx",
        "C:evil.onnx",
        "nul\0.onnx",
    ] {
        let mut files = Files::good();
        files.manifest["graphs"]["mals"]["file"] = json!(name);
        says(
            &files.refusal(),
            &["graphs.mals.file", "not a plain file name"],
        );
        let mut files = Files::good();
        files.manifest["weights"]["file"] = json!(name);
        says(&files.refusal(), &["weights.file", "not a plain file name"]);
    }
}

#[test]
fn a_graph_may_not_choose_its_own_weights_file() {
    let mut files = Files::good();
    let hostile = external_tensor("w", &[2, 3], "../../etc/passwd");
    files
        .files
        .insert("generator.onnx".into(), graph(&[hostile]));
    files.seal();
    says(
        &files.refusal(),
        &["graphs.generator", "w is stored in", "etc/passwd"],
    );
}

#[test]
fn a_graph_that_is_no_onnx_is_refused() {
    let mut files = Files::good();
    files.files.insert(
        "mals.onnx".into(),
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(),
    );
    files.seal();
    says(&files.refusal(), &["graphs.mals", "mals.onnx"]);
}

#[test]
fn graphs_and_weights_must_name_the_same_tensors() {
    let mut files = Files::good();
    let missing: Vec<_> = tensors().into_iter().skip(1).collect();
    files.weights(&missing);
    says(&files.refusal(), &["weights.generator.w", "is missing"]);

    let mut files = Files::good();
    let mut more = tensors();
    more.push(("generator.unknown", "F16", &[1], halves(1)));
    files.weights(&more);
    says(&files.refusal(), &["weights.generator.unknown", "no graph"]);

    let mut files = Files::good();
    let mut other = tensors();
    other[0] = ("generator.w", "F16", &[3, 2], halves(6));
    files.weights(&other);
    says(
        &files.refusal(),
        &["weights.generator.w", "[3, 2]", "[2, 3]"],
    );
}

#[test]
fn the_face_model_is_checked() {
    for (index, name) in [(1, "mean"), (2, "identity"), (3, "expression"), (4, "open")] {
        let mut files = Files::good();
        let mut other = tensors();
        let full = format!("face_model.{name}");
        other[index] = (full.clone().leak(), "F16", &[5], halves(5));
        files.weights(&other);
        says(&files.refusal(), &[&full, "has shape [5]"]);
    }
    for (name, values, reason) in [
        ("ring", &[0, 1, 4][..], "not an index below 4"),
        ("ring", &[0, 1, -1], "not an index below 4"),
        ("ring", &[0, 1], "fewer than 3"),
        ("lips", &[0], "manifest.lips says 2"),
    ] {
        let full = format!("face_model.{name}");
        let mut other = tensors();
        let entry = other.iter_mut().find(|tensor| tensor.0 == full).unwrap();
        (entry.2, entry.3) = (vec![values.len()].leak(), indices(values));
        let mut files = Files::good();
        files.weights(&other);
        says(&files.refusal(), &[&full, reason]);
    }
    let mut files = Files::good();
    let mut other = tensors();
    other[5].3 = half::f16::NAN.to_le_bytes().repeat(2);
    files.weights(&other);
    says(&files.refusal(), &["face_model.closed", "not finite"]);
}

#[test]
fn networks_must_be_there_with_the_right_shapes() {
    for network in NETWORKS
        .into_iter()
        .filter(|network| *network != "generator")
    {
        let mut files = Files::good();
        files.manifest["graphs"]
            .as_object_mut()
            .unwrap()
            .remove(network);
        says(
            &files.refusal(),
            &[&format!("graphs.{network}"), "is missing"],
        );
    }
    let mut files = Files::good();
    files.manifest["graphs"]["mals"]["inputs"]["codes"] = json!([1, 5, 14, 8]);
    says(
        &files.refusal(),
        &["graphs.mals.inputs.codes", "Some(5)", "[1, 7, 14, 8]"],
    );
    let mut files = Files::good();
    files.manifest["graphs"]["mals"]["outputs"] = json!({"other": [1, 14, 8]});
    says(
        &files.refusal(),
        &["graphs.mals.outputs.code", "is missing"],
    );
    let mut files = Files::good();
    files.manifest["graphs"]["mals"]["outputs"]["more"] = json!([1]);
    says(&files.refusal(), &["graphs.mals.outputs", "2 entries"]);
}

#[test]
fn hostile_weights_are_refused() {
    let good = safetensors(&tensors());
    let mut huge = good.clone();
    huge[..8].copy_from_slice(&(u64::MAX / 2).to_le_bytes());
    let overlapping = {
        let header = r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},
            "b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#;
        [
            &(header.len() as u64).to_le_bytes()[..],
            header.as_bytes(),
            &[0; 12],
        ]
        .concat()
    };
    for bytes in [
        huge,
        overlapping,
        good[..good.len() - 1].to_vec(),
        Vec::new(),
    ] {
        let mut files = Files::good();
        files.files.insert("weights.safetensors".into(), bytes);
        files.seal();
        says(&files.refusal(), &["weights: "]);
    }
}
