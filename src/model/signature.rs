//! The inputs and outputs of the networks.

use super::SpeechContext;
use super::manifest::{ContextSizes, MALS_WINDOW, Manifest, SyncNetSizes};
use crate::face::embedding::EMBEDDING;

/// What a network takes and gives: names and shapes, in the order of the typed calls.
pub(super) struct Signature {
    pub network: &'static str,
    pub required: bool,
    pub inputs: Vec<(&'static str, Vec<usize>)>,
    pub outputs: Vec<(&'static str, Vec<usize>)>,
}

/// The networks that this library knows, with the shapes that follow from the manifest's sizes.
pub(super) fn signatures(manifest: &Manifest) -> Vec<Signature> {
    let image = vec![1, 3, manifest.image, manifest.image];
    let code = vec![1, manifest.latent.codes, manifest.latent.dim];
    let square = |size: usize| vec![1, 3, size, size];
    let cells = manifest.detector.size / manifest.detector.stride;
    let mut painted = vec![
        ("face", image.clone()),
        ("lips", vec![1, manifest.lips, 2]),
        ("code", code.clone()),
    ];
    if manifest.carry.is_some() {
        painted.push(("carried", image.clone()));
    }
    let needed = |network, inputs, outputs| Signature {
        network,
        required: true,
        inputs,
        outputs,
    };
    let sizes = manifest.phonetic;
    let phonetic = |context| {
        let columns = sizes.block_columns(context);
        needed(
            SpeechContext::phonetic(context),
            vec![("mel", vec![1, manifest.mel.mels, columns])],
            vec![("features", vec![1, sizes.components, sizes.block])],
        )
    };
    let audio_encoder = |context| {
        let ContextSizes { before, after, .. } = sizes.context(context);
        needed(
            SpeechContext::audio_encoder(context),
            vec![("features", vec![1, sizes.components, before + 1 + after])],
            vec![("shape", vec![1, manifest.face_model.mouth])],
        )
    };
    vec![
        needed(
            "detector",
            vec![("frame", square(manifest.detector.size))],
            vec![
                ("score", vec![1, 1, cells, cells]),
                ("box", vec![1, 3, cells, cells]),
            ],
        ),
        needed(
            "mesh",
            vec![("crop", square(manifest.mesh.size))],
            vec![
                ("identity", vec![1, manifest.face_model.identity]),
                ("expression", vec![1, manifest.face_model.expression]),
                ("rotation", vec![1, 3]),
                ("translation", vec![1, 2]),
                ("log_scale", vec![1, 1]),
                ("confidence", vec![1, 1]),
            ],
        ),
        phonetic(SpeechContext::Near),
        phonetic(SpeechContext::Far),
        audio_encoder(SpeechContext::Near),
        audio_encoder(SpeechContext::Far),
        needed(
            "shape_code",
            vec![("shape", vec![MALS_WINDOW, manifest.face_model.mouth])],
            vec![(
                "code",
                vec![MALS_WINDOW, manifest.latent.codes, manifest.latent.dim],
            )],
        ),
        needed(
            "reference_encoder",
            vec![("reference", image.clone())],
            vec![("code", code.clone())],
        ),
        needed(
            "mals",
            vec![
                (
                    "codes",
                    vec![1, MALS_WINDOW, manifest.latent.codes, manifest.latent.dim],
                ),
                ("reference", code.clone()),
            ],
            vec![("code", code)],
        ),
        Signature {
            network: "occlusion",
            required: false,
            inputs: vec![("crop", image.clone())],
            outputs: vec![("logits", vec![1, 1, manifest.image / 2, manifest.image / 2])],
        },
        Signature {
            network: "recognition",
            required: false,
            inputs: vec![("crop", square(manifest.mesh.size))],
            outputs: vec![("embedding", vec![1, EMBEDDING])],
        },
        needed("generator", painted, vec![("image", image)]),
    ]
    .into_iter()
    .chain(
        manifest
            .syncnet
            .iter()
            .flat_map(|sync| sync_signatures(manifest, sync)),
    )
    .collect()
}

/// The towers of SyncNet, for evaluation: a bundle may lack them.
fn sync_signatures(manifest: &Manifest, sync: &SyncNetSizes) -> [Signature; 3] {
    let columns = 2 * sync.frames + 1;
    let shapes = vec![1, sync.frames, manifest.face_model.mouth];
    let tower = |network, input, output| Signature {
        network,
        required: false,
        inputs: vec![input],
        outputs: vec![(output, vec![1, sync.dim])],
    };
    [
        tower(
            "sync_sound",
            ("features", vec![1, manifest.phonetic.components, columns]),
            "sound",
        ),
        tower("sync_shape", ("shapes", shapes), "mouth"),
        // Lower halves of crops reduced to 128x128, the frames' colour planes one after the other.
        tower(
            "sync_face",
            ("mouths", vec![1, 3 * sync.frames, 64, 128]),
            "mouth",
        ),
    ]
}
