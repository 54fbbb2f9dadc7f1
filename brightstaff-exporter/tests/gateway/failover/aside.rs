//! Candidates that are left alone: until they said to come again, or since they failed too often.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering::SeqCst},
    },
    time::{Duration, SystemTime},
};

use super::{DECISIONS, routed, scripted, searches, skips, status};
use crate::support::{Gateway, Serve, Upstream, eventually};

#[tokio::test]
async fn retry_after_is_respected_where_the_route_says_so() {
    let date = SystemTime::now() + Duration::from_secs(3600);
    let date = httpdate::fmt_http_date(date);
    for (code, header, left_alone) in [
        (429, "retry-after: 600\r\n", true),
        (503, "retry-after: 600\r\n", true),
        (429, "retry-after-ms: 600000\r\nretry-after: 0\r\n", true),
        (503, &*format!("retry-after: {date}\r\n"), true),
        (429, "retry-after: 0\r\n", false),
        (429, "retry-after: soon\r\n", false),
        (500, "retry-after: 600\r\n", false),
        (429, "", false),
    ] {
        let (busy, good) = (
            scripted([status(code, header, "{}")]).await,
            Upstream::chat().await,
        );
        let gateway = routed(&[&busy.url, &good.url], "respect_retry_after = true").await;
        for _ in 0..3 {
            assert_eq!(gateway.chat("best").await.0, 200);
        }
        let asked = if left_alone { 1 } else { 3 };
        assert_eq!(
            (busy.requests(), good.seen().len()),
            (asked, 3),
            "{code} {header}"
        );
        let skipped = f64::from(u8::from(left_alone)) * 2.0;
        assert_eq!(
            skips(&gateway, "m0").await,
            [skipped, 0.0],
            "{code} {header}"
        );
        // Who is passed over is not tried: what is tried in its place is the first.
        let scrape = gateway.scrape().await;
        let of = |fallback| {
            scrape.sum(&format!(
                r#"{DECISIONS}{{fallback="{fallback}",selected_model="m1"}}"#
            ))
        };
        assert_eq!([of("false"), of("true")], [skipped, 3.0 - skipped]);
        assert_eq!(searches(&gateway).await, [skipped, 3.0 - skipped, 0.0]);
    }
}

#[tokio::test]
async fn no_candidate_is_left_alone_for_longer_than_the_route_allows() {
    let busy = scripted([
        status(429, "retry-after: 86400\r\n", "{}"),
        status(200, "", "{}"),
    ])
    .await;
    let good = Upstream::chat().await;
    let keys = "respect_retry_after = true\nmax_retry_after = '1s'";
    let gateway = routed(&[&busy.url, &good.url], keys).await;
    assert_eq!(gateway.chat("best").await.0, 200);
    let asked_again = async || {
        gateway.chat("best").await;
        busy.requests() == 2
    };
    eventually("it is asked again", asked_again).await;
    assert!(
        skips(&gateway, "m0").await[0] > 0.0,
        "it was left alone before"
    );
}

#[tokio::test]
async fn nobody_is_left_alone_where_the_alias_says_so() {
    let busy = scripted([status(429, "retry-after: 600\r\n", "{}")]).await;
    let good = Upstream::chat().await;
    let gateway = routed(&[&busy.url, &good.url], "respect_retry_after = false").await;
    for _ in 0..10 {
        assert_eq!(gateway.chat("best").await.0, 200);
    }
    assert_eq!(busy.requests(), 10);
    assert_eq!(skips(&gateway, "m0").await, [0.0; 2]);
    assert_eq!(searches(&gateway).await, [0.0, 10.0, 0.0]);
}

#[tokio::test]
async fn a_candidate_that_fails_too_often_cools_down_and_is_tried_by_one() {
    let mood = Arc::new(AtomicU16::new(500));
    let (moody, good) = (Upstream::moody(&mood).await, Upstream::chat().await);
    let keys = "cool_down_after = 3\ncool_down = '1s'";
    let gateway = routed(&[&moody.url, &good.url], keys).await;
    for _ in 0..3 {
        assert_eq!(gateway.chat("best").await.0, 200);
    }
    gateway.logged("is left alone").await;
    let asked = || moody.seen().len();
    // It is tried once it has cooled down, and one failure is enough then.
    eventually("it is tried", async || {
        gateway.chat("best").await;
        asked() == 4
    })
    .await;
    let before = skips(&gateway, "m0").await[1];
    assert!(before > 0.0, "it was left alone before");
    // Once it is well, it is back for all.
    mood.store(200, SeqCst);
    eventually("it is back", async || {
        gateway.chat("best").await;
        asked() > 5
    })
    .await;
    let [_, after] = skips(&gateway, "m0").await;
    assert!(after > before, "{after}: it was left alone once more");
    let asked_before = asked();
    for _ in 0..5 {
        gateway.chat("best").await;
    }
    assert_eq!(
        (asked(), skips(&gateway, "m0").await[1]),
        (asked_before + 5, after)
    );
}

#[tokio::test]
async fn where_all_are_left_alone_all_are_asked() {
    let busy = || scripted([status(429, "retry-after: 600\r\n", "{}")]);
    let (one, two) = (busy().await, busy().await);
    let keys = "respect_retry_after = true\ncool_down_after = 1\ncool_down = '10m'";
    let gateway = routed(&[&one.url, &two.url], keys).await;
    for n in 1..=3 {
        assert_eq!(gateway.chat("best").await.0, 429);
        assert_eq!((one.requests(), two.requests()), (n, n));
    }
    for model in ["m0", "m1"] {
        assert_eq!(skips(&gateway, model).await, [0.0; 2]);
    }
    assert_eq!(searches(&gateway).await, [0.0, 0.0, 3.0]);
}

