//! Tests of `plan`, by what people see of it.

mod builders;
mod by_hand;
mod facts;
mod history;
mod html;
mod links;
mod merged;
mod notes;
mod projects;
mod properties;
mod rules;
mod silence;
