//! `GET /api/v1/events`: a user's live events, as server-sent events or over a WebSocket.
//!
//! Both give the same: what was missed since a cursor, then what comes. A listener that is slow does
//! not make anybody wait, nor does it lose anything: what it has not read waits in the ledger.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, Response, header};
use axum::response::IntoResponse;
use farthing_core::id::{TenantId, UserId};
use farthing_core::identity::Permission;
use farthing_engine::live::ag_ui;
use farthing_engine::live::subscription::{Cursor, Filter, Next, Opening, Subscription};
use futures_util::{SinkExt, StreamExt, stream};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, interval_at, timeout};

use crate::api::{Parameters, parameters, parsed};
use crate::caller;
use crate::problem::Problem;
use crate::state::Gateway;

/// So often a listener hears that the other side is there. One that is silent for two is dropped.
const PING_EVERY: Duration = Duration::from_secs(10);

/// A listener that takes longer for a frame is too slow.
const SEND_TIMEOUT: Duration = Duration::from_secs(20);

/// The longest message of a listener: it only says where to resume.
const MESSAGE_BYTES_MAX: usize = 1_024;

/// Close codes.
const TOO_SLOW: u16 = 4_008;
const BAD_MESSAGE: u16 = 4_400;
const GOING_AWAY: u16 = 1_012;

/// The parameters of a subscription.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventsQuery {
    user: Option<String>,
    after: Option<String>,
    thread: Option<String>,
    run: Option<String>,
    agent: Option<String>,
    format: Option<String>,
}

/// How events are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Farthing,
    AgUi,
}

/// What a listener asks for.
struct Wish {
    tenant: TenantId,
    user: UserId,
    filter: Filter,
    after: Option<Cursor>,
    format: Format,
}

/// What is said to a listener.
enum Said {
    /// An event: its place, and its frames.
    Event(u64, Vec<String>),
    /// Something that is no event.
    Control(String),
}

/// A listener's events, and its place among the listeners.
struct Listener {
    gateway: Gateway,
    subscription: Subscription,
    format: Format,
    /// Said before anything else.
    opening: Option<Opening>,
    _place: OwnedSemaphorePermit,
}

/// `GET /api/v1/events`.
///
/// # Errors
/// [`Problem`] where a parameter cannot be used, too many listen, or the ledger cannot be read.
pub async fn events(
    State(gateway): State<Gateway>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    headers: HeaderMap,
    query: Parameters<EventsQuery>,
) -> Result<axum::response::Response, Problem> {
    let wish = wish(&gateway, parameters(query)?, &headers)?;
    let place = gateway.listener().map_err(Problem::overloaded)?;
    let listener = Listener::open(gateway, wish, place).await?;
    Ok(match upgrade {
        Ok(upgrade) => upgrade
            .max_message_size(MESSAGE_BYTES_MAX)
            .on_upgrade(|socket| listener.over_socket(socket))
            .into_response(),
        Err(_) => listener.into_stream(),
    })
}

fn wish(gateway: &Gateway, query: EventsQuery, headers: &HeaderMap) -> Result<Wish, Problem> {
    let caller = caller::of_api(gateway, headers, Permission::Read)?;
    let who = caller.who(parsed("user", query.user.as_deref())?)?;
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let format = match query.format.as_deref() {
        None | Some("farthing") => Format::Farthing,
        Some("ag-ui") => Format::AgUi,
        Some(other) => {
            let reason = format!("`{other}` is no format; send `farthing` or `ag-ui`");
            return Err(Problem::invalid_parameter("format", reason));
        }
    };
    Ok(Wish {
        tenant: who.tenant,
        user: who.user,
        filter: Filter {
            thread: parsed("thread", query.thread.as_deref())?,
            run: parsed("run", query.run.as_deref())?,
            agent: parsed("agent", query.agent.as_deref())?,
        },
        after: parsed("after", query.after.as_deref().or(last))?,
        format,
    })
}

// === impl Listener ===

impl Listener {
    async fn open(
        gateway: Gateway,
        wish: Wish,
        place: OwnedSemaphorePermit,
    ) -> Result<Listener, Problem> {
        let Wish { tenant, user, filter, after, format } = wish;
        let ledger = gateway.engine().ledger().clone();
        let opened = Subscription::open(&ledger, tenant, user, filter, after).await;
        let (opening, subscription) = opened.map_err(Problem::unavailable)?;
        Ok(Listener { gateway, subscription, format, opening: Some(opening), _place: place })
    }

