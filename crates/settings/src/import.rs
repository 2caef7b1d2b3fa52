//! Settings of the app that people switch from. It keeps them in Jira, in a property of the
//! project: see the vendor's migration tools (`import-project-properties.mjs`).

use bowline_domain::panel::ContactSource;
use bowline_domain::settings::Trigger;
use serde_json::Value;

use crate::stored::StoredBinding;

/// The project property that holds them.
pub const PROPERTY: &str = "intercom.connection.configuration";

/// What importing would do.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The settings afterwards.
    pub after: StoredBinding,
    /// What changes: the setting, what it is, what it becomes.
    pub changes: Vec<(String, String, String)>,
    /// What it says that is not taken over, and why.
    pub left: Vec<String>,
}

/// Reads the property and says what it would change.
///
/// The app has no trigger for created issues (ours stays as it is), and the mark by which its
/// comment filter chooses is not known.
pub fn read(property: &Value, now: &StoredBinding) -> Imported {
    let linking = &property["conversationLinking"];
    let triggers = &linking["notificationTriggers"];
    let mut after = now.clone();
    let mut left = Vec::new();
    flag(&linking["enabled"], &mut after.linking);
    flag(&linking["unassignOnOpen"], &mut after.unassign_on_open);
    let named = [
        ("issueAssignmentChanged", &mut after.notify.assigned),
        ("issueCommented", &mut after.notify.commented),
        ("issueTransitioned", &mut after.notify.transitioned),
    ];
    for (name, trigger) in named {
        take(&triggers[name], trigger);
    }
    if triggers["issueCommented"]["filterEnabled"] == Value::Bool(true) {
        left.push(
            "It forwards only some comments (filterEnabled). By which mark it chooses is not \
             known; set the comment filter yourself."
                .to_owned(),
        );
    }
    let panel = &property["intercomIssuePanel"];
    flag(&panel["enabled"], &mut after.panel.enabled);
    flag(
        &panel["allowConversationView"],
        &mut after.panel.conversation_view,
    );
    let visible = &mut after.panel.visible;
    let fields = &panel["visibleFields"];
    fields_of(&fields["user"], &mut visible.user);
    fields_of(&fields["lead"], &mut visible.lead);
    fields_of(&fields["company"], &mut visible.company);
    Imported {
        changes: changes(now, &after),
        after,
        left,
    }
}

fn flag(value: &Value, into: &mut bool) {
    if let Some(flag) = value.as_bool() {
        *into = flag;
    }
}

/// A list of attributes, if it is one.
fn fields_of(value: &Value, into: &mut Vec<String>) {
    if let Some(names) = value.as_array() {
        let names = names.iter().filter_map(Value::as_str);
        *into = names.map(ToOwned::to_owned).collect();
    }
}

/// A trigger that is off neither notes nor re-opens.
fn take(value: &Value, into: &mut Trigger) {
    let Some(enabled) = value["enabled"].as_bool() else {
        return;
    };
    let reopen = value["reopenConversations"].as_bool().unwrap_or(false);
    *into = Trigger {
        note: enabled,
        reopen: enabled && reopen,
    };
}

/// What differs, in words.
pub fn changes(before: &StoredBinding, after: &StoredBinding) -> Vec<(String, String, String)> {
    lines(before)
        .into_iter()
        .zip(lines(after))
        .filter(|((_, one), (_, other))| one != other)
        .map(|((title, one), (_, other))| (title.to_owned(), one, other))
        .collect()
}

/// Each setting in words.
fn lines(binding: &StoredBinding) -> Vec<(&'static str, String)> {
    let on = |flag: bool| if flag { "on" } else { "off" }.to_owned();
    let trigger = |trigger: Trigger| {
        match (trigger.note, trigger.reopen) {
            (true, true) => "note and re-open",
            (true, false) => "note",
            (false, true) => "re-open",
            (false, false) => "nothing",
        }
        .to_owned()
    };
    let named = |name: &Option<String>| name.clone().unwrap_or_else(|| "none".to_owned());
    let rules = binding.transitions.iter().map(|rule| {
        let (from, to) = (status(&rule.from), status(&rule.to));
        format!("{from} → {to}: {}", trigger(rule.then))
    });
    let notify = &binding.notify;
    let panel = &binding.panel;
    let source = match panel.contact_source {
        ContactSource::Linked => "linked conversations",
        ContactSource::Reporter => "the reporter",
    };
    vec![
        ("Linking", on(binding.linking)),
        ("Issue created", trigger(notify.created)),
        ("Assignee changed", trigger(notify.assigned)),
        ("Comment", trigger(notify.commented)),
        ("Comment filter", binding.filter_text()),
        ("Status changed", trigger(notify.transitioned)),
        ("Single transitions", rules.collect::<Vec<_>>().join("; ")),
        ("Unassign when re-opened", on(binding.unassign_on_open)),
        ("Wake snoozed conversations", on(binding.wake_snoozed)),
        ("Muted", on(binding.muted)),
        ("Summary in notes", on(binding.contents.summary)),
        ("Comments in notes", on(binding.contents.comment)),
        ("Seconds of gathering", binding.coalesce_seconds.to_string()),
        ("Webhooks", on(binding.webhooks)),
        ("Label of linked issues", named(&binding.tally.label)),
        (
            "Number field of linked issues",
            named(&binding.tally.number_field),
        ),
        ("Panel on the issue", on(panel.enabled)),
        ("Whole conversations", on(panel.conversation_view)),
        ("Contacts of the panel", source.to_owned()),
        ("Fields of users", panel.visible.user.join(", ")),
        ("Fields of leads", panel.visible.lead.join(", ")),
        ("Fields of companies", panel.visible.company.join(", ")),
    ]
}

