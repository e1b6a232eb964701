//! Running the binary in a folder of its own, with no variables but those that a test sets.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// What data for tests there is beside the checkout.
pub const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/");

/// A folder to run the binary in.
pub struct Folder {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

/// How a run ended.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// A gateway that runs until it is dropped.
pub struct Serving {
    process: Child,
    /// All that it printed until it was quiet.
    pub greeting: String,
}

impl Folder {
    pub fn new() -> Folder {
        Folder { folder: TempDir::new().unwrap(), variables: Vec::new() }
    }

    /// Puts a file into it.
    pub fn with(self, name: &str, text: impl AsRef<[u8]>) -> Folder {
        std::fs::write(self.path(name), text).unwrap();
        self
    }

    /// Sets a variable for every run.
    pub fn set(mut self, name: &str, value: &str) -> Folder {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_farthing"));
        command.current_dir(self.folder.path()).args(arguments).env_clear();
        command.envs(self.variables.iter().cloned()).stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, "")
    }

    /// Runs with a text on standard input.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Run {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut stdin = process.stdin.take().unwrap();
        let input = input.to_owned();
        // Who does not read its input ends before it was written.
        let writing = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
        let output = process.wait_with_output().unwrap();
        writing.join().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Run { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Starts a gateway on a free port.
    pub fn serve(&self, command: &str) -> Serving {
        let mut command = self.command(&[command, "--listen", "127.0.0.1:0"]);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut greeting = String::new();
        for line in lines {
            greeting += &(line.unwrap() + "\n");
            if greeting.contains("x-farthing-user") {
                break;
            }
        }
        Serving { process, greeting }
    }
}

impl Run {
    /// What it printed, if it succeeded and did not complain.
    pub fn ok(self) -> String {
        assert_eq!((self.code, self.err.as_str()), (Some(0), ""), "{}", self.out);
        self.out
    }

    /// What it printed, as JSON.
    pub fn json(self) -> Value {
        serde_json::from_str(&self.ok()).unwrap()
    }

    /// What it complained of, if it failed with this code.
    pub fn fails(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{} {}", self.out, self.err);
        self.err
    }
}

impl Serving {
    pub fn address(&self) -> &str {
        let (_, rest) = self.greeting.split_once("http://").expect("it says where it listens");
        rest.lines().next().unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// The lines of a text, each as JSON.
pub fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A file of the data beside the checkout; `None`, said aloud, where there is none.
pub fn shared(name: &str) -> Option<String> {
    let path = format!("{SHARED}{name}");
    let found = std::fs::metadata(&path).is_ok();
    if !found {
        println!("skipped: ../shared not present");
    }
    found.then_some(path)
}
