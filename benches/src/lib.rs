//! Shared signals of the benchmarks.
