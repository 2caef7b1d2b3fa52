//! The `bowline` program. What tests, the demo and the benchmarks reach without starting it as a
//! process is public.

mod cli;
mod commands;
pub mod config;
pub mod demo;
mod logging;
pub mod replica;
pub mod service;
pub mod sign_in;
pub mod system;
mod wiring;

use std::process::ExitCode;

use clap::Parser as _;

pub use wiring::{desk as desk_config, product as product_config};

/// Does what the command line asks for. All of it is in this library, and none in the binary: what
/// both of them waited for would be compiled twice.
pub fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("bowline: the runtime could not be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(commands::run(cli));
    // Whatever is still running has been told to stop; it is not waited for.
    runtime.shutdown_background();
    match ended {
        Ok(code) => code,
        Err(error) => {
            eprintln!("bowline: {error:#}");
            ExitCode::FAILURE
        }
    }
}
