//! TensorFlow checkpoints: the index, its values, and in the last byte how many values there are. The index ends as one, so that the
//! fuzzer need not find the mark.
#![no_main]

const MARK: [u8; 8] = 0xDB47_7524_8B80_FB57_u64.to_le_bytes();

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((&count, data)) = data.split_last() else { return };
    let (index, values) = data.split_at(data.len().saturating_sub(usize::from(count)));
    let mut index = index.to_vec();
    if let Some(end) = index.len().checked_sub(MARK.len()) {
        index[end..].copy_from_slice(&MARK);
    }
    drop(mgr_models::pretrained::read_tensorflow(&index, values));
});
