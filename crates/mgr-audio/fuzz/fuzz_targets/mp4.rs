//! MP4 and its relatives.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mgr_audio_fuzz::load_as(data, &[(4, b"ftyp")]));
