//! What was asked and answered, kept for tests to look at.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::http::{HeaderMap, Method, StatusCode, request::Parts};
use bytes::Bytes;

use crate::Usage;

/// Exchanges kept; older ones are forgotten.
const EXCHANGES_MAX: usize = 10_000;
/// Bytes of bodies kept; older exchanges are forgotten.
const BODY_BYTES_MAX: usize = 256 << 20;

/// One request and what became of it.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The method of the request.
    pub method: Method,
    /// Path and query of the request.
    pub path: String,
    /// The headers of the request as they arrived; their names in lower case.
    pub headers: HeaderMap,
    /// The body of the request as it arrived.
    pub body: Bytes,
    /// The status of the answer; `None` before there is one, or where none was sent.
    pub status: Option<u16>,
    /// Whether the answer is a stream.
    pub streamed: bool,
    /// What the exchange is billed, whatever the client was told: all of a whole answer, and of a
    /// stream what was sent.
    pub usage: Option<Usage>,
    /// Events of the stream that were sent, `[DONE]` included.
    pub chunks_sent: u64,
    /// Whether the client left before its answer was complete.
    pub client_left: bool,
}

/// The newest exchanges, and the bill for all there ever were.
#[derive(Debug, Default)]
pub(crate) struct Log(Mutex<Records>);

#[derive(Debug, Default)]
struct Records {
    forgotten: u64,
    exchanges: VecDeque<Exchange>,
    body_bytes: usize,
    billed: Usage,
}

impl Log {
    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        self.records().exchanges.iter().cloned().collect()
    }

    pub(crate) fn billed(&self) -> Usage {
        self.records().billed
    }

    /// Opens the entry of a request whose body has not been read yet.
    pub(crate) fn open(self: &Arc<Self>, request: &Parts) -> Entry {
        let uri = &request.uri;
        let exchange = Exchange {
            method: request.method.clone(),
            path: uri.path_and_query().map_or(uri.path(), |path| path.as_str()).to_owned(),
            headers: request.headers.clone(),
            body: Bytes::new(),
            status: None,
            streamed: false,
            usage: None,
            chunks_sent: 0,
            client_left: false,
        };
        let number = self.records().push(exchange);
        Entry { log: Arc::clone(self), number, is_open: true }
    }

    fn records(&self) -> MutexGuard<'_, Records> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Records {
    fn push(&mut self, exchange: Exchange) -> u64 {
        self.exchanges.push_back(exchange);
        self.forget();
        self.forgotten + self.exchanges.len() as u64 - 1
    }

    fn forget(&mut self) {
        while self.exchanges.len() > EXCHANGES_MAX || self.body_bytes > BODY_BYTES_MAX {
            let Some(oldest) = self.exchanges.pop_front() else { return };
            self.body_bytes -= oldest.body.len();
            self.forgotten += 1;
        }
    }

    fn get_mut(&mut self, number: u64) -> Option<&mut Exchange> {
        let position = number.checked_sub(self.forgotten)?;
        self.exchanges.get_mut(usize::try_from(position).ok()?)
    }
}

/// The exchange that is going on. Dropped before it is closed, the client has left: the server
/// drops what serves a connection as soon as the connection is gone.
#[derive(Debug)]
pub(crate) struct Entry {
    log: Arc<Log>,
    number: u64,
    is_open: bool,
}

impl Entry {
    /// Which request of this server it is, from 0.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn received(&self, body: &Bytes) {
        let mut records = self.log.records();
        if let Some(exchange) = records.get_mut(self.number) {
            exchange.body = body.clone();
            records.body_bytes += body.len();
            records.forget();
        }
    }

    pub(crate) fn answered(&self, status: StatusCode, streamed: bool) {
        self.update(|exchange| {
            exchange.status = Some(status.as_u16());
            exchange.streamed = streamed;
        });
    }

    /// Adds `usage` to what this exchange is billed.
    pub(crate) fn billed(&self, usage: Usage) {
        self.log.records().billed += usage;
        self.update(|exchange| *exchange.usage.get_or_insert_default() += usage);
    }

    pub(crate) fn chunk_sent(&self) {
        self.update(|exchange| exchange.chunks_sent += 1);
    }

    /// Nothing is left to be sent.
    pub(crate) fn close(&mut self) {
        self.is_open = false;
    }

    fn update(&self, change: impl FnOnce(&mut Exchange)) {
        if let Some(exchange) = self.log.records().get_mut(self.number) {
            change(exchange);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if self.is_open {
            self.update(|exchange| exchange.client_left = true);
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn open(log: &Arc<Log>) -> Entry {
        log.open(&Request::new(()).into_parts().0)
    }

    #[test]
    fn the_oldest_exchange_is_forgotten_for_the_newest_but_stays_billed() {
        let log = Arc::new(Log::default());
        let usage = Usage { prompt_tokens: 1, ..Usage::default() };
        let first = open(&log);
        for _ in 0..EXCHANGES_MAX {
            open(&log).billed(usage);
        }
        first.billed(usage);
        let exchanges = log.exchanges();
        assert_eq!(exchanges.len(), EXCHANGES_MAX);
        assert!(exchanges.iter().all(|exchange| exchange.usage == Some(usage)));
        assert_eq!(log.billed().prompt_tokens, 1 + EXCHANGES_MAX as u64);
    }

    #[test]
    fn bodies_are_forgotten_before_they_fill_the_memory() {
        let log = Arc::new(Log::default());
        let body = Bytes::from(vec![0; BODY_BYTES_MAX / 2]);
        for _ in 0..3 {
            open(&log).received(&body);
        }
        assert_eq!(log.exchanges().len(), 2);
        open(&log);
        assert_eq!(log.exchanges().len(), 3);
    }

    #[test]
    fn an_entry_that_is_dropped_open_says_that_the_client_left() {
        let log = Arc::new(Log::default());
        open(&log).close();
        drop(open(&log));
        let left: Vec<_> = log.exchanges().iter().map(|exchange| exchange.client_left).collect();
        assert_eq!(left, [false, true]);
    }
}
