//! Where tensors live and how many threads work on them.

use std::str::FromStr;

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

impl FromStr for DeviceConfig {
    type Err = Error;

    /// "cpu", "cuda" (the first GPU) or "cuda:1", as PyTorch writes them.
    ///
    /// ```
    /// use mgr_models::device::DeviceConfig;
    /// assert_eq!("cuda:1".parse::<DeviceConfig>()?, DeviceConfig::Cuda { index: 1 });
    /// assert!("gpu".parse::<DeviceConfig>().is_err());
    /// # Ok::<(), mgr_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for any other text. Whether the device is there is told by [`DeviceConfig::resolve`].
    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || Error::InvalidConfig {
            field: "device",
            value: text.to_string(),
            allowed: "cpu, cuda, cuda:0, cuda:1, ...",
        };
        match text {
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda { index: 0 }),
            _ => {
                let index = text.strip_prefix("cuda:").ok_or_else(wrong)?;
                // `parse` would take a sign.
                if index.is_empty() || !index.bytes().all(|byte| byte.is_ascii_digit()) {
                    return Err(wrong());
                }
                Ok(Self::Cuda { index: index.parse().map_err(|_| wrong())? })
            }
        }
    }
}

impl std::fmt::Display for DeviceConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cpu => write!(f, "cpu"),
            Self::Cuda { index } => write!(f, "cuda:{index}"),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_have_names() -> Result<(), Error> {
        for (text, device) in [
            ("cpu", DeviceConfig::Cpu),
            ("cuda:0", DeviceConfig::Cuda { index: 0 }),
            ("cuda:17", DeviceConfig::Cuda { index: 17 }),
        ] {
            assert_eq!(text.parse::<DeviceConfig>()?, device);
            assert_eq!(device.to_string(), text);
        }
        assert_eq!("cuda".parse::<DeviceConfig>()?, DeviceConfig::Cuda { index: 0 });
        for wrong in
            ["", "CPU", "cuda:", "cuda:-1", "cuda:+1", "cuda:1x", "cuda:99999999999999999999", "cuda1"]
        {
            let error = wrong.parse::<DeviceConfig>();
            assert!(matches!(error, Err(Error::InvalidConfig { field: "device", .. })), "{wrong}");
        }
        Ok(())
    }

    #[test]
    fn a_gpu_that_is_not_there_is_an_error_that_says_so() {
        let absent = DeviceConfig::Cuda { index: 4711 }.resolve();
        assert!(matches!(absent, Err(Error::CudaUnavailable { index: 4711, .. })));
    }
}
