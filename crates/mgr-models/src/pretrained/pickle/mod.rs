//! A reader of Python pickles that makes tensors and plain containers and nothing else.
//!
//! A pickle is a program for a small stack machine, and Python runs whatever function it names. Here the machine knows the
//! few names that stand for tensors and containers and builds data for them; any other name is an error at the moment it
//! is mentioned. No code is run, and nothing is allocated that the file does not hold bytes for.

mod machine;
mod objects;

use super::WeightError;

pub(super) use machine::run;
pub(super) use objects::{Array, Node, Objects, Storage, TorchTensor};

pub(super) const FORMAT: &str = "pickle";

pub(super) fn malformed(reason: impl Into<String>) -> WeightError {
    WeightError::malformed(FORMAT, reason)
}