#[tokio::test]
async fn a_sessions_own_candidate_is_left_alone_too() {
    let (one, two) = (
        Upstream::chat().await,
        scripted([
            status(200, "", "{}"),
            status(429, "retry-after: 600\r\n", "{}"),
        ])
        .await,
    );
    let mood = Arc::new(AtomicU16::new(500));
    let moody = Upstream::moody(&mood).await;
    let keys = "respect_retry_after = true";
    let gateway = routed(&[&moody.url, &two.url, &one.url], keys).await;
    let chat = async |session: &str| {
        let request = gateway.chat_request("best").header("x-session-id", session);
        gateway.ask(request).await.0
    };
    // The session is led to the second, which another then finds busy.
    assert_eq!((chat("s").await, chat("t").await), (200, 200));
    mood.store(200, SeqCst);
    assert_eq!(chat("s").await, 200);
    assert_eq!(two.requests(), 2);
    assert_eq!(skips(&gateway, "m1").await, [1.0, 0.0]);
    let scrape = gateway.scrape().await;
    let decided = format!(r#"{DECISIONS}{{fallback="false",selected_model="m0"}}"#);
    assert_eq!(scrape.sum(&decided), 1.0, "its own was not tried");
    assert_eq!(searches(&gateway).await, [1.0, 2.0, 0.0]);
    // From then on it stays there.
    assert_eq!(
        scrape.sum(r#"session_cache_events_total{outcome="store"}"#),
        3.0
    );
}

#[tokio::test]
async fn aliases_share_what_is_known_and_go_by_their_own_rules() {
    let (busy, good) = (
        scripted([status(503, "retry-after: 600\r\n", "{}")]).await,
        Upstream::chat().await,
    );
    let config = format!(
        "[providers.p0]\nurl = '{}'\n[providers.p1]\nurl = '{}'
         [routes.one]\ncandidates = ['p0/m0', 'p1/m1']
         [routes.two]\ncandidates = ['p0/m0', 'p1/m1']
         [routes.three]\ncandidates = ['p0/m0', 'p1/m1']\nrespect_retry_after = false",
        busy.url, good.url
    );
    let gateway = Serve::config(&config).start().await;
    for (alias, asked) in [("one", 1), ("two", 1), ("three", 2)] {
        assert_eq!(gateway.chat(alias).await.0, 200);
        assert_eq!(busy.requests(), asked, "{alias}");
    }
}

/// Two models of one provider, whose clients pay for themselves, or the operator.
async fn of_one_provider(upstream: &str, key: bool) -> Gateway {
    let key = if key { "api_key_env = 'TEST_P'" } else { "" };
    let config = format!(
        "[providers.p]\nurl = '{upstream}'\n{key}
         [routes.best]\ncandidates = ['p/m0', 'p/m1']
         respect_retry_after = true\ncool_down_after = 1\nretry_on = [401]"
    );
    Serve::config(&config)
        .env("TEST_P", "sk-ours")
        .start()
        .await
}

#[tokio::test]
async fn a_client_whose_own_key_is_refused_costs_nobody_else_a_candidate() {
    for (key, credentials, left_alone) in [
        (false, true, false),
        (false, false, true),
        (true, true, true),
    ] {
        for code in [401, 429] {
            let refused = status(code, "retry-after: 600\r\n", "{}");
            let upstream = scripted([refused, status(200, "", "{}")]).await;
            let gateway = of_one_provider(&upstream.url, key).await;
            let request = gateway.chat_request("best");
            let request = if credentials {
                request.bearer_auth("sk-mine")
            } else {
                request
            };
            assert_eq!(gateway.ask(request).await.0, 200);
            assert_eq!(gateway.chat("best").await.0, 200);
            let skipped: f64 = skips(&gateway, "m0").await.iter().sum();
            let expected = f64::from(u8::from(left_alone));
            assert_eq!(skipped, expected, "{key} {credentials} {code}");
        }
    }
}

#[tokio::test]
async fn a_form_passes_as_it_comes_to_the_first_that_is_not_left_alone() {
    let busy = scripted([status(429, "retry-after: 600\r\n", "{}")]).await;
    let good = Upstream::chat().await;
    let gateway = routed(&[&busy.url, &good.url], "respect_retry_after = true").await;
    let form = "--b\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nbest\r\n--b--\r\n";
    let ask = async || {
        let url = format!("{}/v1/audio/transcriptions", gateway.url);
        let request = gateway.client.post(url).body(form);
        let request = request.header("content-type", "multipart/form-data; boundary=b");
        request.send().await.unwrap().status().as_u16()
    };
    // It can be sent only once.
    assert_eq!((ask().await, ask().await), (429, 200));
    assert_eq!(good.only().body, form.replace("best", "m1"));
    assert_eq!(skips(&gateway, "m0").await, [1.0, 0.0]);
    assert_eq!(searches(&gateway).await, [1.0, 0.0, 1.0]);
    let scrape = gateway.scrape().await;
    let decided = format!(r#"{DECISIONS}{{fallback="false",selected_model="m1"}}"#);
    assert_eq!((scrape.sum(&decided), scrape.sum(DECISIONS)), (1.0, 1.0));
}
