//! Tests of the crate from outside: tables for addresses and markup, properties for everything.

mod addresses;
mod adf_shape;
mod channels;
mod documents;
mod hostile;
mod html_shape;
mod properties;
mod wiki_markup;
