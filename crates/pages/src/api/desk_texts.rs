//! What a desk says in languages, as it is written.

use bowline_domain::messaging::language::{NumberPrefix, Texts};
use bowline_settings::TextsForm;
use bowline_settings::desk_texts::ALL_OTHERS;
use serde_json::{Map, Value, json};

use super::desks::Body;
use super::problem::Problem;

/// The texts of one language.
pub(super) fn written(texts: &Texts) -> Value {
    let numbers: Vec<&str> = texts.numbers.iter().map(NumberPrefix::as_str).collect();
    let told = texts.by_status.iter();
    let mut told: Map<String, Value> = told
        .map(|(status, text)| (status.clone(), json!(text)))
        .collect();
    if let Some(usual) = &texts.usual {
        told.insert(ALL_OTHERS.to_owned(), json!(usual));
    }
    let template = texts.window_template.as_ref().map(|template| {
        json!({
            "name": template.name,
            "language": template.language,
            "namespace": template.namespace,
            "values": template.values,
            "text": template.text,
        })
    });
    json!({
        "language": texts.language.as_str(),
        "numbers": numbers,
        "status_notifications": told,
        "window_template": template,
    })
}

/// Reads the texts of all languages.
pub(super) fn read(texts: &Value) -> Result<Vec<TextsForm>, Problem> {
    let wrong = || Problem::invalid("texts is a list of objects, one for each language.");
    let all = texts.as_array().ok_or_else(wrong)?.iter();
    all.map(|one| match one {
        Value::Object(fields) => read_one(&Body(fields.clone())),
        _ => Err(wrong()),
    })
    .collect()
}

fn read_one(body: &Body) -> Result<TextsForm, Problem> {
    let mut form = TextsForm::default();
    body.text("language", &mut form.language)?;
    body.list("numbers", ", ", &mut form.numbers)?;
    match body.get("status_notifications") {
        None => {}
        Some(Value::Object(lines)) => {
            for (status, text) in lines {
                let words = || format!("The text of the status “{status}” is a text.");
                let text = text.as_str().ok_or_else(|| Problem::invalid(words()))?;
                form.statuses.push((status.clone(), text.to_owned()));
            }
        }
        Some(_) => {
            let words = "status_notifications of a language is an object: texts by status.";
            return Err(Problem::invalid(words));
        }
    }
    match body.get("window_template") {
        None | Some(Value::Null) => {}
        Some(Value::Object(template)) => {
            let template = Body(template.clone());
            template.text("name", &mut form.template)?;
            template.text("language", &mut form.template_language)?;
            template.text("namespace", &mut form.template_namespace)?;
            if template.get("values") != Some(&Value::Null) {
                template.list("values", "\n", &mut form.template_values)?;
            }
            template.text("text", &mut form.template_text)?;
        }
        Some(_) => return Err(Problem::invalid("window_template is an object, or null.")),
    }
    Ok(form)
}

#[cfg(test)]
mod tests {
    use bowline_domain::messaging::language::{Language, TranslatedTemplate};

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let template = TranslatedTemplate {
            text: Some("Neues zu {{1}}".to_owned()),
            ..TranslatedTemplate::default()
        };
        let texts = Texts {
            language: Language::read("de").unwrap(),
            numbers: NumberPrefix::read("+49").into_iter().collect(),
            usual: Some("{key}: {status}".to_owned()),
            by_status: [("Done".to_owned(), "{key} ist fertig".to_owned())].into(),
            window_template: Some(template),
        };
        let form = read(&json!([written(&texts)])).unwrap().remove(0);
        assert_eq!(
            (form.language.as_str(), form.numbers.as_str()),
            ("de", "+49")
        );
        assert_eq!(form.statuses.len(), 2);
        assert_eq!(form.template_text, "Neues zu {{1}}");
        assert!(form.template.is_empty() && form.template_values.is_empty());
    }

    #[test]
    fn what_cannot_be_understood_is_refused() {
        for texts in [
            json!({}),
            json!(["de"]),
            json!([{ "language": 1 }]),
            json!([{ "language": "de", "numbers": 49 }]),
            json!([{ "language": "de", "status_notifications": [] }]),
            json!([{ "language": "de", "status_notifications": { "Done": false } }]),
            json!([{ "language": "de", "window_template": "back" }]),
        ] {
            assert!(read(&texts).is_err(), "{texts}");
        }
    }
}
