//! The parts of the `bowline` binary that tests, the demo and the benchmarks reach without
//! starting it as a process.

pub mod config;
pub mod demo;
pub mod replica;
pub mod service;
pub mod sign_in;
pub mod system;
mod wiring;

pub use wiring::{desk as desk_config, product as product_config};
