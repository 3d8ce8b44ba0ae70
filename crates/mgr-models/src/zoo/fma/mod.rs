//! The networks of the FMA study.
//!
//! Source: Kocagil and others, "Music genre recognition from audio tracks and metadata", Bilkent CS464 (2021).

mod conv_net;
mod vit;

pub use conv_net::FmaConvNetConfig;
pub use vit::{PatchProjection, PositionTable, VitConfig};
