//! Random access to mono audio at 16 kHz.

/// 16 kHz mono audio that a spectrogram can be cut from.
pub trait Samples {
    /// Fills `out` with the samples from position `start` on; silence where there are none.
    fn read(&self, start: i64, out: &mut [f32]);
}

impl Samples for [f32] {
    fn read(&self, start: i64, out: &mut [f32]) {
        out.fill(0.0);
        // In 128 bits, for positions at the far ends of `i64`.
        let (start, len) = (i128::from(start), out.len() as i128);
        let from = start.clamp(0, self.len() as i128);
        let to = (start + len).clamp(from, self.len() as i128);
        if from < to {
            let at = (from - start) as usize;
            let count = (to - from) as usize;
            out[at..at + count].copy_from_slice(&self[from as usize..to as usize]);
        }
    }
}
