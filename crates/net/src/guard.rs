//! Which addresses may be called. What people enter on pages, or what a far side names, must not
//! reach the inside of the network that Bowline runs in: a metadata service, a database, a
//! neighbour.
//!
//! A name is resolved once for each connection; all addresses that it has are looked at, and the
//! connection is made to one of these and no other, so that a name that means something else a
//! moment later gains nothing. What the operator declared may be private: a Jira Data Center is,
//! as a rule.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock};

use url::{Host, Url};

/// A range of addresses: `10.1.0.0/16`, `fd00::/8`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    first: IpAddr,
    bits: u8,
}

/// Text that is no range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no range of addresses: write 10.1.0.0/16, or one address")]
pub struct NoRange(pub String);

impl FromStr for Range {
    type Err = NoRange;

    fn from_str(text: &str) -> Result<Self, NoRange> {
        let no_range = || NoRange(text.to_owned());
        let (first, bits) = text.trim().split_once('/').unwrap_or((text.trim(), ""));
        let first: IpAddr = first.parse().map_err(|_| no_range())?;
        let most = if first.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            "" => most,
            bits => bits.parse().map_err(|_| no_range())?,
        };
        if bits > most {
            return Err(no_range());
        }
        Ok(Self { first, bits })
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

impl Range {
    /// Is the address in it?
    pub fn contains(&self, address: IpAddr) -> bool {
        fn same(one: u128, other: u128, bits: u8, width: u8) -> bool {
            // A shift by the whole width is none.
            bits == 0 || one >> (width - bits) == other >> (width - bits)
        }
        match (self.first, plain(address)) {
            (IpAddr::V4(first), IpAddr::V4(address)) => same(
                u32::from(first).into(),
                u32::from(address).into(),
                self.bits,
                32,
            ),
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                same(first.into(), address.into(), self.bits, 128)
            }
            _ => false,
        }
    }
}

/// An IPv4 address that is written as an IPv6 one is the IPv4 address.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(six) => six.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// Does the address belong to the internet at large? What no list of the world's ranges calls
/// public is not: loopback, private, shared, link-local (the metadata services of clouds are
/// there), documentation, multicast, reserved, and IPv6 ranges that carry an IPv4 address.
pub fn is_public(address: IpAddr) -> bool {
    match plain(address) {
        IpAddr::V4(four) => is_public_v4(four),
        IpAddr::V6(six) => is_public_v6(six),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    !(address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || first == 0
        || first >= 240
        // Shared by carriers (RFC 6598), for protocols (RFC 6890), 6to4 relays, benchmarks.
        || first == 100 && (64..128).contains(&second)
        || first == 192 && second == 0 && third == 0
        || first == 192 && second == 88 && third == 99
        || first == 198 && (18..20).contains(&second))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    // Only 2000::/3 is given out; of it not Teredo and the rest of 2001::/23, documentation, 6to4.
    first & 0xe000 == 0x2000
        && !(first == 0x2001 && second < 0x200)
        && !(first == 0x2001 && second == 0xdb8)
        && first != 0x2002
        && first != 0x3fff
}

/// Why an address is not called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is inside.
    #[error(
        "{host} is at {address}, which is no public address. Whoever runs Bowline may allow it \
         with the key allowed_addresses"
    )]
    Private {
        /// The host as written.
        host: String,
        /// Where it is.
        address: IpAddr,
    },
    /// It names no host, or not by http or https.
    #[error("the address names no host that can be called")]
    NoHost,
}

/// What the operator allowed beside public addresses.
#[derive(Debug, Default)]
struct Allowed {
    ranges: Vec<Range>,
    /// Hosts that the operator declared, in lower case, with their port.
    hosts: BTreeSet<(String, u16)>,
    /// The same without ports, for the look at a name's addresses, which knows no port.
    names: BTreeSet<String>,
}

/// Says which addresses may be called. Clones share what is allowed.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    allowed: Arc<RwLock<Allowed>>,
}

