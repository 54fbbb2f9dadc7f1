//! Host names: those that a request asks for, and those that the gateway is told are its own.

use std::net::{IpAddr, Ipv6Addr};

use serde::{Deserialize, Deserializer, de::Error};

/// A host and its port, as `Host` and `Origin` write them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HostPort<'a> {
    /// A name, or an address; IPv6 with its brackets.
    pub(crate) host: &'a str,
    pub(crate) port: Option<u16>,
}

impl<'a> HostPort<'a> {
    /// `None` where this is no host (RFC 3986, section 3.2.2), and where user information stands before it.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let end = match text.strip_prefix('[') {
            Some(rest) => {
                let end = rest.find(']')?;
                rest[..end].parse::<Ipv6Addr>().ok()?;
                end + 2
            }
            None => text.find(':').unwrap_or(text.len()),
        };
        let (host, port) = text.split_at(end);
        let name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%".contains(&byte);
        if host.is_empty() || !(host.starts_with('[') || host.bytes().all(name)) {
            return None;
        }
        let port = match port.strip_prefix(':') {
            Some("") => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(digits.parse().ok()?)
            }
            Some(_) => return None,
            None if port.is_empty() => None,
            None => return None,
        };
        Some(Self { host, port })
    }

    /// Whether another one is the same.
    pub(crate) fn is(&self, other: HostPort<'_>) -> bool {
        self.host.eq_ignore_ascii_case(other.host) && self.port == other.port
    }

    /// Whether the host is this machine, whatever any name server says: browsers and resolvers lead
    /// `localhost` and what is below it to loopback by themselves (RFC 6761, section 6.3).
    pub(crate) fn is_loopback(&self) -> bool {
        match self.address() {
            Some(address) => address.to_canonical().is_loopback(),
            None => {
                let name = self.host.strip_suffix('.').unwrap_or(self.host);
                let (below, top) = name.rsplit_once('.').unwrap_or(("x", name));
                !below.is_empty() && top.eq_ignore_ascii_case("localhost")
            }
        }
    }

    /// The address, where the host is one and no name.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        let address = self.host.trim_start_matches('[').trim_end_matches(']');
        address.parse().ok()
    }
}

/// A host that the gateway may be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AllowedHost(String);

impl AllowedHost {
    /// On whichever port: that is a matter of what stands before the gateway.
    pub(crate) fn allows(&self, asked: HostPort<'_>) -> bool {
        let name = asked.host.strip_suffix('.').unwrap_or(asked.host);
        name.eq_ignore_ascii_case(&self.0)
    }
}

impl<'de> Deserialize<'de> for AllowedHost {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let name = text.strip_suffix('.').unwrap_or(&text);
        match HostPort::parse(name) {
            Some(parsed) if parsed.host == name && !name.contains('*') => Ok(Self(name.to_owned())),
            _ => Err(D::Error::custom(
                "is no host: write a name without port or wildcard, for example \"gateway.example.com\"",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_with_and_without_a_port() {
        let parse = |text| HostPort::parse(text).map(|read| (read.host, read.port));
        assert_eq!(parse("h"), Some(("h", None)));
        assert_eq!(parse("h.example:80"), Some(("h.example", Some(80))));
        assert_eq!(parse("h:"), Some(("h", None)));
        assert_eq!(parse("[::1]:9"), Some(("[::1]", Some(9))));
        assert_eq!(parse("[::1]"), Some(("[::1]", None)));
        for text in [
            "", ":80", "a b", "me@h", "h:x", "h:99999", "h:+1", "h/", "[::1", "[x]", "[::1]x",
            "::1", "a,b:1:2", "h\u{e4}",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn knows_what_leads_to_this_machine() {
        let loopback = |text| HostPort::parse(text).unwrap().is_loopback();
        for text in [
            "localhost",
            "LOCALHOST.:1",
            "a.localhost",
            "127.0.0.1",
            "127.9.9.9:80",
            "[::1]:1",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(loopback(text), "{text}");
        }
        for text in [
            "localhost.example",
            "mylocalhost",
            ".localhost",
            "0.0.0.0",
            "10.0.0.1",
            "[::]",
            "127.0.0.1.nip.io",
            "2130706433",
        ] {
            assert!(!loopback(text), "{text}");
        }
    }
}
