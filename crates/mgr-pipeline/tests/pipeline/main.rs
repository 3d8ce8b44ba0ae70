//! The whole job, on datasets of a few seconds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

mod bad_input;
mod common;
mod datasets;
mod end_to_end;
mod killed;