/// A status in one text, as `StatusMatch::read` reads it.
pub fn status(status: &bowline_domain::settings::StatusMatch) -> String {
    use bowline_domain::observation::StatusCategory as Category;
    use bowline_domain::settings::StatusMatch;
    match status {
        StatusMatch::Any => "*".to_owned(),
        StatusMatch::NameOrId(text) => text.clone(),
        StatusMatch::Category(Category::New) => "category:new".to_owned(),
        StatusMatch::Category(Category::Indeterminate) => "category:indeterminate".to_owned(),
        StatusMatch::Category(Category::Done) => "category:done".to_owned(),
        StatusMatch::Category(Category::Unknown) => "category:unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The vendor's default, as its migration tool writes it.
    fn default() -> Value {
        json!({
            "intercomIssuePanel": { "enabled": true, "allowConversationView": true,
                "visibleFields": {
                    "user": ["email","phone","user_id","created_at","last_request_at","session_count"],
                    "lead": ["email","phone","user_id","created_at","last_request_at","session_count"],
                    "company": ["size","website"] } },
            "conversationLinking": { "enabled": true, "unassignOnOpen": false,
                "notificationTriggers": {
                    "issueAssignmentChanged":
                        { "name": "issueAssignmentChanged", "enabled": true, "reopenConversations": false },
                    "issueCommented": { "name": "issueCommented", "enabled": true,
                        "reopenConversations": false, "filterEnabled": false },
                    "issueTransitioned":
                        { "name": "issueTransitioned", "enabled": true, "reopenConversations": false } } },
            "_version": 0
        })
    }

    #[test]
    fn the_vendors_default_changes_what_differs_from_ours() {
        let imported = read(&default(), &StoredBinding::default());
        let change = ("Status changed", "note and re-open", "note");
        let change = (
            change.0.to_owned(),
            change.1.to_owned(),
            change.2.to_owned(),
        );
        assert_eq!(imported.changes, [change]);
        assert!(imported.left.is_empty(), "{:?}", imported.left);
        assert!(read(&default(), &imported.after).changes.is_empty());
    }

    #[test]
    fn what_is_off_there_is_off_here() {
        let mut property = default();
        property["intercomIssuePanel"] = json!({ "enabled": false,
            "allowConversationView": false, "visibleFields": { "user": ["plan", "email"] } });
        let linking = &mut property["conversationLinking"];
        linking["enabled"] = json!(false);
        linking["unassignOnOpen"] = json!(true);
        let triggers = &mut linking["notificationTriggers"];
        triggers["issueCommented"] =
            json!({ "enabled": false, "reopenConversations": true, "filterEnabled": true });
        triggers["issueTransitioned"]["reopenConversations"] = json!(true);
        let imported = read(&property, &StoredBinding::default());
        assert!(!imported.after.linking && imported.after.unassign_on_open);
        assert_eq!(imported.after.notify.commented, Trigger::default());
        assert!(imported.after.notify.transitioned.reopen);
        assert!(imported.left[0].contains("filterEnabled"));
        let panel = &imported.after.panel;
        assert!(!panel.enabled && !panel.conversation_view);
        assert_eq!(panel.visible.user, ["plan", "email"]);
        assert_eq!(panel.visible.company, ["size", "website"], "not said");
    }

    #[test]
    fn what_is_not_said_stays() {
        for property in [
            json!(null),
            json!([]),
            json!({ "conversationLinking": "on" }),
        ] {
            let imported = read(&property, &StoredBinding::default());
            assert!(imported.changes.is_empty(), "{property}");
        }
    }
}
