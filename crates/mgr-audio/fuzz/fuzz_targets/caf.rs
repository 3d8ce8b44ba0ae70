//! Core Audio Format.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mgr_audio_fuzz::load_as(data, &[(0, b"caff\0\x01")]));
