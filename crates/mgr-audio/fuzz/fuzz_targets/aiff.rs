//! AIFF and AIFC.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mgr_audio_fuzz::load_as(
    data,
    if data.len() % 2 == 0 { &[(0, b"FORM"), (8, b"AIFF")] } else { &[(0, b"FORM"), (8, b"AIFC")] }
));
