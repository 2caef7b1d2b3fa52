//! The parts of the `bowline` binary that tests reach without starting it.

pub mod config;
