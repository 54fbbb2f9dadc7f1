//! The file, key by key.

use std::{path::Path, str::FromStr, sync::Arc, time::Duration};

use axum::http::{HeaderName, HeaderValue};
use rustls::ServerConfig;

use super::{
    WebConfigError,
    rate::Limit,
    reload::Files,
    tls,
    users::Users,
    yaml::{self, Node},
};

type Result<T> = std::result::Result<T, WebConfigError>;

/// What a web configuration says.
#[derive(Debug)]
pub(super) struct Settings {
    /// What is wrong with a certificate fails handshakes, and no request.
    pub(super) tls: Result<Option<Arc<ServerConfig>>>,
    pub(super) users: Option<Arc<Users>>,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) rate: Option<Limit>,
}

impl Settings {
    /// What this file says. At the start nothing of it may be wrong.
    pub(super) fn load(path: &Path, files: &mut Files, start: bool) -> Result<Self> {
        let of = |error: WebConfigError| error.of(path);
        let text = files.read(path).map_err(of)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let settings = Self::parse(&text, folder, files).map_err(of)?;
        let tls = settings.tls.map_err(of);
        if start && let Err(error) = tls {
            return Err(error);
        }
        Ok(Self { tls, ..settings })
    }

    fn parse(text: &str, folder: &Path, files: &mut Files) -> Result<Self> {
        let [tls, http, users, rate] = yaml::parse(text)?.table([
            "tls_server_config",
            "http_server_config",
            "basic_auth_users",
            "rate_limit",
        ])?;
        let [http2, headers] = http.table(["http2", "headers"])?;
        if http2.flag()? == Some(true) {
            return Err(http2.fault("only HTTP/1 is spoken here: write false, or remove the key"));
        }
        let users = users.entries()?;
        Ok(Self {
            headers: headers
                .entries()?
                .into_iter()
                .filter_map(|(name, node)| header(&name, &node).transpose())
                .collect::<Result<_>>()?,
            users: if users.is_empty() {
                None
            } else {
                Some(Arc::new(Users::new(hashes(users)?)?))
            },
            rate: limit(rate)?,
            tls: tls::server_config(tls, folder, files),
        })
    }
}

/// The names of users and the hashes of their passwords.
fn hashes(users: Vec<(String, Node<'_>)>) -> Result<Vec<(String, String)>> {
    let hashes = users.into_iter().map(|(name, node)| {
        let hash = node.text()?.unwrap_or_default();
        if bcrypt::HashParts::from_str(&hash).is_err() {
            return Err(node.fault(
                "no bcrypt hash: write what `htpasswd -nBC 10 NAME` prints after the colon",
            ));
        }
        if name.contains(':') {
            // RFC 7617, section 2.
            return Err(node.fault("no client can send a name with a colon: choose another"));
        }
        Ok((name, hash))
    });
    hashes.collect()
}

/// A response header. None where it is set to nothing, which unsets it.
fn header(name: &str, node: &Node<'_>) -> Result<Option<(HeaderName, HeaderValue)>> {
    let values: &[&str] = match name {
        "X-Content-Type-Options" => &["nosniff"],
        "X-Frame-Options" => &["deny", "sameorigin"],
        "Content-Security-Policy" | "Strict-Transport-Security" | "X-XSS-Protection" => &[],
        _ => {
            return Err(node.fault(
                "not a header that can be set: remove it, or write one of Content-Security-Policy, \
                 Strict-Transport-Security, X-Content-Type-Options, X-Frame-Options, X-XSS-Protection",
            ));
        }
    };
    let Some(value) = node.text()? else {
        return Ok(None);
    };
    if !values.is_empty() && !values.contains(&&*value) {
        let values = values.join(" or ");
        return Err(node.fault(format_args!("{value:?} does not exist: write {values}")));
    }
    let name = HeaderName::from_str(name).expect("the names above are names of headers");
    let value = HeaderValue::from_str(&value)
        .map_err(|_| node.fault("no header can hold this: write visible ASCII, on one line"))?;
    Ok(Some((name, value)))
}

fn limit(node: Node<'_>) -> Result<Option<Limit>> {
    let [interval, burst] = node.table(["interval", "burst"])?;
    let time = match interval.text()? {
        None if burst.is_set() => {
            return Err(interval.fault("missing: write the time between two requests, such as 1s"));
        }
        None => return Ok(None),
        Some(text) => go_duration(&text).ok_or_else(|| {
            interval.fault(format_args!(
                "{text:?} is no time: write one such as 1s, 500ms or 1m30s"
            ))
        })?,
    };
    let text = burst.text()?.unwrap_or_default();
    if time.is_zero() {
        // Switched off.
        return Ok(None);
    }
    match text.parse() {
        // exporter-toolkit takes it, and answers nobody.
        Ok(0) | Err(_) => Err(burst.fault("write how many requests may come at once: 1 or more")),
        Ok(burst) => Ok(Some(Limit {
            interval: time,
            burst,
        })),
    }
}

/// A time as Go writes it: `1m30s`, `1.5h`; a bare number is one of nanoseconds, where YAML hands it to Go.
fn go_duration(text: &str) -> Option<Duration> {
    if let Ok(nanos) = text.parse() {
        return Some(Duration::from_nanos(nanos));
    }
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let unit = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(unit);
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.');
        let (unit, after) = after.split_at(end.unwrap_or(after.len()));
        let seconds = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" | "μs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * seconds;
        rest = after;
    }
    Duration::try_from_secs_f64(total).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_go_writes_them() {
        let millis = |text| go_duration(text).map(|time| time.as_millis());
        assert_eq!(millis("1s"), Some(1000));
        assert_eq!(millis("1m30s"), Some(90_000));
        assert_eq!(millis("1.5h"), Some(5_400_000));
        assert_eq!(millis("250ms"), Some(250));
        assert_eq!(millis("1000000"), Some(1));
        assert_eq!(millis("0"), Some(0));
        for wrong in ["1", "-1s", "s", "1 s", "1d", "1.2.3s", "1s2"] {
            assert!(wrong == "1" || go_duration(wrong).is_none(), "{wrong}");
        }
    }
}
