//! Any bytes at all.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mgr_audio_fuzz::load(data));
