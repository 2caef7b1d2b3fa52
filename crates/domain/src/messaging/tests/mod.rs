//! The rules one by one, and random interleavings against a small model of its own.

mod languages;
mod model;
mod more_out;
mod moved;
mod rules;
mod unserved;
mod world;
