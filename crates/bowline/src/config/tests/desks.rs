//! Channel accounts and desks.

use super::{WHOLE, good, load, words};
use crate::config::{Category, DeskChannels, StatusPattern};
use bowline_domain::messaging::language::{Language, NumberPrefix};
use std::time::Duration;

const ACCOUNT: &str = "[[channel_account]]\nname = \"bird\"\nprovider = \"messagebird\"\n\
    access_key = \"k\"\nsigning_key = \"s\"\n";

fn desk(rest: &str) -> String {
    format!(
        "{WHOLE}{ACCOUNT}[[desk]]\nname = \"support\"\naccount = \"bird\"\nsite = \"acme-jira\"\n\
         service_desk = \"SUP\"\nrequest_type = 12\n{rest}\n"
    )
}

#[test]
fn a_desk_has_defaults() {
    let config = good(&desk(""), &[]).config;
    let desk = &config.desks[0];
    assert_eq!(desk.channels, DeskChannels::All);
    assert_eq!(desk.request_type, "12");
    assert!(desk.status_notifications.others);
    assert_eq!(desk.closing, [StatusPattern::Category(Category::Done)]);
    assert_eq!(desk.reopen_within, Duration::ZERO);
    assert!(!desk.attachments_out);
    assert_eq!(desk.window_template, None);
    let account = &config.channel_accounts[0];
    assert_eq!(
        account.api_url.as_str(),
        "https://conversations.messagebird.com/v1"
    );
}

#[test]
fn a_desk_takes_lists_tables_and_times() {
    let config = good(
        &desk(
            "channels = [\"a\", \"b\"]\nclosing = [\"Resolved\", \"category:done\"]\n\
             reopen_within = \"24h\"\nfields = { x = { value = \"y\" }, n = 3, l = [\"z\"] }\n\
             status_notifications = { \"In Progress\" = \"{key}\", \"To Do\" = false, \"*\" = false }",
        ),
        &[],
    )
    .config;
    let desk = &config.desks[0];
    let named = ["a", "b"].map(str::to_owned).to_vec();
    assert_eq!(desk.channels, DeskChannels::Only(named));
    assert_eq!(desk.closing.len(), 2);
    assert_eq!(desk.reopen_within, Duration::from_hours(24));
    assert_eq!(desk.fields["x"]["value"], "y");
    assert_eq!(
        (&desk.fields["n"], &desk.fields["l"][0]),
        (&3.into(), &"z".into())
    );
    let told = &desk.status_notifications;
    assert!(!told.others);
    assert_eq!(told.by_status["In Progress"].as_deref(), Some("{key}"));
    assert_eq!(told.by_status["To Do"], None);
}

#[test]
fn a_variable_holds_what_has_no_lists() {
    let config = good(
        &desk(""),
        &[
            ("BOWLINE_DESK__SUPPORT__CHANNELS", "a, b"),
            ("BOWLINE_DESK__SUPPORT__STATUS_NOTIFICATIONS", "false"),
        ],
    )
    .config;
    let named = ["a", "b"].map(str::to_owned).to_vec();
    assert_eq!(config.desks[0].channels, DeskChannels::Only(named));
    assert!(!config.desks[0].status_notifications.others);
}

#[test]
fn mistakes_are_told_in_words() {
    for (rest, said) in [
        ("reopen_within = \"soon\"", "\"soon\", which is no time"),
        ("reopen_within = \"12\"", "\"12\", which is no time"),
        ("fields = { x = 1.5 }", "cannot be given to Jira"),
        ("status_notifications = 3", "true, false or a table"),
        (
            "status_notifications = { Done = true }",
            "the notification of the status \"Done\" is no text",
        ),
        ("closing = \"category:over\"", "which is no status category"),
        ("channels = [1]", "an entry of `channels` is not a text"),
    ] {
        let problems = load(&desk(rest), &[]).unwrap_err();
        assert!(
            words(&problems).contains(said),
            "{rest}: {}",
            words(&problems)
        );
    }
    let two = format!(
        "{}{}",
        desk(""),
        "[[desk]]\nname = \"sales\"\naccount = \"bird\"\nsite = \"acme-jira\"\nservice_desk = \"SAL\"\nrequest_type = \"x\"\n"
    );
    let problems = load(&two, &[]).unwrap_err();
    assert!(words(&problems).contains("both serve the channel \"all\""));
    let unknown = desk("").replace("account = \"bird\"", "account = \"brid\"");
    let problems = load(&unknown, &[]).unwrap_err();
    assert!(
        words(&problems).contains("the nearest known channel_account is \"bird\"")
            || words(&problems).contains("The nearest known channel_account is \"bird\"")
    );
    let whatsapp = desk("").replace("\"messagebird\"", "\"whatsapp\"");
    let problems = load(&whatsapp, &[]).unwrap_err();
    assert!(words(&problems).contains("has no `verify_token`"));
}

