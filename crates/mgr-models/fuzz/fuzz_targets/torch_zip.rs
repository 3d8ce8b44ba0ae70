//! PyTorch's zip archives.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| drop(mgr_models::pretrained::read_torch_zip(data)));
