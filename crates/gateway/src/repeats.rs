//! Requests that may be repeats: those with an `Idempotency-Key`.
//!
//! The first with a key is carried out. A repeat waits while it runs, and is given the answer that
//! was kept: it is never a second call, nor a second charge. That holds across a crash: the key is
//! taken, durably, before the provider is asked.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use farthing_core::entry::Who;
use farthing_core::id::RequestId;
use farthing_core::scope::Scope;
use farthing_engine::client::{Client, channel};
use farthing_engine::{Answering, Ask, Engine, Head};
use farthing_ledger::answer::Status;
use farthing_ledger::vault::{ItemId, Kept, Kind, Owner, Vault};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::rejection::Reason;

/// How long an answer is kept, and its key is taken.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(24);

/// How long the recorder waits for a client that does not read.
const PATIENCE: Duration = Duration::from_secs(60);

/// The longest key.
const KEY_MAX: usize = 255;

/// Which requests with keys are under way, and where answers are kept.
#[derive(Debug)]
pub(crate) struct Repeats {
    vault: Vault,
    /// Bounded by the number of calls that may be under way.
    running: Arc<Mutex<Running>>,
}

type Running = HashMap<[u8; 32], watch::Receiver<()>>;

/// What a key stands for.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Label {
    request: RequestId,
    /// Tells whether a repeat asks for the same.
    fingerprint: String,
}

/// The beginning of an answer, as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct KeptHead {
    status: u16,
    headers: Vec<(String, String)>,
}

/// Whose turn it is.
pub(crate) enum Turn {
    /// This request's: it is the first with its key.
    First(First),
    /// Nobody's: this is the answer.
    Kept(axum::response::Response),
}

/// The right to carry out the request that a key stands for. Others wait until it is dropped.
pub(crate) struct First {
    vault: Vault,
    id: ItemId,
    _running: Place,
}

/// A place among the keys under way.
struct Place {
    running: Arc<Mutex<Running>>,
    id: [u8; 32],
    /// Dropped with the place, which wakes those who wait.
    _done: watch::Sender<()>,
}

// === impl Repeats ===

impl Repeats {
    pub(crate) fn new(vault: Vault) -> Repeats {
        Repeats { vault, running: Arc::default() }
    }

    /// Finds out whether a request repeats another, waiting while that runs.
    pub(crate) async fn turn(
        &self,
        engine: &Engine,
        who: &Who,
        key: &HeaderValue,
        ask: &Ask,
        number: RequestId,
    ) -> Result<Turn, Reason> {
        let key = key.to_str().ok().filter(|key| (1..=KEY_MAX).contains(&key.len()));
        let key = key.ok_or(Reason::InvalidKey { longest: KEY_MAX })?;
        let owner = Owner { tenant: who.tenant.clone(), user: who.user.clone() };
        let id = self.vault.id(&owner, Kind::Answer, key);
        let label = Label { request: number, fingerprint: fingerprint(ask) };
        loop {
            let place = match self.begin(&id) {
                Ok(place) => place,
                Err(mut other) => {
                    // It ends in an error when the other has ended, which is what is waited for.
                    let _ = other.changed().await;
                    continue;
                }
            };
            let now = engine.now();
            let until = now.saturating_add(KEPT_FOR).unwrap_or(now);
            let bytes = serde_json::to_vec(&label).unwrap_or_default();
            let Some(kept) = self.vault.claim(id.clone(), bytes, until, now).await? else {
                return Ok(Turn::First(First { vault: self.vault.clone(), id, _running: place }));
            };
            if let Some(answer) = recall(engine, who, &label, kept).await? {
                return Ok(Turn::Kept(answer));
            }
            self.vault.release(id.clone()).await?;
        }
    }

    fn begin(&self, id: &ItemId) -> Result<Place, watch::Receiver<()>> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let id = id.bytes();
        if let Some(other) = running.get(&id) {
            return Err(other.clone());
        }
        let (done, other) = watch::channel(());
        running.insert(id, other);
        Ok(Place { running: Arc::clone(&self.running), id, _done: done })
    }
}

