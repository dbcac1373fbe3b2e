//! The networks of the bundle that the library carries, on the CPU: the same numbers as PyTorch,
//! the same bytes however they are called.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use safetensors::SafeTensors;
use std::{collections::HashMap, sync::OnceLock};
use stylelipsync::face::FaceEmbedding;
use stylelipsync::model::adaptation::{Bank, Condition, Step, StepInputs};
use stylelipsync::model::locate::Component;
use stylelipsync::model::{Bundle, Networks, Provider, SpeechContext, SyncNet};
use stylelipsync_provision::provision;

fn bundle() -> &'static Bundle {
    static BUNDLE: OnceLock<Bundle> = OnceLock::new();
    BUNDLE.get_or_init(|| Bundle::embedded().unwrap())
}

fn networks(threads: usize) -> Networks {
    provision(Component::OnnxRuntime).unwrap();
    Networks::load(bundle(), Provider::Cpu, threads).unwrap()
}

/// Inputs and PyTorch's outputs, as the export wrote them.
struct Golden(HashMap<String, Vec<f32>>);

impl Golden {
    fn read() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/lite.safetensors");
        let bytes = std::fs::read(path).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let values = |view: &safetensors::tensor::TensorView<'_>| match view.dtype() {
            safetensors::Dtype::F16 => {
                let halves = view.data().as_chunks::<2>().0.iter();
                halves
                    .map(|b| half::f16::from_le_bytes(*b).to_f32())
                    .collect()
            }
            safetensors::Dtype::F32 => view
                .data()
                .as_chunks::<4>()
                .0
                .iter()
                .map(|b| f32::from_le_bytes(*b))
                .collect(),
            safetensors::Dtype::I64 => view
                .data()
                .as_chunks::<8>()
                .0
                .iter()
                .map(|b| i64::from_le_bytes(*b) as f32)
                .collect(),
            other => panic!("{other:?} in the golden file"),
        };
        Golden(
            file.tensors()
                .iter()
                .map(|(name, view)| (name.clone(), values(view)))
                .collect(),
        )
    }

    fn input(&self, network: &str, name: &str) -> &[f32] {
        self.get(network, "in", name)
    }

    fn get(&self, network: &str, side: &str, name: &str) -> &[f32] {
        let key = format!("{network}.{side}.{name}");
        self.0
            .get(&key)
            .unwrap_or_else(|| panic!("no {key} in the golden file"))
    }

    /// Within 1e-4 of PyTorch, relative to the largest value.
    fn check(&self, network: &str, name: &str, found: &[f32]) {
        let expected = self.get(network, "out", name);
        assert_eq!(found.len(), expected.len(), "{network}.{name}");
        let scale = expected
            .iter()
            .fold(0.0f32, |scale, value| scale.max(value.abs()));
        assert!(
            scale > 0.0,
            "{network}.{name} is all zero, which shows nothing"
        );
        let worst = found
            .iter()
            .zip(expected)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        println!("{network}.{name}: {:.1e} of {scale:.3}", worst / scale);
        assert!(
            worst <= 1e-4 * scale,
            "{network}.{name}: {worst} off, largest value {scale}"
        );
    }
}

#[test]
fn every_network_agrees_with_pytorch() {
    let (golden, networks) = (Golden::read(), networks(1));

    let found = networks
        .detector
        .run(golden.input("detector", "frame"))
        .unwrap();
    golden.check("detector", "score", &found.scores);
    golden.check("detector", "box", &found.boxes);

    let face = networks.mesh.run(golden.input("mesh", "crop")).unwrap();
    golden.check("mesh", "identity", &face.identity);
    golden.check("mesh", "expression", &face.expression);
    golden.check("mesh", "rotation", &face.rotation);
    golden.check("mesh", "translation", &face.translation);
    golden.check("mesh", "log_scale", &[face.log_scale]);
    golden.check("mesh", "confidence", &[face.confidence]);

    for context in SpeechContext::ALL {
        let speech = networks.speech(context);
        let [phonetic, audio] = names(context);
        let features = speech.phonetic.run(golden.input(phonetic, "mel")).unwrap();
        golden.check(phonetic, "features", &features);
        golden.check(audio, "shape", &shapes_of(&networks, context, &golden));
    }
    let shapes = golden.input("shape_code", "shape");
    let codes = networks.shape_code.run(shapes).unwrap();
    golden.check("shape_code", "code", &codes);

    let code = networks
        .reference
        .run(golden.input("reference_encoder", "reference"))
        .unwrap();
    golden.check("reference_encoder", "code", &code);

    let input = |name| golden.input("mals", name);
    let code = networks
        .mals
        .run(input("codes"), input("reference"))
        .unwrap();
    golden.check("mals", "code", &code);

    let input = |name| golden.input("generator", name);
    let image = networks
        .generator
        .run(
            input("face"),
            input("lips"),
            input("code"),
            input("carried"),
        )
        .unwrap();
    golden.check("generator", "image", &image);

    let segmenter = networks.occlusion.as_ref().unwrap();
    let logits = segmenter.run(golden.input("occlusion", "crop")).unwrap();
    golden.check("occlusion", "logits", &logits);

    let recognition = networks.recognition.as_ref().unwrap();
    let found = recognition.run(golden.input("recognition", "crop"));
    let expected = FaceEmbedding::new(golden.get("recognition", "out", "embedding"));
    let similarity = found.unwrap().unwrap().similarity(&expected.unwrap());
    assert!(similarity > 0.9999, "{similarity}");
}

