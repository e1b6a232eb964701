//! The listener and the orderly end.

use std::future::{Future, pending};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::routes::router;
use crate::state::Gateway;

/// How long what runs may take to come to its end, once the gateway is told to stop.
const GRACE: Duration = Duration::from_secs(25);

/// How often the engine looks for what has been silent for long.
const TEND_EVERY: Duration = Duration::from_secs(60);

/// Serves until `stop` resolves; then accepts nothing new, lets what runs come to its end, and
/// returns once every entry is durable. Calls that take longer than a grace of 25 seconds are left
/// open in the ledger; the next start charges them.
///
/// # Errors
/// Where the listener fails, or the ledger cannot be written to the end.
pub async fn serve(
    gateway: Gateway,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    // Without it, a stream's small pieces wait 40 ms for one another.
    let listener = listener.tap_io(|tcp| {
        if let Err(error) = tcp.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
    });
    let (stopping, stopped) = oneshot::channel();
    let at_rest = gateway.clone();
    let stop = async move {
        stop.await;
        at_rest.stop();
        // Nobody listens any more where serving has failed.
        let _ = stopping.send(());
    };
    let engine = Arc::clone(gateway.engine());
    let ending = async {
        axum::serve(listener, router(gateway.clone())).with_graceful_shutdown(stop).await?;
        engine.idle().await;
        Ok(())
    };
    let overdue = async {
        if stopped.await.is_err() {
            pending::<()>().await;
        }
        sleep(GRACE).await;
    };
    let tending = Arc::clone(gateway.engine());
    let tending = async move {
        loop {
            sleep(TEND_EVERY).await;
            tending.tend().await;
        }
    };
    let ended: io::Result<()> = tokio::select! {
        ended = ending => ended,
        () = tending => Ok(()),
        () = overdue => {
            tracing::warn!("calls are still under way after {GRACE:?}; the next start charges them");
            Ok(())
        }
    };
    ended?;
    engine.ledger().close().await.map_err(io::Error::other)
}
