//! Ports that let in whom they know: what a web configuration can ask for.

use std::{fs, path::Path, process::Output};

use brightstaff_exporter::Exporter;
use brightstaff_metrics_core::Metrics;
use prometheus::Registry;
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose as Usage, IsCa, Issuer, KeyPair,
    SanType,
};

use crate::{
    server::{Server, exposition},
    top,
};

/// What `top` comes to at a port with this web configuration, whose files lie in this folder.
async fn tried(folder: &Path, yaml: &str, arguments: &[&str]) -> Output {
    fs::write(folder.join("web.yml"), yaml).unwrap();
    let registry = Registry::new();
    Metrics::builder()
        .version("9.9.9")
        .register(&registry)
        .unwrap();
    let exporter = Exporter::new(registry).bind_address(([127, 0, 0, 1], 0));
    let exporter = exporter.web_config(folder.join("web.yml")).unwrap();
    let bound = exporter.bind().await.unwrap();
    let url = format!("{}://{}/", bound.scheme(), bound.local_addr());
    let served = tokio::spawn(bound.serve());
    let mut command = top(&url);
    command
        .args(arguments)
        .args(["--once", "--interval=1s"])
        .current_dir(folder);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await;
    served.abort();
    output.unwrap()
}

#[track_caller]
fn let_in(output: &Output) {
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("version 9.9.9"), "{text}");
}

#[track_caller]
fn kept_out(output: &Output, fault: &str) {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains(fault), "{error}");
}

#[tokio::test]
async fn users_have_passwords() {
    let folder = tempfile::tempdir().unwrap();
    let hash = bcrypt::hash("secret", 4).unwrap();
    let yaml = format!("basic_auth_users:\n  me: {hash}\n");
    fs::write(folder.path().join("right"), "secret\n").unwrap();
    fs::write(folder.path().join("wrong"), "guess\n").unwrap();
    let folder = folder.path();
    kept_out(&tried(folder, &yaml, &[]).await, "it responds with 401");
    let wrong = ["--user=me", "--password-file=wrong"];
    kept_out(&tried(folder, &yaml, &wrong).await, "it responds with 401");
    let_in(&tried(folder, &yaml, &["--user=me", "--password-file=right"]).await);
}

#[tokio::test]
async fn a_port_with_tls_is_known_by_its_authority() {
    let folder = tempfile::tempdir().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("ca.crt", &params.self_signed(&key).unwrap().pem());
    let issuer = Issuer::new(params, key);
    let identity = |name: &str, names: Vec<SanType>, usage| {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.subject_alt_names = names;
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().unwrap();
        write(
            &format!("{name}.crt"),
            &params.signed_by(&key, &issuer).unwrap().pem(),
        );
        write(&format!("{name}.key"), &key.serialize_pem());
    };
    identity(
        "server",
        vec![SanType::IpAddress([127, 0, 0, 1].into())],
        Usage::ServerAuth,
    );
    identity("client", Vec::new(), Usage::ClientAuth);
    let folder = folder.path();
    let yaml = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n";
    kept_out(
        &tried(folder, yaml, &["--cacert=client.crt"]).await,
        "invalid peer certificate",
    );
    let_in(&tried(folder, yaml, &["--cacert=ca.crt"]).await);
    let yaml =
        format!("{yaml}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n");
    kept_out(
        &tried(folder, &yaml, &["--cacert=ca.crt"]).await,
        "error: https://",
    );
    let shown = ["--cacert=ca.crt", "--cert=client.crt", "--key=client.key"];
    let_in(&tried(folder, &yaml, &shown).await);
}

#[test]
fn a_token_is_read_again_for_each_scrape() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, "first\nnot this\n").unwrap();
    let other = file.clone();
    let server = Server::start(move |number| {
        fs::write(&other, "second\n").unwrap();
        exposition(&[], number)
    });
    let output = top(&server.url())
        .arg("--bearer-token-file")
        .arg(&file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let heads = server.heads();
    for (head, token) in heads.iter().zip(["first", "second"]) {
        assert!(
            head.contains(&format!("authorization: Bearer {token}\n")),
            "{head}"
        );
        assert!(head.starts_with("GET /metrics HTTP/1.1\n"), "{head}");
    }
    assert_eq!(heads.len(), 2);
}
