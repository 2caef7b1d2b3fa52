//! Where a workspace lives.

use std::fmt;
use std::str::FromStr;

use url::Url;

/// The region of a workspace, from `/me` (`app.region`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Region {
    /// United States, and every development workspace.
    #[default]
    Us,
    /// Europe.
    Eu,
    /// Australia.
    Au,
}

impl Region {
    /// The lower-case code: `us`, `eu`, `au`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Us => "us",
            Self::Eu => "eu",
            Self::Au => "au",
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Text that names no region.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown Intercom region \"{0}\": use us, eu or au")]
pub struct UnknownRegion(pub String);

impl FromStr for Region {
    type Err = UnknownRegion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim().to_ascii_lowercase().as_str() {
            "us" => Ok(Self::Us),
            "eu" => Ok(Self::Eu),
            "au" => Ok(Self::Au),
            _ => Err(UnknownRegion(text.to_owned())),
        }
    }
}

/// The base address of the REST API of a region.
pub fn api_base(region: Region) -> Url {
    let base = match region {
        Region::Us => "https://api.intercom.io",
        Region::Eu => "https://api.eu.intercom.io",
        Region::Au => "https://api.au.intercom.io",
    };
    Url::parse(base).expect("the three literals above are valid addresses, tested below")
}

/// The host of the address bar of teammates in a region.
pub fn app_host(region: Region) -> &'static str {
    match region {
        Region::Us => "app.intercom.com",
        Region::Eu => "app.eu.intercom.com",
        Region::Au => "app.au.intercom.com",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_round_trips_and_has_its_hosts() {
        for region in [Region::Us, Region::Eu, Region::Au] {
            assert_eq!(region.code().to_uppercase().parse(), Ok(region));
            let host = api_base(region).host_str().unwrap().to_owned();
            assert_eq!(
                host.replace(".io", ".com"),
                app_host(region).replace("app.", "api.")
            );
        }
        assert!("mars".parse::<Region>().is_err());
    }
}
