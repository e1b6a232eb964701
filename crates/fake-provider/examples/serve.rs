//! Serves the script of the file given as the second argument, or an empty one, on the port given
//! as the first, until Ctrl-C.

#![expect(clippy::print_stdout, reason = "the addresses are all that it has to say")]

use std::{env, error::Error, fs};

use farthing_fake_provider::{FakeProvider, Options, Script};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = env::args().nth(1).ok_or("usage: serve PORT [SCRIPT]")?.parse()?;
    let script = match env::args().nth(2) {
        Some(path) => Script::from_json(&fs::read_to_string(path)?)?,
        None => Script::default(),
    };
    let provider = FakeProvider::start(Options { script, port, ..Options::default() }).await?;
    println!("OpenAI: {}", provider.base_url());
    println!("Anthropic: {}", provider.anthropic_base_url());
    Ok(tokio::signal::ctrl_c().await?)
}
