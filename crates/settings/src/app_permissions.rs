//! Which permissions of what is in use the app in Intercom lacks, in words.

use bowline_domain::needs::{Needed, Permission, Use, permissions};
use bowline_engine::permissions::{Lacking, lacking};
use bowline_intercom::Client as Intercom;

use crate::check::{Finding, State};

/// Has the app the permissions that what is in use needs? Those of linking are seen by the tests
/// of [`crate::check`].
pub async fn app_permissions(intercom: &Intercom, uses: &[Use]) -> Vec<Finding> {
    let all = permissions(uses);
    let beyond = all.iter().filter(|one| one.uses != [Use::Linking]);
    let beyond: Vec<&Needed<Permission>> = beyond.collect();
    let wanted: Vec<Permission> = beyond.iter().map(|one| one.what).collect();
    match lacking(intercom, &wanted).await {
        Ok(lacking) => {
            let beyond = beyond.into_iter();
            beyond.map(|one| of_permission(one, &lacking)).collect()
        }
        Err(error) => vec![Finding::bad(
            "permissions",
            format!("whether permissions are missing could not be found out: {error}"),
        )],
    }
}

fn of_permission(needed: &Needed<Permission>, lacking: &[Lacking]) -> Finding {
    let (title, uses, why) = (needed.what.title(), needed.for_what(), &needed.why);
    let Some(found) = lacking.iter().find(|one| one.permission == needed.what) else {
        return Finding::good(title, format!("the app may “{title}”, for {uses}"));
    };
    let words = format!(
        "the app lacks “{title}”, {} for {uses}: {why}. Whoever administers the workspace adds it \
         in the Developer Hub > your app > Configure > Authentication. ({})",
        if needed.is_lenient() {
            "used"
        } else {
            "needed"
        },
        found.detail
    );
    let state = if needed.is_lenient() {
        State::Note
    } else {
        State::Bad
    };
    Finding::new(title, state, words)
}
