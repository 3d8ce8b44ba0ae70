//! What the studies share, and a module for each of them.
//!
//! A study is one example: its file tells the story from the folder of clips to the report, these modules hold what would
//! get in the way of reading it.

pub mod clips;
pub mod flags;
pub mod gtzan8;
pub mod image_cnn;
pub mod matrices;
pub mod output;
pub mod training;
pub mod weights;
