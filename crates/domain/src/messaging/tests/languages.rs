//! In which language an end user is told what happens.

use super::world::{HOUR, World, account, status};
use crate::messaging::end_user::{EndUser, Identity};
use crate::messaging::language::{
    KnownBy, Language, NumberPrefix, Speaking, Texts, TranslatedTemplate, faults,
};
use crate::messaging::settings::{Desk, WindowTemplate};

fn language(tag: &str) -> Language {
    Language::read(tag).expect("a language")
}

fn texts(tag: &str, numbers: &[&str], lines: &[(&str, &str)], usual: Option<&str>) -> Texts {
    let numbers = numbers.iter().map(|text| NumberPrefix::read(text));
    let lines = lines.iter();
    Texts {
        language: language(tag),
        numbers: numbers.map(|prefix| prefix.expect("a prefix")).collect(),
        usual: usual.map(str::to_owned),
        by_status: lines
            .map(|(status, text)| ((*status).to_owned(), (*text).to_owned()))
            .collect(),
        window_template: None,
    }
}

/// A desk of English texts that has some German, Portuguese and Danish ones.
fn desk() -> Desk {
    let mut desk = World::new().desk;
    let by_status = &mut desk.notifications.by_status;
    let waits = "{key}: we wait for you".to_owned();
    by_status.insert("Waiting for customer".to_owned(), Some(waits));
    by_status.insert("To do".to_owned(), None);
    desk.language = Some(language("en"));
    desk.texts = vec![
        texts(
            "de",
            &["+49", "+43"],
            &[
                ("waiting for Customer", "{key}: Wir warten auf Sie"),
                ("To do", "{key}: Noch nicht begonnen"),
            ],
            Some("{key} ist jetzt: {status}"),
        ),
        texts("pt-BR", &["+55"], &[("5", "{key}: Pronto")], None),
        texts("da", &["+4366", "+45"], &[], Some("{key} er nu: {status}")),
    ];
    desk
}

fn person(number: &str, said: Option<&str>) -> EndUser {
    let phone = Identity::phone(number).unwrap_or_else(|| Identity::contact(number));
    let new = EndUser::new(&account(), &[phone], Some("Noa"));
    EndUser {
        language: said.map(language),
        ..new.expect("somebody")
    }
}

#[test]
fn an_agent_decides_before_the_number_and_the_number_before_the_desk() {
    let number = |text| KnownBy::Number(NumberPrefix::read(text).expect("a prefix"));
    // Their number, what an agent said, the language, by what it is known, whose texts.
    for (phone, said, wanted, known_by, texts) in [
        ("+4915112345678", None, "de", number("+49"), Some("de")),
        ("+436641234567", None, "da", number("+4366"), Some("da")),
        ("+431234567", None, "de", number("+43"), Some("de")),
        (
            "+5511912345678",
            None,
            "pt-BR",
            number("+55"),
            Some("pt-BR"),
        ),
        ("+31612345678", None, "en", KnownBy::Desk, None),
        ("a-contact", None, "en", KnownBy::Desk, None),
        ("+4915112345678", Some("en"), "en", KnownBy::Agent, None),
        (
            "+4915112345678",
            Some("da"),
            "da",
            KnownBy::Agent,
            Some("da"),
        ),
        (
            "+31612345678",
            Some("de-AT"),
            "de-AT",
            KnownBy::Agent,
            Some("de"),
        ),
        ("+31612345678", Some("en-GB"), "en-GB", KnownBy::Agent, None),
        ("+4915112345678", Some("nl"), "nl", KnownBy::Agent, None),
    ] {
        let (desk, person) = (desk(), person(phone, said));
        let speaking = Speaking::to(&desk, &person);
        let language = speaking.language.as_ref().map(Language::as_str);
        let found = (language, speaking.known_by.clone());
        assert_eq!(found, (Some(wanted), known_by), "{phone} {said:?}");
        let chosen = speaking.in_texts_of().map(Language::as_str);
        assert_eq!(chosen, texts, "{phone} {said:?}");
    }
}

#[test]
fn a_desk_may_have_texts_in_the_language_of_whom_nothing_is_known() {
    let mut desk = desk();
    desk.language = Some(language("de"));
    let person = person("+31612345678", None);
    let speaking = Speaking::to(&desk, &person);
    assert_eq!(
        speaking.notification(&status("In progress")),
        Some("{key} ist jetzt: {status}")
    );
    desk.language = None;
    let speaking = Speaking::to(&desk, &person);
    assert_eq!(
        (speaking.language.as_ref(), speaking.in_texts_of()),
        (None, None)
    );
}

#[test]
fn a_text_that_is_missing_in_a_language_is_the_desks_own() {
    let desk = desk();
    let usual = "Your request {key} is now: {status}";
    for (phone, named, wanted) in [
        (
            "+49151123456",
            "Waiting for customer",
            Some("{key}: Wir warten auf Sie"),
        ),
        ("+49151123456", "Done", Some("{key} ist jetzt: {status}")),
        // Whether it is told is for the desk to say, in every language.
        ("+49151123456", "To do", None),
        (
            "+55119123456",
            "Waiting for customer",
            Some("{key}: we wait for you"),
        ),
        ("+55119123456", "Done", Some("{key}: Pronto")),
        ("+55119123456", "In progress", Some(usual)),
        (
            "+45123456789",
            "Waiting for customer",
            Some("{key} er nu: {status}"),
        ),
        (
            "+31612345678",
            "Waiting for customer",
            Some("{key}: we wait for you"),
        ),
        ("+31612345678", "Done", Some(usual)),
    ] {
        let person = person(phone, None);
        let found = Speaking::to(&desk, &person).notification(&status(named));
        assert_eq!(found, wanted, "{phone} {named}");
    }
    let mut silent = desk;
    silent.notifications.others = false;
    let person = person("+49151123456", None);
    let told = Speaking::to(&silent, &person);
    assert_eq!(told.notification(&status("Done")), None);
    assert!(told.notification(&status("Waiting for customer")).is_some());
}

