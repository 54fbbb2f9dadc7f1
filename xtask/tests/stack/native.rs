//! `--native`, with programs that stand in for Prometheus and Grafana: this very test, asked to serve.

use std::{env, fs, net::TcpListener, path::Path, process::Command, thread, time::Duration};

use crate::fake::{Machine, Said, answer};

const PORT: &str = "BRIGHTSTAFF_FAKE_PORT";

/// Not a test: what the programs of `machine` run. It ends by itself, should nobody end it.
#[test]
fn serves_as_a_program() {
    let Ok(port) = env::var(PORT) else { return };
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).expect("the port is free");
    thread::spawn(|| {
        thread::sleep(Duration::from_secs(60));
        std::process::exit(0);
    });
    for stream in listener.incoming().flatten() {
        answer(&stream);
    }
}

/// Both programs, each on its port; Grafana with its files beside it.
fn machine(name: &str) -> Machine {
    let machine = Machine::new(name, &[]);
    let this = env::current_exe().expect("a test has a file");
    let run = format!(
        "export {PORT}; exec '{}' --exact native::serves_as_a_program --nocapture",
        this.display()
    );
    machine.program(
        "prometheus",
        &format!(
            "for a in \"$@\"; do case $a in *listen-address=*) {PORT}=${{a##*:}};; esac; done\n{run} prometheus"
        ),
    );
    machine.program(
        "grafana",
        &format!("{PORT}=$GF_SERVER_HTTP_PORT\n{run} grafana"),
    );
    machine.program("otelcol", &format!("{PORT}=$OTLP_PORT\n{run} otelcol"));
    fs::create_dir_all(machine.dir.join("conf")).expect("the directory is ours");
    fs::write(machine.dir.join("conf/defaults.ini"), "").expect("the directory is ours");
    machine
}

fn port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound").port()
}

/// `ps`, `kill` and `tail` are needed, too.
fn run(machine: &Machine, arguments: &[&str]) -> Said {
    let path = format!("{}:/usr/bin:/bin", machine.dir.join("bin").display());
    let output = Command::new(env!("CARGO_BIN_EXE_xtask-tasks"))
        .arg("grafana")
        .args(arguments)
        .arg("--dir")
        .arg(machine.dir.join("state"))
        .env("PATH", path)
        .env_remove("GF_PATHS_HOME")
        .output()
        .expect("xtask was built");
    Said(output)
}

#[test]
fn both_are_started_with_the_shipped_files_and_ended() {
    let machine = machine("native");
    let (prometheus, grafana) = (port(), port());
    let ports = [
        format!("--prometheus-port={prometheus}"),
        format!("--grafana-port={grafana}"),
    ];
    let said = run(&machine, &["up", "--native", &ports[0], &ports[1]]).succeeds();
    assert!(
        said.contains(&format!("Prometheus  http://localhost:{prometheus}")),
        "{said}"
    );
    assert!(
        said.contains(&format!("Grafana     http://localhost:{grafana}")),
        "{said}"
    );
    assert!(said.contains("up       brightstaff"), "{said}");

    let file = |name: &str| {
        fs::read_to_string(machine.dir.join("state").join(name)).expect("up has written it")
    };
    assert!(file("prometheus_scrape.yaml").contains("localhost:9092"));
    let datasource = file("provisioning/datasources/prometheus.yaml");
    assert!(
        datasource.contains(&format!("url: http://localhost:{prometheus}")),
        "{datasource}"
    );
    let provider = file("provisioning/dashboards/brightstaff.yaml");
    let place = provider
        .lines()
        .find_map(|line| line.trim().strip_prefix("path: "));
    let place = Path::new(place.expect("the provider has a path"));
    assert!(
        place.join("brightstaff_dashboard.json").exists(),
        "{provider}"
    );

    // The ports are remembered.
    let said = run(&machine, &["status"]).succeeds();
    assert!(said.contains("Grafana     healthy"), "{said}");
    let said = run(&machine, &["up", "--native", &ports[0], &ports[1]]).succeeds();
    assert!(said.contains("prometheus runs already"), "{said}");
    let said = run(&machine, &["up", "--native", &ports[0]]).fails();
    assert!(said.contains("native runs the stack already"), "{said}");
    let said = run(&machine, &["status"]).succeeds();
    assert!(said.contains("Grafana     healthy"), "{said}");
    let said = run(&machine, &["down"]).succeeds();
    assert!(said.contains("stopped grafana"), "{said}");
    assert!(
        TcpListener::bind(("127.0.0.1", prometheus)).is_ok(),
        "nobody is left"
    );
}

#[test]
fn the_collector_is_started_and_ended_with_the_others() {
    let machine = machine("native-otlp");
    let ports = [port(), port(), port()];
    let options = [
        format!("--prometheus-port={}", ports[0]),
        format!("--grafana-port={}", ports[1]),
        format!("--otlp-port={}", ports[2]),
    ];
    let options: Vec<_> = options.iter().map(|option| &**option).collect();
    let up = |further: &[&str]| {
        let all = [&["up", "--native"], further, &options].concat();
        run(&machine, &all)
    };
    let said = up(&["--otlp"]).succeeds();
    let address = format!("OTLP        http://localhost:{}", ports[2]);
    assert!(said.contains(&address), "{said}");
    let config = fs::read_to_string(machine.dir.join("state/prometheus_scrape.yaml"));
    let config = config.expect("up has written it");
    assert!(config.contains("localhost:8889"), "{config}");
    assert!(!config.contains("job_name: brightstaff"), "{config}");
    // It would scrape what is pushed.
    let said = up(&[]).fails();
    assert!(
        said.contains("Prometheus runs already, with --otlp"),
        "{said}"
    );
    let said = run(&machine, &["down"]).succeeds();
    assert!(said.contains("stopped otelcol"), "{said}");
    assert!(
        TcpListener::bind(("127.0.0.1", ports[2])).is_ok(),
        "nobody is left"
    );
    fs::remove_file(machine.dir.join("bin/otelcol")).expect("it was there");
    let said = up(&["--otlp"]).fails();
    assert!(said.contains("`otelcol` is not on the path"), "{said}");
}

#[test]
fn a_port_that_is_taken_is_named_with_its_option() {
    let machine = machine("taken");
    let other = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = other.local_addr().expect("it is bound").port();
    let said = run(
        &machine,
        &["up", "--native", &format!("--prometheus-port={taken}")],
    )
    .fails();
    assert!(
        said.contains(&format!(
            "port {taken}, where prometheus would listen, is taken"
        )),
        "{said}"
    );
    assert!(said.contains("--prometheus-port"), "{said}");
}

#[test]
fn a_program_that_gives_up_is_told_with_its_last_words() {
    let machine = machine("gives-up");
    machine.program("prometheus", "echo 'bad flag' >&2; exit 2");
    let said = run(
        &machine,
        &["up", "--native", &format!("--prometheus-port={}", port())],
    )
    .fails();
    assert!(said.contains("bad flag"), "{said}");
    assert!(said.contains("prometheus has ended"), "{said}");
    run(&machine, &["down", "--volumes"]).succeeds();
}

#[test]
fn a_grafana_without_its_files_is_told() {
    let machine = machine("no-files");
    fs::remove_dir_all(machine.dir.join("conf")).expect("it is ours");
    let said = run(&machine, &["up", "--native"]).fails();
    assert!(said.contains("set GF_PATHS_HOME"), "{said}");
}
