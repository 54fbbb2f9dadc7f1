//! On a real pseudo terminal, whose screen is read as a terminal would draw it.

use std::{
    io::{Read, Write},
    process::{Child, ExitStatus},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use pty_process::{
    Size,
    blocking::{Pty, open},
};
use vt100::Parser;

use crate::{
    server::{HOSTILE, Server, exposition, response},
    top,
};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// `top` on a terminal.
struct Terminal {
    pty: Arc<Pty>,
    child: Child,
    seen: Arc<Mutex<Seen>>,
}

struct Seen {
    parser: Parser,
    bytes: Vec<u8>,
}

impl Terminal {
    fn start(url: &str, rows: u16, columns: u16, env: &[(&str, &str)]) -> Self {
        let (pty, pts) = open().unwrap();
        pty.resize(Size::new(rows, columns)).unwrap();
        let mut command = top(url);
        command.arg("--interval=1s").envs(env.iter().copied());
        let child = pty_process::blocking::Command::from(command)
            .spawn(pts)
            .unwrap();
        let (rows, columns) = (rows.try_into().unwrap(), columns.try_into().unwrap());
        let parser = Parser::new(rows, columns, 0);
        let bytes = Vec::new();
        let seen = Arc::new(Mutex::new(Seen { parser, bytes }));
        let pty = Arc::new(pty);
        let (reader, shared) = (pty.clone(), seen.clone());
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = (&*reader).read(&mut buffer) {
                let mut seen = shared.lock().unwrap();
                seen.parser.process(&buffer[..length]);
                seen.bytes.extend_from_slice(&buffer[..length]);
            }
        });
        Self { pty, child, seen }
    }

    fn press(&self, keys: &str) {
        (&*self.pty).write_all(keys.as_bytes()).unwrap();
    }

    fn resize(&self, rows: u16, columns: u16) {
        let size = (rows.try_into().unwrap(), columns.try_into().unwrap());
        let mut seen = self.seen.lock().unwrap();
        seen.parser.screen_mut().set_size(size.0, size.1);
        self.pty.resize(Size::new(rows, columns)).unwrap();
    }

    fn screen(&self) -> String {
        self.seen.lock().unwrap().parser.screen().contents()
    }

    fn bytes(&self) -> Vec<u8> {
        self.seen.lock().unwrap().bytes.clone()
    }

    /// Waits until the screen is as it should be.
    #[track_caller]
    fn until(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        let began = Instant::now();
        loop {
            let screen = self.screen();
            if holds(&screen) {
                return screen;
            }
            assert!(began.elapsed() < PATIENCE, "{what}: {screen}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    #[track_caller]
    fn shows(&self, text: &str) -> String {
        self.until(text, |screen| screen.contains(text))
    }

    /// How it ended.
    #[track_caller]
    fn ended(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(began.elapsed() < PATIENCE, "{}", self.screen());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn many() -> Server {
    let pairs: Vec<_> = (0..200)
        .map(|index| (format!("p{index:03}"), 10 + index))
        .collect();
    Server::start(move |number| exposition(&pairs, number))
}

fn first_row(screen: &str) -> &str {
    let mut lines = screen
        .lines()
        .skip_while(|line| !line.starts_with("PROVIDER"));
    lines.nth(1).unwrap_or_default()
}

#[test]
fn two_hundred_pairs_scroll_and_sort() {
    let server = many();
    let mut terminal = Terminal::start(&server.url(), 24, 120, &[]);
    let screen = terminal.shows("200 pairs of provider and model");
    assert!(
        screen.contains("version 9.9.9   commit 0123456789ab"),
        "{screen}"
    );
    assert!(screen.contains("CALLS↓"), "{screen}");
    assert!(first_row(&screen).starts_with("p199 "), "{screen}");
    assert!(
        screen.lines().last().unwrap().starts_with("q quit"),
        "{screen}"
    );
    terminal.press("\x1b[B\x1b[B");
    terminal.until("two rows down", |screen| {
        first_row(screen).starts_with("p197 ")
    });
    terminal.press("\x1b[A");
    terminal.until("one row up", |screen| {
        first_row(screen).starts_with("p198 ")
    });
    terminal.press("\x1b[6~");
    terminal.until("a page down", |screen| {
        first_row(screen).starts_with("p186 ")
    });
    terminal.press("G");
    terminal.until("the last", |screen| screen.contains("\np000 "));
    terminal.press("g");
    terminal.until("the first", |screen| first_row(screen).starts_with("p199 "));
    terminal.press("r");
    terminal.until("turned round", |screen| {
        screen.contains("CALLS↑") && first_row(screen).starts_with("p000 ")
    });
    terminal.press("SS");
    terminal.until("by name", |screen| {
        screen.contains("PROVIDER↑") && first_row(screen).starts_with("p000 ")
    });
    let scrapes = server.asked();
    terminal.press("\x1b[D");
    terminal.shows("IN FLIGHT*↓");
    terminal.until("it goes on", |_| server.asked() > scrapes + 1);
    terminal.press("q");
    assert!(terminal.ended().success());
    let bytes = terminal.bytes();
    let end = b"\x1b[?7h\x1b[?25h\x1b[?1049l";
    terminal.until("the screen is given back", |_| {
        terminal.bytes().ends_with(end)
    });
    assert!(
        !terminal
            .seen
            .lock()
            .unwrap()
            .parser
            .screen()
            .alternate_screen()
    );
    assert!(bytes.starts_with(b"\x1b[?1049h\x1b[?25l"), "{bytes:?}");
}

#[test]
fn a_window_may_be_of_any_size() {
    let server = many();
    let terminal = Terminal::start(&server.url(), 40, 160, &[]);
    terminal.shows("PER STREAM");
    terminal.resize(12, 50);
    terminal.until("fewer columns", |screen| {
        screen.contains("p199") && !screen.contains("PER STREAM") && screen.contains("CALLS/S")
    });
    for (rows, columns) in [(1, 1), (2, 8), (4, 20)] {
        terminal.resize(rows, columns);
        terminal.until("something", |screen| !screen.is_empty());
    }
    terminal.resize(50, 200);
    terminal.until("all of it again", |screen| {
        screen.contains("PER STREAM") && screen.contains("p170 ")
    });
    terminal.press("\x03");
    let mut terminal = terminal;
    assert!(terminal.ended().success(), "Ctrl-C quits");
}

#[test]
fn hostile_names_do_nothing_to_the_terminal() {
    let pairs = HOSTILE.map(|name| (name.to_owned(), 100));
    let server = Server::start(move |number| exposition(&pairs, number));
    let mut terminal = Terminal::start(&server.url(), 30, 150, &[]);
    let screen = terminal.shows("7 pairs of provider and model");
    for name in [
        r"\u{1b}]0;hacked\u{7}",
        r"\u{9b}31mred",
        r"\n\ncopied\r",
        "模型🦀",
    ] {
        assert!(screen.contains(name), "{name}: {screen}");
    }
    // All rows stand in the same columns, wide letters or not.
    let share = |name: &str| {
        let seen = terminal.seen.lock().unwrap();
        let rows: Vec<_> = seen.parser.screen().rows(0, 150).collect();
        let row = rows.iter().position(|row| row.starts_with(name)).unwrap();
        (0..150u16).find(|&column| {
            let cell = seen
                .parser
                .screen()
                .cell(u16::try_from(row).unwrap(), column);
            cell.unwrap().contents() == "%"
        })
    };
    assert_eq!(share("模型"), share(r"\n\n"));
    terminal.press("q");
    assert!(terminal.ended().success());
    let text = String::from_utf8(terminal.bytes()).unwrap();
    for acts in [
        "\x1b]", "\u{7}", "\u{9b}", "\u{202e}", "\u{200b}", "\u{301}",
    ] {
        assert!(!text.contains(acts), "{acts:?} came through");
    }
    // What clears the screen came from the program alone: once, at its start.
    assert_eq!(text.matches("\x1b[2J").count(), 1);
}

#[test]
fn a_gateway_that_dies_and_returns_is_told_of() {
    let pairs = [("p".to_owned(), 100)];
    let of = pairs.clone();
    let server = Server::start(move |number| exposition(&of, number));
    let address = server.address();
    let terminal = Terminal::start(&server.url(), 24, 120, &[]);
    terminal.shows("1 provider and model");
    drop(server);
    let screen = terminal.shows("not answering for");
    assert!(screen.contains("refused"), "{screen}");
    assert!(screen.contains("the numbers are from before"), "{screen}");
    assert!(screen.contains("\np "), "what was known stays: {screen}");
    // Another process, which started anew and counted since.
    let server = Server::at(address, move |number| {
        let text = String::from_utf8(exposition(&[("p".to_owned(), 7)], number)).unwrap();
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now = format!("process_start_time_seconds {}", now.unwrap().as_secs());
        response(
            "200 OK",
            &body.replace("process_start_time_seconds 1000", &now),
        )
    });
    let screen = terminal.until("it goes on", |screen| {
        screen.contains("live") && screen.contains("has been restarted meanwhile")
    });
    assert!(screen.contains("\np "), "{screen}");
    drop(server);
    drop(pairs);
}

#[test]
fn a_gateway_that_is_not_there_yet_is_waited_for() {
    let address = Server::start(|_| Vec::new()).address();
    let terminal = Terminal::start(&format!("{address}"), 24, 100, &[]);
    terminal.shows("not answering for");
    let _server = Server::at(address, |number| {
        exposition(&[("p".to_owned(), 10)], number)
    });
    terminal.shows("1 provider and model");
}

#[test]
fn colours_are_left_out_where_nobody_wants_them() {
    let failing = |number: usize| {
        let of = "model=\"m\",provider=\"p\"";
        let calls = 100 * number;
        response(
            "200 OK",
            &format!(
                "process_start_time_seconds 1000\nbrightstaff_llm_upstream_requests_total{{error_class=\"connect\",{of},status_class=\"error\"}} {calls}\n"
            ),
        )
    };
    let server = Server::start(failing);
    let coloured = Terminal::start(&server.url(), 24, 100, &[]);
    coloured.shows("! p: calls fail: 100 % of 100 (connect 100)");
    assert!(String::from_utf8_lossy(&coloured.bytes()).contains("\x1b[1;31m!"));
    let plain = Terminal::start(&server.url(), 24, 100, &[("NO_COLOR", "1")]);
    plain.shows("! p: calls fail");
    let bytes = String::from_utf8_lossy(&plain.bytes()).into_owned();
    assert!(
        !bytes.contains("\x1b[1;3") && !bytes.contains("\x1b[3"),
        "{bytes:?}"
    );
}

#[test]
fn a_dumb_terminal_gets_table_after_table() {
    let server = Server::start(|number| exposition(&[("p".to_owned(), 10)], number));
    let mut terminal = Terminal::start(&server.url(), 60, 150, &[("TERM", "dumb")]);
    terminal.until("three tables", |screen| {
        screen.matches("PROVIDER").count() >= 3
    });
    terminal.press("\x03");
    assert!(!terminal.ended().success(), "by the signal");
    assert!(!terminal.bytes().contains(&0x1b), "{}", terminal.screen());
}