fn approved() -> WindowTemplate {
    WindowTemplate {
        name: "come_back".to_owned(),
        namespace: Some("ns".to_owned()),
        language: "en_US".to_owned(),
        values: vec!["{key}".to_owned()],
        text: Some("There is news about {{1}}.".to_owned()),
        by_itself: true,
    }
}

#[test]
fn an_approved_message_has_one_language_and_the_text_of_that_one() {
    let mut desk = desk();
    desk.window_template = Some(approved());
    desk.texts[0].window_template = Some(TranslatedTemplate {
        text: Some("Neues zu {{1}}.".to_owned()),
        ..TranslatedTemplate::default()
    });
    desk.texts[1].window_template = Some(TranslatedTemplate {
        name: Some("volte".to_owned()),
        language: Some("pt".to_owned()),
        namespace: Some("other".to_owned()),
        values: None,
        text: None,
    });
    let to = |phone: &str| {
        let template = Speaking::to(&desk, &person(phone, None)).window_template();
        template.expect("there is one")
    };
    assert_eq!(to("+31612345678"), approved());
    assert_eq!(to("+45123456789"), approved(), "as it was approved");
    let german = to("+49151123456");
    assert_eq!(
        (german.name.as_str(), german.language.as_str()),
        ("come_back", "de")
    );
    assert_eq!(german.values, ["{key}"]);
    assert_eq!(german.text.as_deref(), Some("Neues zu {{1}}."));
    assert!(german.by_itself);
    let brazilian = to("+55119123456");
    assert_eq!(
        (brazilian.name.as_str(), brazilian.language.as_str()),
        ("volte", "pt")
    );
    assert_eq!(brazilian.namespace.as_deref(), Some("other"));
    assert_eq!((brazilian.values.len(), brazilian.text), (0, None));
}

#[test]
fn rule_08_what_is_told_is_in_the_language_of_who_is_told() {
    let mut world = World::answered();
    world.desk.texts = vec![texts("nl", &["+31"], &[], Some("{key} is nu: {status}"))];
    world.transition("agent", "In progress");
    world.settle();
    world.end_user.as_mut().expect("Noa").language = Some(language("en"));
    world.transition("agent", "Waiting for customer");
    world.settle();
    assert_eq!(
        world.phone[1..],
        [
            "SUP-1 is nu: In progress",
            "Your request SUP-1 is now: Waiting for customer"
        ]
    );
}

#[test]
fn rule_15_what_goes_by_itself_after_the_window_is_in_their_language() {
    let mut world = World::answered();
    world.desk.window_template = Some(approved());
    world.desk.texts = vec![texts("nl", &["+31"], &[], None)];
    world.desk.texts[0].window_template = Some(TranslatedTemplate {
        text: Some("Er is nieuws over {{1}}.".to_owned()),
        ..TranslatedTemplate::default()
    });
    world.pass(25 * HOUR);
    world.comment("agent", "Sorry for the wait");
    world.settle();
    assert_eq!(world.phone[1..], ["Er is nieuws over SUP-1. (SUP-1)"]);
}

#[test]
fn languages_and_prefixes_have_one_form() {
    for (text, wanted) in [
        ("de", Some("de")),
        ("DE", Some("de")),
        ("pt_br", Some("pt-BR")),
        ("en-US", Some("en-US")),
        ("ZH-hant-tw", Some("zh-Hant-TW")),
        ("fil", Some("fil")),
        (" nl ", Some("nl")),
        ("de-1996", Some("de-1996")),
        ("", None),
        ("d", None),
        ("german", None),
        ("de-", None),
        ("de--AT", None),
        ("d3", None),
        ("de AT", None),
        ("дe", None),
        ("de-aaaaaaaa-bbbbbbbb-cccccccc-dddddddd", None),
    ] {
        let read = Language::read(text);
        let read = read.as_ref().map(Language::as_str);
        assert_eq!(read, wanted, "{text}");
    }
    assert_eq!(language("pt-BR").at_the_provider(), "pt_BR");
    for (text, wanted) in [
        ("+49", Some("+49")),
        ("0049", Some("+49")),
        ("49", Some("+49")),
        ("+49 151", Some("+49151")),
        ("+", None),
        ("", None),
        ("0", None),
        ("+0", None),
        ("+49a", None),
        ("+1234567890123456", None),
    ] {
        let read = NumberPrefix::read(text);
        let read = read.as_ref().map(NumberPrefix::as_str);
        assert_eq!(read, wanted, "{text}");
    }
}

#[test]
fn texts_that_do_not_go_together_are_told() {
    let template = Some(TranslatedTemplate::default());
    let fine = desk().texts;
    assert_eq!(faults(&fine, None), Vec::<String>::new());
    let mut wrong = vec![
        texts("de", &["+49", "0049"], &[], None),
        texts("nl", &["+49"], &[], None),
        texts("DE", &[], &[], None),
    ];
    wrong[1].window_template = template;
    let told = faults(&wrong, None);
    assert_eq!(
        told,
        [
            "numbers with +49 are of “de” and of “nl”",
            "“nl” has an approved message, and the desk has none",
            "the language “de” stands there twice"
        ]
    );
    assert_eq!(faults(&wrong, Some(&approved())).len(), 2);
}
