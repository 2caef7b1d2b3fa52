//! Bowline: ties customer conversations to the work that answers them.

use std::process::ExitCode;

/// Everything asks this one for memory, SQLite too: docs/decisions/0014.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    bowline::main()
}
