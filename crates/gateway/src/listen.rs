//! The listener and the orderly end.

use std::future::Future;
use std::io;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;

use crate::app::Gateway;

/// Serves until `stop` resolves; then accepts nothing new, lets what runs come to its end, and
/// returns once every entry is durable.
///
/// # Errors
/// Where the listener fails.
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
    axum::serve(listener, gateway.router()).with_graceful_shutdown(stop).await?;
    gateway.engine().idle().await;
    gateway.engine().ledger().close().await.map_err(io::Error::other)
}
