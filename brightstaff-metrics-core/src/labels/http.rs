//! Labels of inbound requests.

use super::closed::{Index, Label, label};

label! {
    /// The method of an inbound request.
    RequestMethod = "method" {
        /// `GET`.
        Get => "GET",
        /// `POST`.
        Post => "POST",
        /// `PUT`.
        Put => "PUT",
        /// `DELETE`.
        Delete => "DELETE",
        /// `PATCH`.
        Patch => "PATCH",
        /// `HEAD`: its response never has a body.
        Head => "HEAD",
        /// `OPTIONS`.
        Options => "OPTIONS",
        /// Any other method, whatever the client called it.
        Other => "OTHER",
    }
}

impl From<&str> for RequestMethod {
    /// Methods are case-sensitive (RFC 9110, section 9.1): `get` is [`RequestMethod::Other`].
    #[inline]
    fn from(method: &str) -> Self {
        match method {
            "GET" => Self::Get,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "DELETE" => Self::Delete,
            "PATCH" => Self::Patch,
            "HEAD" => Self::Head,
            "OPTIONS" => Self::Options,
            _ => Self::Other,
        }
    }
}

label! {
    /// The class of a status, or that there was none.
    StatusClass = "status_class" {
        /// 100 to 199; anything below as well, which is not an HTTP status.
        Informational => "1xx",
        /// 200 to 299.
        Success => "2xx",
        /// 300 to 399.
        Redirection => "3xx",
        /// 400 to 499.
        ClientError => "4xx",
        /// 500 and above.
        ServerError => "5xx",
        /// There never was a status.
        Error => "error",
    }
}

impl StatusClass {
    /// The class of a status code. Codes from 600 on, which no RFC defines, count as server errors.
    ///
    /// ```
    /// use brightstaff_metrics_core::labels::StatusClass;
    ///
    /// assert_eq!(StatusClass::of(204).as_str(), "2xx");
    /// assert_eq!(StatusClass::of(799).as_str(), "5xx");
    /// ```
    #[must_use]
    pub const fn of(status: u16) -> Self {
        match status {
            0..=199 => Self::Informational,
            200..=299 => Self::Success,
            300..=399 => Self::Redirection,
            400..=499 => Self::ClientError,
            _ => Self::ServerError,
        }
    }
}

label! {
    /// When a client went away.
    CancelPhase = "phase" {
        /// Before the status and the headers were ready.
        Headers => "headers",
        /// After them, before the end of the body.
        Body => "body",
    }
}

label! {
    /// Why a response body stopped before its end, with its client still there.
    InterruptReason = "reason" {
        /// The body failed, or had fewer bytes than were declared.
        Error => "error",
        /// The code that makes the body panicked.
        Panic => "panic",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_is_called_by_its_name() {
        for &method in RequestMethod::ALL {
            assert_eq!(RequestMethod::from(method.as_str()), method);
        }
        for other in ["get", "TRACE", "CONNECT", "", "POSTS"] {
            assert_eq!(RequestMethod::from(other), RequestMethod::Other);
        }
    }
}
