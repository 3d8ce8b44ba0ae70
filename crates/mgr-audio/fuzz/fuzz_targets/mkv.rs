//! Matroska and WebM.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mgr_audio_fuzz::load_as(data, &[(0, b"\x1a\x45\xdf\xa3")]));