/// The answer that an earlier request was given; `None` where it was given none and nothing was
/// charged for it, so that it may be tried again.
async fn recall(
    engine: &Engine,
    who: &Who,
    label: &Label,
    kept: Kept,
) -> Result<Option<axum::response::Response>, Reason> {
    let earlier: Label = serde_json::from_slice(&kept.label).map_err(|_| Reason::Vanished)?;
    let request = earlier.request;
    if earlier.fingerprint != label.fingerprint {
        return Err(Reason::OtherRequest { request });
    }
    if let Some(content) = kept.content {
        return replay(&content, request).map(Some).ok_or(Reason::Vanished);
    }
    let ledger = engine.ledger();
    // What ended a moment ago may not be recorded yet; a store that fails says so below.
    let _ = ledger.flush().await;
    let scope = Scope::user(who.tenant.clone(), who.user.clone());
    let recorded = ledger.request(scope, request).await?;
    let attempts = recorded.map(|detail| detail.attempts).unwrap_or_default();
    match attempts.iter().all(|attempt| attempt.status == Status::Voided) {
        true => Ok(None),
        false => Err(Reason::NotKept { request }),
    }
}

/// A kept answer, as it was given.
fn replay(content: &[u8], request: RequestId) -> Option<axum::response::Response> {
    let split = content.iter().position(|byte| *byte == b'\n')?;
    let (head, body) = content.split_at_checked(split)?;
    let head: KeptHead = serde_json::from_slice(head).ok()?;
    let mut response = Response::new(Body::from(Bytes::copy_from_slice(body.get(1..)?)));
    *response.status_mut() = StatusCode::from_u16(head.status).ok()?;
    for (name, value) in head.headers {
        let name = HeaderName::try_from(name).ok()?;
        response.headers_mut().append(name, HeaderValue::try_from(value).ok()?);
    }
    let headers = response.headers_mut();
    headers.insert("x-farthing-request-id", HeaderValue::try_from(request.to_string()).ok()?);
    headers.insert("x-farthing-replayed", HeaderValue::from_static("true"));
    Some(response)
}

fn fingerprint(ask: &Ask) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(ask.endpoint.as_bytes()).update(&[0]).update(&ask.request.prompt.body);
    hasher.finalize().to_hex().to_string()
}

// === impl First ===

impl First {
    /// Hands an answer on, and keeps it. It is read to its end though its reader may go: a repeat
    /// will ask for it.
    pub(crate) fn record(self, answering: Answering) -> Answering {
        let (client, copy) = channel();
        tokio::spawn(self.hand_on(answering, client));
        copy
    }

    async fn hand_on(self, answering: Answering, mut client: Client) {
        let Answering { head, mut chunks } = answering;
        let head = match head.await {
            Ok(Ok(head)) => head,
            Ok(Err(failure)) => return client.fail(failure),
            // The call vanished; so does its copy.
            Err(_) => return,
        };
        let mut kept = self.begin(&head);
        let is_streamed = head.body.is_none();
        if let Some(body) = &head.body {
            self.keep(&mut kept, body);
        }
        client.head(head);
        let mut is_read = true;
        while is_streamed && (is_read || kept.is_some()) {
            match poll_fn(|cx| chunks.poll_next(cx)).await {
                None => {
                    client.whole();
                    break;
                }
                Some(Err(_)) => return,
                Some(Ok(piece)) => {
                    self.keep(&mut kept, &piece);
                    is_read = is_read && client.chunk(piece, PATIENCE).await.is_ok();
                }
            }
        }
        if let Some(kept) = kept
            && let Err(error) = self.vault.put(self.id.clone(), kept).await
        {
            tracing::warn!("an answer was not kept for repeats of its request: {error}");
        }
    }

    /// The beginning of what is kept; nothing for an answer that is none.
    fn begin(&self, head: &Head) -> Option<Vec<u8>> {
        let text = |(name, value): (&HeaderName, &HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        let status = head.status.as_u16();
        let headers = head.headers.iter().filter_map(text).collect();
        let mut kept = serde_json::to_vec(&KeptHead { status, headers }).ok()?;
        kept.push(b'\n');
        head.status.is_success().then_some(kept)
    }

    fn keep(&self, kept: &mut Option<Vec<u8>>, piece: &[u8]) {
        if let Some(bytes) = kept {
            bytes.extend_from_slice(piece);
        }
        if kept.as_ref().is_some_and(|bytes| bytes.len() > self.vault.longest()) {
            *kept = None;
        }
    }
}

// === impl Place ===

impl Drop for Place {
    fn drop(&mut self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.remove(&self.id);
    }
}

/// The key of a request, where it has one.
pub(crate) fn key(headers: &HeaderMap) -> Option<&HeaderValue> {
    headers.get("idempotency-key")
}