#[test]
fn the_bank_has_unit_vectors() {
    let bank = Bank::load(bundle()).unwrap();
    let sound = bank.sound(bank.streams() - 1, bank.frames() - 1);
    let length = sound.iter().map(|v| v * v).sum::<f32>().sqrt();
    assert!((length - 1.0).abs() < 1e-2, "{length}");
}

#[test]
fn syncnet_agrees_with_pytorch() {
    provision(Component::OnnxRuntime).unwrap();
    let golden = Golden::read();
    let sync = SyncNet::load(bundle(), Provider::Cpu, 1).unwrap();
    let each = |network, input, one: &dyn Fn(&[f32]) -> Vec<f32>| {
        let batch = golden.input(network, input);
        batch
            .chunks(batch.len() / 7)
            .flat_map(one)
            .collect::<Vec<f32>>()
    };
    let sounds = each("sync_sound", "features", &|features| {
        sync.sound(features).unwrap()
    });
    golden.check("sync_sound", "sound", &sounds);
    let mouths = each("sync_shape", "shapes", &|shapes| {
        sync.mouth(shapes).unwrap()
    });
    golden.check("sync_shape", "mouth", &mouths);
    let refused = sync.pixels(&[]).unwrap_err().to_string();
    assert!(!sync.sees_pixels() && refused.contains("sync_face"));
}

/// From audio to mouth shapes, through the mel spectrogram, blocks and interpolation.
#[test]
fn audio_gives_the_shapes_that_pytorch_gives_it() {
    let (golden, networks) = (Golden::read(), networks(1));
    let audio = golden.input("speech", "audio");
    // Sample positions, which the golden file holds as numbers.
    let positions = golden.input("speech", "positions");
    for (context, name) in [(SpeechContext::Near, "near"), (SpeechContext::Far, "far")] {
        let speech = networks.speech(context);
        let (mut mel, mut features, mut shapes) = (Vec::new(), Vec::new(), Vec::new());
        for position in positions {
            let window = speech.phonetic.window(*position as i64);
            let block = |index, _| Ok(speech.phonetic.block(audio, index, &mut mel)?.into());
            speech
                .phonetic
                .interpolate(&window, block, &mut features)
                .unwrap();
            shapes.extend(speech.audio.run(&features).unwrap());
        }
        golden.check("speech", name, &shapes);
    }
}

/// Pictures are stored at an eighth of the size each way: each stored pixel is a square.
fn enlarged(coarse: &[f32], size: usize) -> Vec<f32> {
    const COARSE: usize = 8;
    let side = size / COARSE;
    let row = |row: &[f32]| -> Vec<f32> {
        let wide = row.iter().flat_map(|v| [*v; COARSE]).collect::<Vec<_>>();
        wide.repeat(COARSE)
    };
    coarse.chunks(side).flat_map(row).collect()
}

