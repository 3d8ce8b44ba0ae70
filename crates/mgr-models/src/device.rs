//! Where tensors live and how many threads work on them.

use serde::{Deserialize, Serialize};

use crate::Error;
pub use crate::denormals::{are_flushed as denormals_are_flushed, flushing_denormals};

/// The device to compute on. The default is the CPU.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum DeviceConfig {
    /// The processor.
    #[default]
    Cpu,
    /// An NVIDIA GPU, by its index from 0. Needs a libtorch built with CUDA.
    Cuda {
        /// Index of the GPU.
        #[serde(default)]
        index: usize,
    },
}

impl DeviceConfig {
    /// The libtorch device.
    ///
    /// # Errors
    /// [`Error::CudaUnavailable`] where CUDA is asked for and libtorch or the machine does not offer that device.
    pub fn resolve(self) -> Result<tch::Device, Error> {
        match self {
            Self::Cpu => Ok(tch::Device::Cpu),
            Self::Cuda { index } => {
                let count =
                    if tch::Cuda::is_available() { tch::Cuda::device_count().max(0) as usize } else { 0 };
                if index < count {
                    Ok(tch::Device::Cuda(index))
                } else {
                    Err(Error::CudaUnavailable { index, count })
                }
            }
        }
    }
}

/// Sets how many threads libtorch uses inside one operation, for operations started from the calling thread.
///
/// # Errors
/// [`Error::InvalidConfig`] where `threads` is 0 or above 1024.
pub fn set_threads(threads: usize) -> Result<(), Error> {
    if !(1..=1024).contains(&threads) {
        return Err(Error::InvalidConfig {
            field: "threads",
            value: threads.to_string(),
            allowed: "1 to 1024",
        });
    }
    tch::set_num_threads(threads as i32);
    Ok(())
}

/// How many threads libtorch uses inside one operation; its own default is the number of cores.
#[must_use]
pub fn threads() -> usize {
    tch::get_num_threads().max(1) as usize
}
