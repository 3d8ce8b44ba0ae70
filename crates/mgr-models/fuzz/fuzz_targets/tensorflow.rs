//! TensorFlow checkpoints: the index, with some values.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let (index, values) = data.split_at(data.len() - data.len() / 4);
    drop(mgr_models::pretrained::read_tensorflow(index, values));
});
