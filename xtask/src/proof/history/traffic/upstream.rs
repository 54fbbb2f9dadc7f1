//! Calls to providers.

use brightstaff_metrics_core::{
    Head, UpstreamCall,
    catalogue::{
        LABEL_OVERFLOW, REQUEST_TOKENS, TIME_PER_OUTPUT_TOKEN, TIME_TO_FIRST_BYTE,
        TIME_TO_FIRST_TOKEN, TOKEN_DETAILS, TOKENS, UPSTREAM_DURATION, UPSTREAM_REQUESTS,
        USAGE_MISSING,
    },
    labels::ErrorClass,
};

use super::{Gateway, PAIRS, Plot, with};

/// The pair that a call is recorded under.
type Seen = (&'static str, &'static str);

impl Gateway {
    /// A call, and how long it took.
    pub(super) fn call(&mut self, n: usize, plot: Plot) -> (u16, f64) {
        let (provider, model) = match plot {
            Plot::Unknown => ("openai", "nobody-knows"),
            _ => PAIRS[n / 3 % 3],
        };
        let seen = match plot {
            Plot::Unknown => (provider, "other"),
            _ => (provider, model),
        };
        let call = self.metrics.upstream(provider, model).start();
        if matches!(plot, Plot::Limited | Plot::Failed | Plot::Unknown) {
            self.refused(call, seen, plot)
        } else {
            (200, self.stream(call, seen, n, plot))
        }
    }

    /// A call that gets no 2xx.
    fn refused(&mut self, mut call: UpstreamCall, seen: Seen, plot: Plot) -> (u16, f64) {
        let spent = self.pass(0.03);
        let (status, class) = match plot {
            Plot::Limited => (429, ErrorClass::RateLimit),
            _ => (500, ErrorClass::Status),
        };
        call.head(&Head::new(status));
        call.finish();
        if plot == Plot::Unknown {
            self.rise(&LABEL_OVERFLOW, &[("label", "upstream")], 1.0);
        }
        self.ended(
            seen,
            if status == 429 { "4xx" } else { "5xx" },
            class,
            spent,
        );
        (status, spent)
    }

    /// A stream, up to its end or until it breaks off, and how long that took.
    fn stream(&mut self, mut call: UpstreamCall, seen: Seen, n: usize, plot: Plot) -> f64 {
        call.head(&Head::new(200).content_type("text/event-stream"));
        let first_byte = self.pass(0.1 + spread(n) * 0.01);
        call.data(b"data: {\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\"}}]}\n\n");
        let first_token = first_byte + self.pass(0.2 + spread(n) * 0.04);
        call.data(b"data: {\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n");
        let pair = [("provider", seen.0), ("model", seen.1)];
        self.sample(&TIME_TO_FIRST_BYTE, &pair, first_byte);
        self.sample(&TIME_TO_FIRST_TOKEN, &pair, first_token);
        if matches!(plot, Plot::HungUp | Plot::Broken) {
            let class = if plot == Plot::Broken {
                call.fail(ErrorClass::Stream);
                ErrorClass::Stream
            } else {
                drop(call);
                ErrorClass::Cancelled
            };
            self.ended(seen, "2xx", class, first_token);
            self.rise(&USAGE_MISSING, &with(&pair, ("reason", "interrupted")), 1.0);
            return first_token;
        }
        let generated = self.whole(call, seen, n);
        let spent = first_token + generated;
        self.ended(seen, "2xx", ErrorClass::None, spent);
        spent
    }

    /// The rest of a stream that ends well, and how long it took.
    fn whole(&mut self, mut call: UpstreamCall, seen: Seen, n: usize) -> f64 {
        let pair = [("provider", seen.0), ("model", seen.1)];
        let (prompt, completion, cached) = (100 + n % 50, 11 + n % 10, 40);
        #[expect(clippy::cast_precision_loss)]
        let (tokens, gaps) = ([prompt as f64, completion as f64], (completion - 1) as f64);
        let generated = self.pass(gaps * (0.01 + spread(n) * 0.002));
        let usage = !n.is_multiple_of(11);
        let told = format!(
            ",\"usage\":{{\"prompt_tokens\":{prompt},\"completion_tokens\":{completion},\"prompt_tokens_details\":{{\"cached_tokens\":{cached}}}}}"
        );
        let told = if usage { told.as_str() } else { "" };
        call.data(format!("data: {{\"object\":\"chat.completion.chunk\",\"choices\":[{{\"index\":0,\"delta\":{{}},\"finish_reason\":\"stop\"}}]{told}}}\n\ndata: [DONE]\n\n").as_bytes());
        call.finish();
        if usage {
            self.sample(&TIME_PER_OUTPUT_TOKEN, &pair, generated / gaps);
            for (kind, tokens) in ["prompt", "completion"].into_iter().zip(tokens) {
                let labels = with(&pair, ("kind", kind));
                self.rise(&TOKENS, &labels, tokens);
                self.sample(&REQUEST_TOKENS, &labels, tokens);
            }
            self.rise(
                &TOKEN_DETAILS,
                &with(&pair, ("kind", "cache_read")),
                f64::from(cached),
            );
        } else {
            self.rise(
                &USAGE_MISSING,
                &with(&pair, ("reason", "not_reported")),
                1.0,
            );
        }
        generated
    }

    /// What every call leaves behind.
    fn ended(&mut self, (provider, model): Seen, status: &str, error: ErrorClass, spent: f64) {
        let pair = [("provider", provider), ("model", model)];
        let class = with(&pair, ("status_class", status));
        self.rise(
            &UPSTREAM_REQUESTS,
            &with(&class, ("error_class", error.as_str())),
            1.0,
        );
        let outcome = if error == ErrorClass::None {
            "ok"
        } else {
            "error"
        };
        self.sample(
            &UPSTREAM_DURATION,
            &with(&pair, ("outcome", outcome)),
            spent,
        );
    }
}

/// No two requests one after the other take the same time.
#[expect(clippy::cast_precision_loss)]
fn spread(n: usize) -> f64 {
    (n % 20) as f64
}
