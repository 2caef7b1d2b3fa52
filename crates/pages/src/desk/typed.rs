//! What was typed for a desk.

use bowline_settings::{DeskForm, Given, StatusLine};

use super::texts;
use crate::caller::Fields;

/// What fields of a form are called that hold the value of a field in Jira.
const FIELD_PREFIX: &str = "field:";

/// Reads the form.
pub(super) fn typed(fields: &Fields) -> DeskForm {
    let text = |name: &str| fields.get(name).to_owned();
    let on = |name: &str| fields.get(name) == "yes";
    let mut given: Vec<(String, Given)> = fields
        .starting(FIELD_PREFIX)
        .map(|(id, value)| (id.to_owned(), Given::Text(value.to_owned())))
        .filter(|(_, value)| *value != Given::Text(String::new()))
        .collect();
    for line in fields.get("fields").lines() {
        let (id, value) = line.split_once('=').unwrap_or((line, ""));
        let id = id.trim();
        if !id.is_empty() && !given.iter().any(|(known, _)| known == id) {
            given.push((id.to_owned(), Given::Text(value.trim().to_owned())));
        }
    }
    let silent = fields.all("silent");
    let texts = fields.all("text");
    let statuses = fields.all("status").into_iter().zip(texts);
    DeskForm {
        name: text("name"),
        account: text("account"),
        channels: if fields.get("which") == "all" {
            "all".to_owned()
        } else {
            let typed = fields.all("channel").into_iter();
            let typed = typed.chain(std::iter::once(text("channels")));
            let typed: Vec<String> = typed.filter(|one| !one.trim().is_empty()).collect();
            typed.join(", ")
        },
        site: text("site"),
        service_desk: text("service_desk"),
        request_type: text("request_type"),
        reporter: text("reporter"),
        fields: given,
        tell_others: on("tell_others"),
        usual: text("usual"),
        statuses: statuses
            .map(|(status, text)| StatusLine {
                silent: silent.contains(&status),
                status,
                text,
            })
            .collect(),
        closing: text("closing"),
        reopen_within: text("reopen_within"),
        quiet_seconds: text("quiet_seconds"),
        requests_per_hour: text("requests_per_hour"),
        attachments_out: on("attachments_out"),
        template: text("window_template"),
        template_language: text("template_language"),
        template_namespace: text("template_namespace"),
        template_values: text("template_values"),
        template_text: text("template_text"),
        template_by_itself: on("template_by_itself"),
        language: text("language"),
        texts: texts::typed(fields),
    }
}
