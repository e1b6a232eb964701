//! Serves an empty script on the port given as the first argument, until Ctrl-C.

#![expect(clippy::print_stdout, reason = "the address is all that it has to say")]

use std::{env, error::Error};

use farthing_fake_provider::{FakeProvider, Options};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = env::args().nth(1).ok_or("usage: serve PORT")?.parse()?;
    let provider = FakeProvider::start(Options { port, ..Options::default() }).await?;
    println!("{}", provider.base_url());
    Ok(tokio::signal::ctrl_c().await?)
}
