//! The pieces that pages are made of. Each escapes what it is given.

use askama::Template;
use askama::filters::HtmlSafe;
use bowline_access::Fault;

/// What a word says, besides itself: its colour and its sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// It is as it should be.
    Good,
    /// It is under way.
    Busy,
    /// Someone should look.
    Warn,
    /// Something is wrong.
    Bad,
    /// Neither.
    Plain,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Busy => "busy",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Plain => "plain",
        }
    }

    /// The sign, so that nobody has to tell colours apart.
    fn sign(self) -> &'static str {
        match self {
            Self::Good => "✓",
            Self::Busy => "…",
            Self::Warn => "!",
            Self::Bad => "×",
            Self::Plain => "–",
        }
    }
}

/// A state: word, sign and colour.
#[derive(Clone, Debug, Template)]
#[template(
    ext = "html",
    source = r#"<span class="lozenge {{ tone.class() }}"><span aria-hidden="true">{{ tone.sign() }}</span> {{ word }}</span>"#
)]
pub(crate) struct Lozenge {
    pub(crate) tone: Tone,
    pub(crate) word: String,
}

impl HtmlSafe for Lozenge {}

impl Lozenge {
    pub(crate) fn new(tone: Tone, word: impl Into<String>) -> Self {
        Self {
            tone,
            word: word.into(),
        }
    }
}

/// A link to a page of ours and, beside it, to the far side.
#[derive(Clone, Debug, Template)]
#[template(
    ext = "html",
    source = r#"<a href="{{ here }}">{{ text }}</a>{% if let Some(there) = there %} <a class="out" href="{{ there }}" target="_blank" rel="noopener noreferrer" aria-label="Open {{ text }} in {{ far_side }}, new tab"><span aria-hidden="true">↗</span></a>{% endif %}"#
)]
pub(crate) struct Ref {
    pub(crate) text: String,
    pub(crate) here: String,
    pub(crate) there: Option<String>,
    pub(crate) far_side: &'static str,
}

impl HtmlSafe for Ref {}

/// A name made by machines, such as `conversation_part.tag.created`: where there is little room it
/// is broken between its words.
#[derive(Clone, Debug, Template)]
#[template(
    ext = "html",
    source = r"{% for word in self.words() %}{{ word }}{% if !loop.last %}<wbr>{% endif %}{% endfor %}"
)]
pub(crate) struct Name(pub(crate) String);

impl HtmlSafe for Name {}

impl Name {
    fn words(&self) -> impl Iterator<Item = &str> {
        self.0.split_inclusive(['.', '_', ':', '/', '-'])
    }
}

/// A field of a form, with what is wrong beside it.
#[derive(Clone, Debug, Template)]
#[template(
    ext = "html",
    source = r#"<div class="field{% if fault.is_some() %} wrong{% endif %}">
<label for="{{ name }}">{{ label }}</label>
{% if let Some(hint) = hint %}<p class="hint" id="{{ name }}-hint">{{ hint }}</p>{% endif %}
<input id="{{ name }}" name="{{ name }}" type="{{ kind }}" value="{{ value }}"{% if let Some(auto) = autocomplete %} autocomplete="{{ auto }}"{% endif %}{% if required %} required{% endif %}{% if self.described() != "" %} aria-describedby="{{ self.described() }}"{% endif %}{% if fault.is_some() %} aria-invalid="true"{% endif %}>
{% if let Some(fault) = fault %}<p class="fault" id="{{ name }}-fault"><span aria-hidden="true">×</span> {{ fault }}</p>{% endif %}
</div>"#
)]
pub(crate) struct Field {
    name: &'static str,
    label: &'static str,
    kind: &'static str,
    value: String,
    hint: Option<String>,
    autocomplete: Option<&'static str>,
    required: bool,
    fault: Option<String>,
}

impl HtmlSafe for Field {}

impl Field {
    /// A field that must be filled in.
    pub(crate) fn new(name: &'static str, label: &'static str, kind: &'static str) -> Self {
        Self {
            name,
            label,
            kind,
            value: String::new(),
            hint: None,
            autocomplete: None,
            required: true,
            fault: None,
        }
    }

    /// With what stands in it.
    #[must_use]
    pub(crate) fn with(mut self, value: &str) -> Self {
        value.clone_into(&mut self.value);
        self
    }

