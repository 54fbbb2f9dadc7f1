//! What a package of the program brings with it: completions for shells, and manual pages.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::Man as Page;

use crate::say::print;

#[derive(Args, Debug)]
pub(crate) struct Completions {
    /// Whose completions go to standard output.
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self, mut program: Command) -> anyhow::Result<()> {
        let name = program.get_name().to_owned();
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut program, &name, &mut script);
        if self.shell != Shell::Bash {
            return print(&script);
        }
        // Completes no option of a command where the name has a hyphen: github.com/clap-rs/clap/issues/6421.
        let (wrong, right) = (name.replace('-', "__subcmd__"), name.replace('-', "__"));
        let script = String::from_utf8(script).context("a script is text")?;
        print(script.replace(&wrong, &right).as_bytes())
    }
}

#[derive(Args, Debug)]
pub(crate) struct Man {
    /// Where the pages of all commands go, which must be there; without it that of the program goes to standard output.
    #[arg(value_name = "DIRECTORY")]
    directory: Option<PathBuf>,
}

impl Man {
    pub(crate) fn run(&self, program: Command) -> anyhow::Result<()> {
        // It has no page.
        let program = program.disable_help_subcommand(true);
        if let Some(directory) = &self.directory {
            return clap_mangen::generate_to(program, directory)
                .context("cannot write into the directory");
        }
        let mut page = Vec::new();
        Page::new(program).render(&mut page)?;
        print(&page)
    }
}