#[test]
fn a_desk_has_an_approved_message_for_after_the_window() {
    let text = "window_template = \"reopen\"\nwindow_template_values = [\"{key}\", \"x\"]";
    let config = good(&desk(text), &[]).config;
    let template = config.desks[0].window_template.as_ref();
    let template = template.expect("it is configured");
    assert_eq!(
        (template.name.as_str(), template.language.as_str()),
        ("reopen", "en")
    );
    assert_eq!(template.values, ["{key}", "x"]);
    assert!(!template.by_itself);
    let bad = load(&desk("window_template_by_itself = true"), &[]).unwrap_err();
    assert!(words(&bad).contains("names none"), "{}", words(&bad));
}

#[test]
fn a_desk_has_texts_in_languages() {
    let text = "language = \"en\"\nwindow_template = \"back\"\n\
        status_notifications = { \"*\" = \"{key}: {status}\" }\n\
        [[desk.texts]]\nlanguage = \"de\"\nnumbers = [\"+49\", \"0043\"]\n\
        window_template_text = \"Neues zu {{1}}\"\n\
        [desk.texts.status_notifications]\n\"Done\" = \"{key} ist fertig\"\n\"*\" = \"{key}: {status}\"\n\
        [[desk.texts]]\nlanguage = \"pt_br\"\nnumbers = \"+55\"";
    let variables = [
        (
            "BOWLINE_DESK__SUPPORT__TEXTS__DE__WINDOW_TEMPLATE_VALUES",
            "{key}",
        ),
        ("BOWLINE_DESK__SUPPORT__TEXTS__NL__NUMBERS", "+31, +32"),
        (
            "BOWLINE_DESK__SUPPORT__TEXTS__NL__STATUS_NOTIFICATIONS",
            "{\"Done\": \"{key} is klaar\"}",
        ),
    ];
    let config = good(&desk(text), &variables).config;
    let desk = &config.desks[0];
    assert_eq!(desk.language.as_ref().map(Language::as_str), Some("en"));
    let usual = desk.status_notifications.usual.as_deref();
    assert_eq!(usual, Some("{key}: {status}"));
    let languages: Vec<&str> = desk.texts.iter().map(|one| one.language.as_str()).collect();
    assert_eq!(languages, ["de", "pt-BR", "nl"]);
    let german = &desk.texts[0];
    let numbers: Vec<&str> = german.numbers.iter().map(NumberPrefix::as_str).collect();
    assert_eq!(numbers, ["+49", "+43"]);
    assert_eq!(german.by_status["Done"], "{key} ist fertig");
    assert_eq!(german.usual.as_deref(), Some("{key}: {status}"));
    let template = german.window_template.as_ref().unwrap();
    assert_eq!(template.values, Some(vec!["{key}".to_owned()]));
    assert_eq!(template.text.as_deref(), Some("Neues zu {{1}}"));
    assert_eq!(desk.texts[1].window_template, None);
    let dutch = &desk.texts[2];
    assert_eq!((dutch.numbers.len(), dutch.by_status.len()), (2, 1));
}

#[test]
fn mistakes_in_languages_are_told_in_words() {
    let de = "[[desk.texts]]\nlanguage = \"de\"\nnumbers = \"+49\"\n";
    for (rest, said) in [
        (
            "language = \"english\"".to_owned(),
            "\"english\", which is no language",
        ),
        (
            "[[desk.texts]]\nnumbers = \"+49\"".to_owned(),
            "has no `language`",
        ),
        (format!("{de}{de}"), "the language “de” stands there twice"),
        (
            format!("{de}[[desk.texts]]\nlanguage = \"nl\"\nnumbers = \"0049\""),
            "numbers with +49 are of “de” and of “nl”",
        ),
        (
            "[[desk.texts]]\nlanguage = \"de\"\nnumbers = \"+\"".to_owned(),
            "no telephone number begins with \"+\"",
        ),
        (
            format!("{de}window_template_text = \"x\""),
            "“de” has an approved message, and the desk has none",
        ),
        (
            format!("{de}status_notifications = {{ Done = false }}"),
            "the text of the status \"Done\" is none",
        ),
        (
            format!("{de}status_notifications = true"),
            "a table of texts",
        ),
        (format!("{de}closing = \"Done\""), "unknown key `closing`"),
    ] {
        let problems = load(&desk(&rest), &[]).unwrap_err();
        let told = words(&problems);
        assert!(told.contains(said), "{rest}: {told}");
    }
    let variables = [(
        "BOWLINE_DESK__SUPPORT__TEXTS__DE__STATUS_NOTIFICATIONS",
        "Done",
    )];
    let problems = load(&desk(de), &variables).unwrap_err();
    assert!(words(&problems).contains("holds no texts"));
}
