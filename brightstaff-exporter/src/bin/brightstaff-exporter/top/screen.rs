//! A terminal that is drawn on.

use std::{
    io::{self, IsTerminal, Write, stdin, stdout},
    iter::repeat_n,
};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

use super::{
    frame::Size,
    line::{Line, Style},
    text::width,
};

/// Where a terminal does not say how large it is.
const USUAL: Size = Size {
    columns: 80,
    rows: 24,
};

/// The terminal, until it is dropped, as it was afterwards.
#[derive(Debug)]
pub(super) struct Screen {
    colours: bool,
    /// How its keys were read, where they come from a terminal.
    before: Option<Termios>,
}

impl Screen {
    pub(super) fn open(colours: bool) -> io::Result<Self> {
        let before = stdin()
            .is_terminal()
            .then(|| tcgetattr(stdin()))
            .transpose()?;
        let screen = Self { colours, before };
        screen.enter()?;
        Ok(screen)
    }

    /// Whether keys are read one by one.
    pub(super) fn has_keys(&self) -> bool {
        self.before.is_some()
    }

    /// Takes the screen, and the keys as they are pressed.
    pub(super) fn enter(&self) -> io::Result<()> {
        if let Some(before) = &self.before {
            let mut raw = before.clone();
            raw.make_raw();
            tcsetattr(stdin(), OptionalActions::Now, &raw)?;
        }
        // Another screen, no cursor, and lines that are cut at the edge.
        write("\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J")
    }

    /// Gives both back.
    pub(super) fn leave(&self) {
        // A terminal that is gone needs nothing back.
        let _ = write("\x1b[?7h\x1b[?25h\x1b[?1049l");
        if let Some(before) = &self.before {
            let _ = tcsetattr(stdin(), OptionalActions::Now, before);
        }
    }

    pub(super) fn draw(&self, lines: &[Line]) -> io::Result<()> {
        let mut text = "\x1b[H".to_owned();
        for (index, line) in lines.iter().enumerate() {
            text.push_str(if index == 0 { "\x1b[K" } else { "\r\n\x1b[K" });
            self.line(line, &mut text);
        }
        text.push_str("\x1b[J");
        write(&text)
    }

    fn line(&self, line: &Line, text: &mut String) {
        let mut at = Some(0);
        for piece in line {
            match at {
                Some(at) => text.extend(repeat_n(' ', piece.column.saturating_sub(at))),
                // Terminals differ in how wide they draw some letters: it begins here, whatever came before.
                None => text.push_str(&format!("\x1b[{}G", piece.column + 1)),
            }
            let style = self.code(piece.style);
            text.push_str(style);
            text.push_str(&piece.text);
            text.push_str(if style.is_empty() { "" } else { "\x1b[0m" });
            let end = piece.column + width(&piece.text);
            at = (at.is_some() && piece.text.is_ascii()).then_some(end);
        }
    }

    fn code(&self, style: Style) -> &'static str {
        match style {
            Style::Plain => "",
            Style::Bold => "\x1b[1m",
            Style::Dim => "\x1b[2m",
            Style::Reverse => "\x1b[7m",
            Style::Warning if self.colours => "\x1b[33m",
            Style::Critical if self.colours => "\x1b[1;31m",
            Style::Warning => "",
            Style::Critical => "\x1b[1m",
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.leave();
    }
}

/// How large the terminal is now.
pub(super) fn size() -> Size {
    let Ok(size) = tcgetwinsize(stdout()) else {
        return USUAL;
    };
    let or = |told: u16, usual| if told == 0 { usual } else { usize::from(told) };
    Size {
        columns: or(size.ws_col, USUAL.columns),
        rows: or(size.ws_row, USUAL.rows),
    }
}

fn write(text: &str) -> io::Result<()> {
    let mut out = stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
