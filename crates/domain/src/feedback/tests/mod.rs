//! Capture, as a table of cases and over random histories.

mod builders;
mod cases;
mod histories;
