//! Price facts that are changed while the gateway runs.

use std::io;
use std::time::Duration;

use anyhow::Result;
use farthing_engine::tariff::Prices;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

use crate::config::{Layers, Seen, Settings, look};

/// How often files are looked at.
const EVERY: Duration = Duration::from_secs(2);

/// Reads price facts again when a file of theirs is changed, or at SIGHUP, for as long as the process
/// runs. What cannot be read is refused, and the log says where and why.
pub(super) fn spawn(prices: Prices, layers: Layers) -> io::Result<()> {
    let mut hung_up = signal(SignalKind::hangup())?;
    let mut before = seen(&layers);
    tokio::spawn(async move {
        loop {
            let asked = tokio::select! {
                _ = hung_up.recv() => true,
                () = sleep(EVERY) => false,
            };
            let now = seen(&layers);
            if !asked && now == before {
                continue;
            }
            before = now;
            match read(&prices, &layers) {
                Ok(()) => tracing::info!("price facts were read again"),
                Err(error) => {
                    tracing::error!("price facts are refused, the earlier ones stay: {error:#}");
                }
            }
        }
    });
    Ok(())
}

fn read(prices: &Prices, layers: &Layers) -> Result<()> {
    let catalog = Settings::read(layers)?.config()?.catalog.load()?;
    catalog.load()?;
    prices.replace(catalog);
    Ok(())
}

/// The settings' file and those of the catalog. Where the settings cannot be read, the first alone.
fn seen(layers: &Layers) -> Vec<Seen> {
    let settings = layers.file.iter().map(|file| look(file));
    let config = Settings::read(layers).and_then(|settings| settings.config());
    let catalog = config.map(|config| config.catalog.seen()).unwrap_or_default();
    settings.chain(catalog).collect()
}
