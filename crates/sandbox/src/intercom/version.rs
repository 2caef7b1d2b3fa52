//! API versions, named by the `Intercom-Version` header.

use http::StatusCode;

use super::error::ApiError;

/// A version that the platform knows. Later ones are greater; Preview is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    /// `2.0` to `2.17`, by the number after the point; `1.0` to `1.4` count as 0.
    Numbered(u8),
    /// `Preview`, once called `Unstable`.
    Preview,
}

/// Versions `2.x` exist up to this number.
const NEWEST: u8 = 17;

impl Version {
    /// 2.16: the version that Bowline asks for.
    pub(crate) const V2_16: Self = Self::Numbered(16);

    /// Reads a version's name.
    ///
    /// # Errors
    /// 400 `intercom_version_invalid` for a name that is no version.
    pub(crate) fn parse(name: &str) -> Result<Self, ApiError> {
        let unknown = || {
            let message = "The requested version could not be found";
            ApiError::new(StatusCode::BAD_REQUEST, "intercom_version_invalid", message)
        };
        match name {
            "Preview" | "Unstable" => return Ok(Self::Preview),
            "1.0" | "1.1" | "1.2" | "1.3" | "1.4" => return Ok(Self::Numbered(0)),
            _ => {}
        }
        let number = name.strip_prefix("2.").ok_or_else(unknown)?;
        // `2.07` or `2.+7` are no versions, though they parse as numbers.
        let plain = number.bytes().all(|byte| byte.is_ascii_digit())
            && (number == "0" || !number.starts_with('0'));
        match number.parse() {
            Ok(number) if plain && number <= NEWEST => Ok(Self::Numbered(number)),
            _ => Err(unknown()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, expected) in [
            ("2.16", Some(Version::V2_16)),
            ("2.0", Some(Version::Numbered(0))),
            ("Preview", Some(Version::Preview)),
            ("2.99", None),
            ("2.07", None),
            ("2.", None),
            ("", None),
            ("3.1", None),
        ] {
            assert_eq!(Version::parse(name).ok(), expected, "{name}");
        }
        assert!(Version::Preview > Version::V2_16);
    }
}
