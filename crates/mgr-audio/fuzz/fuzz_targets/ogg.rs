//! Ogg with Vorbis, its checksums right.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mgr_audio_fuzz::load_ogg(
    data,
    &[(0, b"OggS\0\x02"), (26, b"\x01\x1e\x01vorbis")]
));
