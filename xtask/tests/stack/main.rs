//! `cargo xtask grafana up` and its kin, with engines that only record how they are called.

mod fake;
mod native;

use fake::{DOCKER_COMPOSE, Engine, Machine, PODMAN_COMPOSE};

#[test]
fn up_starts_with_the_plugin_and_reports_the_targets() {
    let machine = Machine::new("plugin", &[("docker", Engine::Works)]);
    let said = machine.xtask(&["up"]).succeeds();
    assert!(said.contains("waiting for Prometheus"), "{said}");
    assert!(said.contains("waiting for Grafana"), "{said}");
    assert!(
        said.contains(&format!("Grafana     http://localhost:{}", machine.port)),
        "{said}"
    );
    let dashboard = format!(
        "Dashboard   http://localhost:{}/d/brightstaff",
        machine.port
    );
    assert!(said.contains(&dashboard), "{said}");
    assert!(said.contains("up       brightstaff"), "{said}");
    assert!(said.contains("down     envoy"), "{said}");
    let file = "--file config/grafana/docker-compose.yaml";
    assert_eq!(
        machine.calls("docker"),
        [
            "compose version".to_owned(),
            "info".to_owned(),
            "--version".to_owned(),
            format!("compose {file} up --detach"),
            format!("compose {file} port prometheus 9090"),
            format!("compose {file} port grafana 3000"),
        ]
    );
}

#[test]
fn otlp_is_a_profile_with_a_scrape_configuration_of_its_own() {
    let machine = Machine::new("otlp", &[("docker", Engine::Works)]);
    let said = machine.xtask(&["up", "--otlp"]).succeeds();
    assert!(said.contains("OTLP        http://localhost:4318"), "{said}");
    let profiles = machine.profiles("docker");
    let [up] = &profiles[..] else {
        panic!("{profiles:?}");
    };
    let config = up
        .strip_prefix("otlp 4318 ")
        .expect("the profile and the port");
    assert!(config.starts_with('/'), "{config}");
    assert!(
        config.ends_with("config/otel/prometheus_scrape.yaml"),
        "{config}"
    );
    // What runs of the profile is taken down, too.
    machine.xtask(&["down"]).succeeds();
    assert_eq!(machine.profiles("docker").len(), 2);
}

#[test]
fn the_other_commands_go_to_the_engine_that_up_chose() {
    let machine = Machine::new("others", &[("docker", Engine::Works)]);
    machine.xtask(&["up"]).succeeds();
    let said = machine.xtask(&["status"]).succeeds();
    assert!(said.contains("run by docker compose"), "{said}");
    machine.xtask(&["logs", "--follow"]).succeeds();
    machine.xtask(&["down"]).succeeds();
    machine.xtask(&["down", "--volumes"]).succeeds();
    let calls = machine.calls("docker").join("\n");
    for expected in [
        "logs --tail 100 --follow",
        "yaml down\n",
        "yaml down --volumes",
    ] {
        assert!(calls.contains(expected), "{expected} in {calls}");
    }
    let said = machine.xtask(&["status"]).fails();
    assert!(
        said.contains("nothing is up: `cargo xtask grafana up` starts it"),
        "{said}"
    );
}

#[test]
fn without_the_plugin_docker_compose_is_taken_then_podman() {
    let machine = Machine::new(
        "standalone",
        &[
            ("docker", Engine::NoCompose),
            (DOCKER_COMPOSE, Engine::Works),
        ],
    );
    machine.xtask(&["up"]).succeeds();
    assert!(
        machine
            .calls(DOCKER_COMPOSE)
            .iter()
            .any(|call| call.ends_with("up --detach"))
    );

    let machine = Machine::new(
        "podman",
        &[("docker", Engine::Stopped), ("podman", Engine::Works)],
    );
    let said = machine.xtask(&["up"]).succeeds();
    assert!(said.contains("starting with podman compose"), "{said}");
    let config = machine.dir.join("state/prometheus_scrape_podman.yaml");
    let config = std::fs::read_to_string(config).expect("up has written it");
    assert!(config.contains("host.containers.internal:9092"), "{config}");
    assert!(!config.contains("host.docker.internal:"), "{config}");

    let machine = Machine::new(
        "podman-compose",
        &[
            ("podman", Engine::NoCompose),
            (PODMAN_COMPOSE, Engine::Works),
        ],
    );
    let said = machine.xtask(&["up"]).succeeds();
    assert!(said.contains("starting with podman-compose"), "{said}");
}

#[test]
fn an_engine_that_does_not_answer_is_named_with_its_fix() {
    let machine = Machine::new("stopped", &[("docker", Engine::Stopped)]);
    let said = machine.xtask(&["up"]).fails();
    assert!(
        said.contains("Cannot connect to the Docker daemon"),
        "{said}"
    );
    assert!(said.contains("systemctl start docker"), "{said}");
    assert!(said.contains("podman is not on the path"), "{said}");
    assert!(
        said.contains("`prometheus` is not on the path: install it"),
        "{said}"
    );
}

#[test]
fn a_start_that_fails_tells_what_the_engine_said() {
    let machine = Machine::new("pull", &[("docker", Engine::CannotStart)]);
    let said = machine.xtask(&["up"]).fails();
    assert!(said.contains("manifest unknown"), "{said}");
    assert!(said.contains("could not start the containers"), "{said}");
}

#[test]
fn a_container_that_ends_is_not_waited_for() {
    let machine = Machine::new("crash", &[("docker", Engine::Crashes)]);
    let said = machine.xtask(&["up"]).fails();
    assert!(
        said.contains("a container has ended: prometheus Exited (2)"),
        "{said}"
    );
    assert!(said.contains("error loading config"), "{said}");
    // What was started halfway can be taken down.
    machine.xtask(&["down"]).succeeds();
}

#[test]
fn waiting_has_an_end() {
    let machine = Machine::new("slow", &[("docker", Engine::NeverReady)]);
    let said = machine.xtask(&["up", "--timeout", "1"]).fails();
    assert!(said.contains("did not answer in 1 s"), "{said}");
    assert!(said.contains("--timeout"), "{said}");
}

#[test]
fn other_ports_while_it_runs_are_refused_in_one_line_and_not_recorded() {
    let machine = Machine::new("ports", &[("docker", Engine::Works)]);
    machine.xtask(&["up", "--grafana-port=3001"]).succeeds();
    let record = || std::fs::read_to_string(machine.dir.join("state/up")).expect("it is up");
    let before = record();
    let said = machine.xtask(&["up", "--grafana-port=3002"]).fails();
    assert!(
        said.contains("Prometheus on :9090 and Grafana on :3001: `cargo xtask grafana down` first"),
        "{said}"
    );
    assert_eq!(said.trim().lines().count(), 1, "{said}");
    assert_eq!(record(), before);
    machine.xtask(&["up", "--grafana-port=3001"]).succeeds();
}