#[test]
fn the_step_of_adaptation_agrees_with_pytorch() {
    provision(Component::OnnxRuntime).unwrap();
    let (golden, size) = (Golden::read(), bundle().manifest().image);
    let step = Step::load(bundle(), Provider::Cpu, 2).unwrap();
    let input = |name: &str| golden.input("adaptation", name).to_vec();
    let condition = |prefix: &str| Condition {
        lips: input(&format!("{prefix}lips")),
        code: input(&format!("{prefix}code")),
        carried: enlarged(&input(&format!("{prefix}carried")), size),
        sound: input(&format!("{prefix}sound")),
    };
    let inputs = StepInputs {
        target: enlarged(&input("target"), size),
        hole: enlarged(&input("hole"), size),
        own: condition(""),
        unpaired: condition("other_"),
    };
    let theta = step.initial(bundle()).unwrap();
    let weights = input("weights").try_into().unwrap();
    let found = step.run(&theta, &inputs, weights).unwrap();
    for (term, name) in found.terms.iter().zip(["picture", "sync", "regulariser"]) {
        let expected = golden.get("adaptation", "out", name)[0];
        println!("{name}: {term}, PyTorch {expected}");
        assert!((term - expected).abs() <= 1e-3 * expected.abs());
    }
    let length = |values: &[f32]| values.iter().map(|v| v * v).sum::<f32>().sqrt();
    for (parameter, gradient) in step.parameters().iter().zip(&found.gradients) {
        let name = format!("grad.{}", parameter.name);
        let whole = golden.get("adaptation", "norm", &name)[0];
        let some = golden.get("adaptation", "out", &name);
        let every = gradient.len().div_ceil(256);
        let off: Vec<f32> = gradient
            .iter()
            .step_by(every)
            .zip(some)
            .map(|(a, b)| a - b)
            .collect();
        assert_eq!(off.len(), some.len(), "{name}");
        assert!(whole > 0.0, "{name} is all zero, which shows nothing");
        assert!(
            (length(gradient) - whole).abs() <= 1e-3 * whole,
            "{name}: {} long, PyTorch {whole}",
            length(gradient)
        );
        assert!(
            length(&off) <= 1e-3 * length(some),
            "{name}: {} off, {}",
            length(&off),
            length(some)
        );
    }
}

/// Bit patterns: -0.0 and 0.0 differ, NaN equals itself.
fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn generate(networks: &Networks, golden: &Golden) -> Vec<u32> {
    let input = |name| golden.input("generator", name);
    bits(
        &networks
            .generator
            .run(
                input("face"),
                input("lips"),
                input("code"),
                input("carried"),
            )
            .unwrap(),
    )
}

#[test]
fn one_two_and_three_threads_give_the_same_bytes() {
    let golden = Golden::read();
    let all = |threads| {
        let networks = networks(threads);
        assert_eq!(networks.threads(), threads.into());
        let face = networks.mesh.run(golden.input("mesh", "crop")).unwrap();
        let speech = |context| {
            let [phonetic, _] = names(context);
            let mel = golden.input(phonetic, "mel");
            let features = networks.speech(context).phonetic.run(mel).unwrap();
            [
                bits(&features),
                bits(&shapes_of(&networks, context, &golden)),
            ]
        };
        let reference = golden.input("reference_encoder", "reference");
        let mals = |name| golden.input("mals", name);
        [
            generate(&networks, &golden),
            bits(
                &networks
                    .detector
                    .run(golden.input("detector", "frame"))
                    .unwrap()
                    .scores,
            ),
            bits(&face.identity),
            speech(SpeechContext::Near).concat(),
            speech(SpeechContext::Far).concat(),
            bits(&networks.reference.run(reference).unwrap()),
            bits(&networks.mals.run(mals("codes"), mals("reference")).unwrap()),
        ]
    };
    let alone = all(1);
    assert!(alone == all(2), "two threads give other bytes than one");
    assert!(alone == all(3), "three threads give other bytes than one");
}

#[test]
fn parallel_calls_give_the_same_bytes() {
    let (golden, networks) = (Golden::read(), networks(2));
    let alone = generate(&networks, &golden);
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| generate(&networks, &golden)))
            .collect();
        for call in calls {
            assert!(call.join().unwrap() == alone);
        }
    });
}

/// A feature column depends on the mel columns of its window alone: bit for bit.
#[test]
fn features_are_bounded_in_time() {
    let (golden, networks) = (Golden::read(), networks(1));
    let sizes = bundle().manifest().phonetic;
    for context in SpeechContext::ALL {
        let [phonetic, _] = names(context);
        let reach = sizes.context(context);
        let run = |mel: &[f32]| networks.speech(context).phonetic.run(mel).unwrap();
        let mel = golden.input(phonetic, "mel");
        let columns = mel.len() / bundle().manifest().mel.mels;
        let before = run(mel);
        for column in [0, 7, sizes.block - 1] {
            let window = sizes.step * column..sizes.step * column + reach.past + reach.future + 1;
            let mut other = mel.to_vec();
            for (at, value) in other.iter_mut().enumerate() {
                if !window.contains(&(at % columns)) {
                    *value = -5.0;
                }
            }
            let after = run(&other);
            let at = |features: &[f32]| -> Vec<u32> {
                let rows = features.chunks_exact(sizes.block);
                rows.map(|row| row[column].to_bits()).collect()
            };
            assert!(at(&before) == at(&after), "{phonetic}: column {column}");
        }
    }
}

