//! The exact definition of each metric of `evaluate`, for its JSON.

use serde_json::{Value, json};
use stylelipsync::evaluate::picture;

/// Which variant of each metric the numbers are.
pub fn all() -> Value {
    json!({
        "crop": "both pictures cut by the smoothed track of the truth or the source, 256x256; frames \
                 without a usable face skipped",
        "ssim": "Wang et al. 2004: 11x11 Gaussian, sigma 1.5, Rec. 601 luma, range 255, K .01 .03, \
                 valid region; mean over frames",
        "psnr": format!("RGB, peak 255, mean over frames of each frame's, capped at {} dB", picture::PSNR_CAP),
        "psnr_mask": "the same over the pixels of the inpainting mask",
        "gmsd": "Xue et al. 2014: halved luma, Prewitt, T = 170, deviation over the pixels of the inpainting mask; \
                 mean over frames",
        "lmd": "40 lip points of the mesh predictor, crop pixels, each frame's set centred on its \
                mean, mean Euclidean distance over points and frames",
        "lse": "the bundle's own SyncNet, mouth shapes (or pixels) of 5 frames at 25 a second, 31 \
                offsets, Euclidean distance of unit vectors averaged over the windows that have all \
                31; lse_d least, lse_c median minus least; offset + = audio late",
        "csim": "cosine of embeddings, result against the same frame of the truth or source; five-point \
                 ArcFace alignment by each picture's own mesh",
        "jitter": "mean absolute second difference over time of the crop's luma (0 to 255) in the inpainting mask",
        "lip_jitter": "mean length of the second difference over time of the centred lip points, crop pixels",
        "opening": "mean gap of the inner lips in the neutral pose, units of the face model (outer eye \
                    corners of the mean face 1 apart); lag + = result late",
        "lip_motion": "mean absolute difference of the opening of neighbouring frames, per second",
        "leak": "lip_motion over that of the source, only where all of the audio is silent",
        "silence_motion_ratio": "lip_motion in silence over that in speech; silence: 0.2 s or more below \
                                 -50 dBFS or 40 dB below the loudest twentieth, without 0.1 s at its borders",
    })
}
