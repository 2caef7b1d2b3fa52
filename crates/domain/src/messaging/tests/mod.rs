//! The rules one by one, and random interleavings against a small model of its own.

mod model;
mod more_out;
mod rules;
mod unserved;
mod world;
