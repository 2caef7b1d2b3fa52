//! What Bowline decides, as plain functions over plain data.
//!
//! This crate does no I/O, reads no clock and draws no random number. Its centre is [`plan::plan`]:
//! given what we know of an issue ([`state::IssueState`]), what we just read of it
//! ([`observation::Observation`]), the settings of its project ([`settings::Settings`]) and what an
//! event says happened ([`happening::Happening`]), it answers which links change, which effects are
//! to be made, and, for everything that is *not* done, why.
//!
//! # Invariants kept here
//!
//! 1. Every text that leaves carries an [`audience::Audience`]; the notes of this crate are internal.
//! 2. The key of an effect depends on the fact alone ([`effect::EffectKey`]), so the same fact never
//!    makes two effects, whatever delivery told it. The note that welcomes a new link is named by
//!    the fact that made the link, where that is known.
//! 3. No effect without a live link and an enabled rule at decision time.
//! 4. Nothing of a restricted comment or of an issue with a security level is put into a note.
//! 5. A link lives exactly as long as one source holds it; what we read last decides, so an older
//!    delivery that comes late cannot bring an ended link back. Not knowing (a comment that was not
//!    read, a workspace whose code is not known yet, a project that is not bound) ends no link, and
//!    what other settings would have linked is read again when they change.
//! 6. Every decision ends explained ([`outcome::Outcome`]).
//!
//! Each is tested over random histories in `plan/tests/properties.rs`.

pub mod audience;
pub mod call;
pub mod connection;
pub mod contacts;
pub mod effect;
pub mod fact;
pub mod feedback;
pub mod gather;
pub mod happening;
pub mod ids;
pub mod link;
pub mod messaging;
pub mod needs;
pub mod observation;
pub mod outcome;
pub mod panel;
pub mod plan;
pub mod settings;
pub mod state;
pub mod tally;
pub mod time;
pub mod visible;