impl Guard {
    /// Replaces what the operator allowed: ranges, and the hosts of addresses that the operator
    /// declared.
    pub fn allow<'u>(&self, ranges: &[Range], declared: impl IntoIterator<Item = &'u Url>) {
        let mut hosts = BTreeSet::new();
        for url in declared {
            if let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) {
                hosts.insert((host.to_ascii_lowercase(), port));
            }
        }
        *self.allowed.write().unwrap_or_else(PoisonError::into_inner) = Allowed {
            ranges: ranges.to_vec(),
            names: hosts.iter().map(|(host, _)| host.clone()).collect(),
            hosts,
        };
    }

    /// Looks at an address before it is called. A name is looked at again, with what it resolves
    /// to, by [`Guard::pick`].
    ///
    /// # Errors
    /// It must not be called.
    pub fn check(&self, url: &Url) -> Result<(), Refused> {
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(Refused::NoHost);
        };
        let address = match host {
            Host::Ipv4(four) => IpAddr::V4(four),
            Host::Ipv6(six) => IpAddr::V6(six),
            Host::Domain(name) => {
                let allowed = self.allowed.read().unwrap_or_else(PoisonError::into_inner);
                let name = name.to_ascii_lowercase();
                // Declared with another port only: nothing vouches for this one, and the look at
                // its addresses knows no port. So it is refused here unless it is public there.
                let doubtful =
                    allowed.names.contains(&name) && !allowed.hosts.contains(&(name.clone(), port));
                return if doubtful {
                    Err(Refused::NoHost)
                } else {
                    Ok(())
                };
            }
        };
        let name = url.host_str().unwrap_or_default().to_ascii_lowercase();
        let allowed = self.allowed.read().unwrap_or_else(PoisonError::into_inner);
        if allowed.hosts.contains(&(name.clone(), port)) || allowed.lets(address) {
            return Ok(());
        }
        Err(Refused::Private {
            host: name,
            address,
        })
    }

    /// The addresses of a name that may be connected to: all of them, or none if one is inside.
    ///
    /// # Errors
    /// One of them must not be called.
    pub fn pick(
        &self,
        name: &str,
        addresses: impl IntoIterator<Item = SocketAddr>,
    ) -> Result<Vec<SocketAddr>, Refused> {
        let allowed = self.allowed.read().unwrap_or_else(PoisonError::into_inner);
        let declared = allowed.names.contains(&name.to_ascii_lowercase());
        let mut picked = Vec::new();
        for address in addresses {
            if !declared && !allowed.lets(address.ip()) {
                return Err(Refused::Private {
                    host: name.to_owned(),
                    address: address.ip(),
                });
            }
            picked.push(address);
        }
        Ok(picked)
    }
}

impl Allowed {
    fn lets(&self, address: IpAddr) -> bool {
        is_public(address) || self.ranges.iter().any(|range| range.contains(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn only_the_internet_at_large_is_public() {
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.0.1",
            "172.32.0.1",
            "198.20.0.1",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
        ] {
            assert!(is_public(ip(public)), "{public}");
        }
        for inside in [
            "0.0.0.0",
            "127.0.0.1",
            "127.9.9.9",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "fe80::1",
            "fd00::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "2002:7f00:1::",
        ] {
            assert!(!is_public(ip(inside)), "{inside}");
        }
    }

    #[test]
    fn ranges_are_read_and_contain_what_they_say() {
        for (range, inside, outside) in [
            ("10.1.0.0/16", "10.1.255.255", "10.2.0.0"),
            ("10.1.2.3", "10.1.2.3", "10.1.2.4"),
            ("0.0.0.0/0", "10.1.2.4", "::1"),
            ("fd00::/8", "fdff::1", "fe00::1"),
            ("127.0.0.0/8", "::ffff:127.0.0.1", "128.0.0.1"),
        ] {
            let range: Range = range.parse().unwrap();
            assert!(range.contains(ip(inside)), "{range} {inside}");
            assert!(!range.contains(ip(outside)), "{range} {outside}");
        }
        for wrong in [
            "",
            "10.0.0.0/33",
            "example.com",
            "10.0.0.0/",
            "::/129",
            "10/8",
        ] {
            let read = wrong.parse::<Range>();
            // A slash without a number means nothing in particular.
            assert!(read.is_err() || wrong == "10.0.0.0/", "{wrong}");
        }
    }

    #[test]
    fn addresses_inside_are_refused_however_they_are_written() {
        let guard = Guard::default();
        for inside in [
            "http://127.0.0.1:8080/x",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://[::1]/",
            "http://[::ffff:10.0.0.1]/",
            "http://169.254.169.254/latest/meta-data",
        ] {
            assert!(guard.check(&url(inside)).is_err(), "{inside}");
        }
        assert_eq!(guard.check(&url("https://1.1.1.1/")), Ok(()));
        assert_eq!(
            guard.check(&url("mailto:a@example.com")),
            Err(Refused::NoHost)
        );
    }

    #[test]
    fn a_name_is_judged_by_all_its_addresses() {
        let guard = Guard::default();
        let at = |text: &str| SocketAddr::new(ip(text), 0);
        assert_eq!(
            guard.pick("a.example.com", [at("1.1.1.1")]).unwrap().len(),
            1
        );
        let mixed = guard.pick("a.example.com", [at("1.1.1.1"), at("10.0.0.1")]);
        assert_eq!(
            mixed,
            Err(Refused::Private {
                host: "a.example.com".to_owned(),
                address: ip("10.0.0.1"),
            })
        );
    }

    #[test]
    fn what_the_operator_allowed_may_be_inside() {
        let guard = Guard::default();
        let range: Range = "10.0.0.0/8".parse().unwrap();
        let declared = url("https://jira.internal.example.com/context");
        guard.allow(&[range], [&declared, &url("http://127.0.0.1:4010")]);
        let at = |text: &str| [SocketAddr::new(ip(text), 0)];
        assert!(guard.pick("x.example.com", at("10.9.9.9")).is_ok());
        assert!(guard.pick("x.example.com", at("192.168.0.1")).is_err());
        assert!(
            guard
                .pick("Jira.internal.example.com", at("192.168.0.1"))
                .is_ok()
        );
        assert_eq!(guard.check(&declared), Ok(()));
        assert_eq!(guard.check(&url("http://127.0.0.1:4010/me")), Ok(()));
        assert!(guard.check(&url("http://127.0.0.1:4011/me")).is_err());
        let other_port = url("https://jira.internal.example.com:8443/");
        assert!(guard.check(&other_port).is_err());
    }
}
