//! PyTorch's streams of pickles.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| drop(mgr_models::pretrained::read_torch_legacy(data)));
