//! A checker of the HTML that is written: known elements only, closed in order, everything else
//! escaped.

const ELEMENTS: [&str; 12] = [
    "p",
    "b",
    "i",
    "code",
    "pre",
    "ul",
    "ol",
    "li",
    "blockquote",
    "h1",
    "h2",
    "a",
];
const ENTITIES: [&str; 5] = ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"];

/// What the check found wrong first.
pub(crate) fn check(html: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find(['<', '>', '&']) {
        rest = &rest[at..];
        if let Some(entity) = ENTITIES.iter().find(|entity| rest.starts_with(**entity)) {
            rest = &rest[entity.len()..];
            continue;
        }
        let tag = rest.strip_prefix('<').and_then(|tag| tag.split_once('>'));
        let Some((tag, after)) = tag else {
            return Err(format!("not escaped: {rest:.40}"));
        };
        rest = after;
        if tag == "br" {
            continue;
        }
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop() != Some(name) {
                return Err(format!("{name} closes out of order"));
            }
            continue;
        }
        let (name, attribute) = tag.split_once(' ').unwrap_or((tag, ""));
        let nested_link = name == "a" && open.contains(&"a");
        if !ELEMENTS.contains(&name) || nested_link || !attribute_is_fine(name, attribute) {
            return Err(format!("<{tag}>"));
        }
        open.push(name);
    }
    if open.is_empty() {
        Ok(())
    } else {
        Err(format!("left open: {open:?}"))
    }
}

fn attribute_is_fine(name: &str, attribute: &str) -> bool {
    let value_of = |key: &str| {
        let value = attribute
            .strip_prefix(key)?
            .strip_prefix("=\"")?
            .strip_suffix('"')?;
        (!value.contains(['"', '<', ' ', '\n'])).then_some(value)
    };
    match name {
        "a" => value_of("href").is_some_and(|href| {
            let href = href.to_ascii_lowercase();
            ["http://", "https://", "mailto:"]
                .iter()
                .any(|scheme| href.starts_with(scheme))
        }),
        "ol" if !attribute.is_empty() => {
            value_of("start").is_some_and(|start| start.parse::<u32>().is_ok())
        }
        _ => attribute.is_empty(),
    }
}

#[test]
fn the_check_sees_what_is_wrong() {
    for wrong in [
        "<p>",
        "<p></b>",
        "a < b",
        "a & b",
        "<x></x>",
        "<a href=\"javascript:x\"></a>",
    ] {
        assert!(check(wrong).is_err(), "{wrong}");
    }
    assert_eq!(
        check("<p>a<br><a href=\"https://a.example\"><b>&amp;</b></a></p>"),
        Ok(())
    );
}
