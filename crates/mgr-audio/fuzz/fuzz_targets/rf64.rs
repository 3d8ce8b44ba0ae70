//! WAV with 64-bit sizes.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mgr_audio_fuzz::load_as(data, &[(0, b"RF64"), (8, b"WAVEds64")]));