/// Names of the phonetic encoder and of the audio encoder.
fn names(context: SpeechContext) -> [&'static str; 2] {
    match context {
        SpeechContext::Near => ["phonetic", "audio_encoder"],
        SpeechContext::Far => ["phonetic_far", "audio_encoder_far"],
    }
}

/// The audio encoder's shapes of the golden windows.
fn shapes_of(networks: &Networks, context: SpeechContext, golden: &Golden) -> Vec<f32> {
    let sizes = bundle().manifest().phonetic;
    let reach = sizes.context(context);
    let window = sizes.components * (reach.before + 1 + reach.after);
    let [_, audio] = names(context);
    golden
        .input(audio, "features")
        .chunks_exact(window)
        .flat_map(|one| networks.speech(context).audio.run(one).unwrap())
        .collect()
}

#[test]
fn inputs_of_another_length_are_refused_by_name() {
    let networks = networks(1);
    let message = networks.detector.run(&[0.0; 5]).unwrap_err().to_string();
    assert!(message.starts_with("frame: has 5 values"), "{message}");
    for length in [0, 81] {
        let speech = networks.speech(SpeechContext::Far);
        let values = vec![0.0; length];
        let message = speech.phonetic.run(&values).unwrap_err().to_string();
        assert!(message.starts_with("mel: has"), "{message}");
        let message = speech.audio.run(&values).unwrap_err().to_string();
        assert!(message.starts_with("features: has"), "{message}");
        let message = networks.shape_code.run(&values).unwrap_err().to_string();
        assert!(message.starts_with("shape: has"), "{message}");
    }
    let message = networks
        .generator
        .run(&[], &[], &[], &[])
        .unwrap_err()
        .to_string();
    assert!(message.starts_with("face: has 0 values"), "{message}");
}

#[test]
fn the_report_says_cpu_and_where_each_node_runs() {
    let networks = networks(1);
    assert_eq!(networks.provider().used, Provider::Cpu);
    assert!(networks.provider().refused.is_empty());
    for placement in networks.placements() {
        let [(provider, nodes)] = placement.nodes.as_slice() else {
            panic!("{placement:?}");
        };
        assert!(
            provider == "CPUExecutionProvider" && *nodes > 0,
            "{placement:?}"
        );
    }
}

/// A manifest may lie consistently; the graph itself has the last word.
#[test]
fn a_graph_of_other_shapes_than_promised_is_refused() {
    provision(Component::OnnxRuntime).unwrap();
    let lite = concat!(env!("CARGO_MANIFEST_DIR"), "/models/lite");
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(lite).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    assert!(Bundle::open(folder.path()).is_ok());
    let path = folder.path().join("manifest.json");
    let mut manifest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    manifest["detector"]["stride"] = 16.into();
    let outputs = &mut manifest["graphs"]["detector"]["outputs"];
    *outputs = serde_json::json!({"score": [1, 1, 12, 12], "box": [1, 3, 12, 12]});
    std::fs::write(&path, manifest.to_string()).unwrap();

    let bundle = Bundle::open(folder.path()).unwrap();
    let loaded = Networks::load(&bundle, Provider::Cpu, 1).err().unwrap();
    // What needs no detector works, and the detector's failure is the same whenever it is needed.
    let opened = Networks::open(&bundle, Provider::Cpu, 1).unwrap();
    opened.prepare(SpeechContext::Near).unwrap();
    let frame = vec![0.0; 3 * bundle.manifest().detector.size.pow(2)];
    for error in [
        loaded,
        opened.detector.run(&frame).unwrap_err(),
        opened.detector.run(&frame).unwrap_err(),
    ] {
        assert!(
            matches!(error, stylelipsync::Error::Bundle { .. }),
            "{error:?}"
        );
        let message = error.to_string();
        assert!(
            message.contains("graphs.detector.outputs.score"),
            "{message}"
        );
        assert!(
            message.contains("[1, 1, 24, 24] in the graph, not [1, 1, 12, 12]"),
            "{message}"
        );
    }
}

#[test]
fn a_network_is_built_when_it_is_needed() {
    provision(Component::OnnxRuntime).unwrap();
    let networks = Networks::open(bundle(), Provider::Cpu, 2).unwrap();
    let built = || {
        let mut names: Vec<_> = networks.placements().iter().map(|p| p.network).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(built(), [""; 0]);
    networks.prepare(SpeechContext::Far).unwrap();
    let rendering = [
        "audio_encoder_far",
        "generator",
        "mals",
        "phonetic_far",
        "shape_code",
    ];
    assert_eq!(built(), rendering);
    let golden = Golden::read();
    networks.mesh.run(golden.input("mesh", "crop")).unwrap();
    assert_eq!(built().len(), rendering.len() + 1);
    assert!(built().contains(&"mesh"));
}
