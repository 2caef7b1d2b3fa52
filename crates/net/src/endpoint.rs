//! Addresses of API calls.

use url::Url;

/// The address below `base` with these path segments, each escaped as one segment. A path of the
/// base (a context path, or `/ex/jira/{cloudId}`) is kept.
///
/// `None` when a segment is empty, `.` or `..`, or when the base cannot have a path: an id from
/// outside must not be able to name another call.
pub fn endpoint(base: &Url, segments: &[&str]) -> Option<Url> {
    let mut url = base.clone();
    url.set_query(None);
    url.set_fragment(None);
    {
        let mut path = url.path_segments_mut().ok()?;
        path.pop_if_empty();
        for segment in segments {
            if matches!(segment.trim(), "" | "." | "..") {
                return None;
            }
            path.push(segment);
        }
    }
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_stays_one_segment() {
        for (base, segments, want) in [
            (
                "https://x.example.com",
                &["me"][..],
                Some("https://x.example.com/me"),
            ),
            (
                "https://x.example.com/ex/jira/1-2/",
                &["rest", "api", "3"][..],
                Some("https://x.example.com/ex/jira/1-2/rest/api/3"),
            ),
            (
                "https://x.example.com/jira?a=1#f",
                &["a b"][..],
                Some("https://x.example.com/jira/a%20b"),
            ),
            (
                "https://x.example.com",
                &["a/../b?c#d"][..],
                Some("https://x.example.com/a%2F..%2Fb%3Fc%23d"),
            ),
            ("https://x.example.com", &["issue", ".."][..], None),
            ("https://x.example.com", &["issue", ""][..], None),
            ("mailto:a@example.com", &["me"][..], None),
        ] {
            let base = Url::parse(base).unwrap();
            assert_eq!(endpoint(&base, segments).map(String::from).as_deref(), want);
        }
    }
}
