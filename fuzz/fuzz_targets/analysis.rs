#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stylelipsync_fuzz::analysis(data));
