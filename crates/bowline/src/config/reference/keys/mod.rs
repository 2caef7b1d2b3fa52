//! Every key.

mod bindings;
mod connections;
mod messaging;
mod people;
mod service;

use super::{Fallback, Key, Kind};

const fn key(path: &'static str, kind: Kind, default: Fallback, meaning: &'static str) -> Key {
    Key {
        path,
        kind,
        default,
        meaning,
    }
}

/// The parts, in the order in which a file is read: bindings refer to sites.
const PARTS: [&[Key]; 5] = [
    service::KEYS,
    connections::KEYS,
    bindings::KEYS,
    messaging::KEYS,
    people::KEYS,
];

const COUNT: usize = {
    let (mut count, mut part) = (0, 0);
    while part < PARTS.len() {
        count += PARTS[part].len();
        part += 1;
    }
    count
};

const ALL: [Key; COUNT] = {
    let mut all = [PARTS[0][0]; COUNT];
    let (mut at, mut part) = (0, 0);
    while part < PARTS.len() {
        let mut one = 0;
        while one < PARTS[part].len() {
            all[at] = PARTS[part][one];
            at += 1;
            one += 1;
        }
        part += 1;
    }
    all
};

/// Every key of the configuration. `name_file` forms of secrets are not listed; [`Kind::Secret`] implies them.
pub const KEYS: &[Key] = &ALL;
