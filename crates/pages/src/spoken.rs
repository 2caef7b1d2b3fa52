//! In which language an end user is written to: what is known of it, and by a person's word another.

use axum::extract::State;
use axum::response::Response;
use bowline_access::{ChangeTalks, Fault, What};
use bowline_domain::messaging::language::{KnownBy, Language};
use bowline_engine::channel::people::{PeopleError, Spoken};

use crate::App;
use crate::caller::Posted;
use crate::end_users::{Someone, sentence, show_one, write_down};
use crate::error::{PageError, see_other};
use crate::query::Query;
use crate::talk_words::end_user_path;

/// In which language they are written to, and why.
pub(crate) fn words(spoken: Option<&Spoken>) -> String {
    let Some(spoken) = spoken else {
        return "No desk of this channel account is in use.".to_owned();
    };
    let desk = &spoken.desk;
    let why = match &spoken.known_by {
        KnownBy::Agent => "Somebody said so here".to_owned(),
        KnownBy::Number(prefix) => format!(
            "Their number begins with {}, as the desk “{desk}” has it",
            prefix.as_str()
        ),
        KnownBy::Desk => format!("Nothing else is known, so it is what the desk “{desk}” has"),
    };
    let texts = match (&spoken.in_texts_of, &spoken.language) {
        (Some(texts), _) => {
            format!("They get the desk's texts in {texts}, and its own where one is missing.")
        }
        (None, _) => "They get the desk's own texts.".to_owned(),
    };
    match &spoken.language {
        Some(language) => format!("They are written to in {language}. {why}. {texts}"),
        None => texts,
    }
}

/// What may be typed.
pub(crate) fn hint(languages: &[Language]) -> String {
    let form = "As de, en or pt-BR. Left empty, their number says it, or else the desk.";
    let names: Vec<&str> = languages.iter().map(Language::as_str).collect();
    match names.as_slice() {
        [] => format!("{form} No desk of this account names a language yet."),
        names => format!(
            "{form} The desks of this account know: {}.",
            names.join(", ")
        ),
    }
}

/// What is written down of it.
pub(crate) fn detail(language: Option<&Language>) -> String {
    language.map_or_else(|| "not said".to_owned(), ToString::to_string)
}

pub(crate) async fn change(
    State(app): State<App>,
    Someone(account, id): Someone,
    posted: Posted<ChangeTalks>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let typed = fields.get("language").trim();
    match app.shared.speak_to_end_user(&account, &id, typed).await {
        Ok(language) => {
            let detail = detail(language.as_ref());
            let of = (&account, &id);
            write_down(&app, caller.who(), What::EndUserLanguage, of, &detail).await?;
            let path = end_user_path(&account, &id);
            Ok(see_other(&format!("{path}?done=language")))
        }
        Err(PeopleError::Store(error)) => Err(error.into()),
        Err(PeopleError::NoSuchEndUser) => Err(caller.not_found("There is no such end user.")),
        Err(error) => {
            let fault = Fault::new("language", sentence(&error));
            let typed = (&Query::default(), Some((typed, fault)));
            show_one(&app, &caller, (&account, &id), typed).await
        }
    }
}

#[cfg(test)]
mod tests {
    use bowline_domain::messaging::ids::DeskName;
    use bowline_domain::messaging::language::NumberPrefix;

    use super::*;

    #[test]
    fn it_is_said_why_somebody_is_written_to_in_a_language() {
        let de = Language::read("de");
        let spoken = |language: Option<Language>, known_by, in_texts_of| Spoken {
            desk: DeskName::new("support"),
            language,
            known_by,
            in_texts_of,
        };
        let number = KnownBy::Number(NumberPrefix::read("+49").unwrap());
        let by_number = words(Some(&spoken(de.clone(), number, de.clone())));
        assert!(by_number.contains("in de. Their number begins with +49"));
        assert!(by_number.contains("texts in de, and its own"));
        let by_agent = words(Some(&spoken(de.clone(), KnownBy::Agent, None)));
        assert!(by_agent.contains("Somebody said so") && by_agent.ends_with("own texts."));
        let by_desk = words(Some(&spoken(None, KnownBy::Desk, None)));
        assert_eq!(by_desk, "They get the desk's own texts.");
        assert!(words(None).contains("No desk"));
        assert!(hint(&[]).contains("No desk of this account names"));
        assert!(hint(&de.into_iter().collect::<Vec<_>>()).ends_with("know: de."));
    }
}
