//! The mgr command.
fn main() {}