    /// With a word on what to write.
    #[must_use]
    pub(crate) fn hinting(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With what browsers may fill in.
    #[must_use]
    pub(crate) fn filled(mut self, autocomplete: &'static str) -> Self {
        self.autocomplete = Some(autocomplete);
        self
    }

    /// That may be left empty.
    #[must_use]
    pub(crate) fn optional(mut self) -> Self {
        self.required = false;
        self
    }

    /// With what is wrong with it.
    #[must_use]
    pub(crate) fn faulty(mut self, faults: &[Fault]) -> Self {
        self.fault = fault_of(faults, self.name);
        self
    }

    fn described(&self) -> String {
        let hint = self.hint.as_ref().map(|_| format!("{}-hint", self.name));
        let fault = self.fault.as_ref().map(|_| format!("{}-fault", self.name));
        let ids: Vec<String> = hint.into_iter().chain(fault).collect();
        ids.join(" ")
    }
}

/// A text to enter elsewhere, with a button that copies it.
#[derive(Clone, Debug, Template)]
#[template(
    ext = "html",
    source = r#"<p class="copy"><span class="soft">{{ label }}</span> <code id="{{ id }}" tabindex="0">{{ text }}</code> <button type="button" data-copy="{{ id }}" aria-label="Copy {{ label }}" hidden>Copy</button></p>"#
)]
pub(crate) struct Copied {
    id: &'static str,
    label: &'static str,
    text: String,
}

impl HtmlSafe for Copied {}

impl Copied {
    /// A text under this id of the page.
    pub(crate) fn new(id: &'static str, label: &'static str, text: impl Into<String>) -> Self {
        Self {
            id,
            label,
            text: text.into(),
        }
    }
}

/// What is wrong with a field.
pub(crate) fn fault_of(faults: &[Fault], field: &str) -> Option<String> {
    let found = faults.iter().find(|fault| fault.field == field);
    found.map(|fault| fault.words.clone())
}

/// An entry of a list to choose from.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) title: String,
    pub(crate) chosen: bool,
}

/// A list to choose one from.
#[derive(Clone, Debug, Template)]
#[template(
    ext = "html",
    source = r#"<div class="field{% if fault.is_some() %} wrong{% endif %}"><label for="{{ id }}">{{ label }}</label>
<select id="{{ id }}" name="{{ name }}"{% if fault.is_some() %} aria-invalid="true" aria-describedby="{{ id }}-fault"{% endif %}>{% for choice in choices %}
<option value="{{ choice.value }}"{% if choice.chosen %} selected{% endif %}>{{ choice.title }}</option>{% endfor %}
</select>{% if let Some(fault) = fault %}
<p class="fault" id="{{ id }}-fault"><span aria-hidden="true">×</span> {{ fault }}</p>{% endif %}</div>"#
)]
pub(crate) struct Select {
    id: &'static str,
    name: &'static str,
    label: &'static str,
    choices: Vec<Choice>,
    fault: Option<String>,
}

impl HtmlSafe for Select {}

impl Select {
    /// A list of (value, title), of which the one with the value `chosen` is chosen.
    pub(crate) fn new(
        name: &'static str,
        label: &'static str,
        choices: impl IntoIterator<Item = (String, String)>,
        chosen: &str,
    ) -> Self {
        let choices = choices.into_iter().map(|(value, title)| Choice {
            chosen: value == chosen,
            value,
            title,
        });
        Self {
            id: name,
            name,
            label,
            choices: choices.collect(),
            fault: None,
        }
    }

    /// With what is wrong with the choice.
    #[must_use]
    pub(crate) fn faulty(mut self, faults: &[Fault]) -> Self {
        self.fault = fault_of(faults, self.name);
        self
    }

    /// With another id than its name, where a page has several of one name.
    #[must_use]
    pub(crate) fn called(mut self, id: &'static str) -> Self {
        self.id = id;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_is_escaped() {
        let lozenge = Lozenge::new(Tone::Bad, "<b>&");
        assert!(lozenge.to_string().ends_with("&#60;b&#62;&#38;</span>"));
        let field = Field::new("name", "Name", "text").with("\"><script>");
        assert!(!field.to_string().contains("<script>"));
        let there = Ref {
            text: "<i>".to_owned(),
            here: "/why?q=%3C".to_owned(),
            there: Some("https://jira.example.com/\"x".to_owned()),
            far_side: "Jira",
        };
        let html = there.to_string();
        assert!(!html.contains("<i>") && !html.contains("/\"x"), "{html}");
    }

    #[test]
    fn a_field_names_what_describes_it() {
        let faults = [Fault::new("name", "Too short.")];
        let field = Field::new("name", "Name", "text").hinting("Yours.");
        assert_eq!(field.clone().described(), "name-hint");
        assert_eq!(field.faulty(&faults).described(), "name-hint name-fault");
    }
}