    /// What is to be said next; `None` once there is nothing more.
    async fn next(&mut self) -> Option<Said> {
        if let Some(opening) = self.opening.take() {
            // A listener that begins now has missed nothing.
            return Some(Said::Control(match opening {
                Opening::Live => self.control("caught_up"),
                opening => serde_json::to_string(&opening).unwrap_or_default(),
            }));
        }
        match self.subscription.next().await {
            Ok(Next::Event(seq, event)) => {
                let epoch = self.subscription.cursor().epoch;
                Some(Said::Event(
                    seq,
                    match self.format {
                        Format::Farthing => vec![event.frame(seq, &epoch)],
                        Format::AgUi => ag_ui::frames(&event, seq, &epoch),
                    },
                ))
            }
            Ok(Next::CaughtUp) => Some(Said::Control(self.control("caught_up"))),
            Ok(Next::Ended) => None,
            Err(error) => {
                tracing::warn!("events cannot be read: {error}");
                None
            }
        }
    }

    fn control(&self, kind: &str) -> String {
        json!({ "type": kind, "cursor": self.subscription.cursor().to_string() }).to_string()
    }

    /// As server-sent events: the id of each is the cursor, so that browsers resume by themselves.
    fn into_stream(self) -> axum::response::Response {
        let ping = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        let frames = stream::unfold((self, ping), |(mut listener, mut ping)| async move {
            let gateway = listener.gateway.clone();
            let text = tokio::select! {
                () = gateway.stopping() => return None,
                said = listener.next() => listener.as_text(&said?),
                _ = ping.tick() => ": ping\n\n".to_owned(),
            };
            Some((Ok::<_, Infallible>(Bytes::from(text)), (listener, ping)))
        });
        let headers =
            [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
        let mut response = Response::new(Body::from_stream(frames));
        for (name, value) in headers {
            response.headers_mut().insert(name, header::HeaderValue::from_static(value));
        }
        response
    }

    fn as_text(&self, said: &Said) -> String {
        match said {
            Said::Control(text) => format!("event: control\ndata: {text}\n\n"),
            Said::Event(seq, frames) => {
                let cursor = Cursor { seq: *seq, ..self.subscription.cursor() };
                let frame = |frame: &String| format!("id: {cursor}\ndata: {frame}\n\n");
                frames.iter().map(frame).collect()
            }
        }
    }

    async fn over_socket(mut self, socket: WebSocket) {
        let (mut out, mut from) = socket.split();
        let mut ping = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        let mut silent = 0;
        let stopping = self.gateway.clone();
        let stopping = stopping.stopping();
        tokio::pin!(stopping);
        let (code, reason) = loop {
            let messages = tokio::select! {
                () = &mut stopping => break (GOING_AWAY, "Farthing is restarting"),
                said = self.next() => match said {
                    None => break (GOING_AWAY, "there is nothing more"),
                    Some(Said::Control(text)) => vec![text],
                    Some(Said::Event(_, frames)) => frames,
                },
                message = from.next() => {
                    silent = 0;
                    match message {
                        Some(Ok(Message::Text(text))) => match self.resume(&text).await {
                            Ok(()) => continue,
                            Err(reason) => break (BAD_MESSAGE, reason),
                        },
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                        Some(Ok(Message::Binary(_))) => break (BAD_MESSAGE, "send text"),
                        Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                    }
                }
                _ = ping.tick() => {
                    silent += 1;
                    if silent > 2 {
                        return;
                    }
                    let ping = out.send(Message::Ping(Bytes::new()));
                    if !matches!(timeout(SEND_TIMEOUT, ping).await, Ok(Ok(()))) {
                        return;
                    }
                    continue;
                }
            };
            let messages = messages.into_iter().map(|text| Ok(Message::Text(text.into())));
            match timeout(SEND_TIMEOUT, out.send_all(&mut stream::iter(messages))).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return,
                Err(_) => break (TOO_SLOW, "too slow"),
            }
        };
        let reason = format!("{reason}; resume after {}", self.subscription.cursor());
        let close = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
        let _ = timeout(SEND_TIMEOUT, out.send(close)).await;
    }

    /// `{"type":"resume","after":"epoch:seq"}`: begins anew from there.
    async fn resume(&mut self, text: &str) -> Result<(), &'static str> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Resume {
            #[serde(rename = "type")]
            kind: String,
            after: String,
        }
        let asked: Resume =
            serde_json::from_str(text).map_err(|_| "not a message that is known")?;
        if asked.kind != "resume" {
            return Err("the only message is resume");
        }
        let after: Cursor = asked.after.parse().map_err(|_| "not a cursor")?;
        let resumed = self.subscription.resume(after).await;
        self.opening = Some(resumed.map_err(|_| "events cannot be read now")?);
        Ok(())
    }
}
