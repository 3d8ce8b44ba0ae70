//! Ranges and blocks, against the clip.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mgr_audio_fuzz::blocks(data));
