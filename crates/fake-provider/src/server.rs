//! The server: its life, and the way of a request through it.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    num::NonZeroUsize,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRequest, Request, State},
    http::{Method, StatusCode, request::Parts},
    response::Response,
    serve::ListenerExt,
};
use bytes::Bytes;
use tokio::{net::TcpListener, sync::oneshot};

use crate::{
    Exchange, Fault, Script, Usage, UsageFault,
    cache::PromptCache,
    dialect::Dialect,
    fault::Faults,
    log::Log,
    reply::{Pace, Reply, response},
};

/// The longest body that is accepted.
const BODY_BYTES_MAX: usize = 64 << 20;
/// How long a hanging answer holds its connection.
const HANG: Duration = Duration::from_secs(60);

/// How a provider is to behave; by default it answers at once, from an empty script.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What it answers.
    pub script: Script,
    /// Time before the first event of a stream.
    pub first_token: Duration,
    /// Time between two events of a stream. A whole answer takes as long as its stream would.
    pub between_chunks: Duration,
    /// The port on 127.0.0.1, or 0 for one that is free.
    pub port: u16,
    /// Sends streams in pieces of so many bytes, wherever that cuts an event or a character; by
    /// default an event at a time.
    pub piece_bytes: Option<NonZeroUsize>,
    /// Refuses OpenAI requests with `stream_options`, as some servers do that do not know it.
    pub refuses_stream_options: bool,
}

/// A provider that serves on 127.0.0.1 until it is dropped. Answers under way are then completed.
#[derive(Debug)]
pub struct FakeProvider {
    address: SocketAddr,
    server: Arc<Server>,
    _stop_on_drop: oneshot::Sender<()>,
}

/// What all requests share.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) script: Script,
    pub(crate) cache: Mutex<PromptCache>,
    pub(crate) refuses_stream_options: bool,
    piece_bytes: Option<NonZeroUsize>,
    pace: Pace,
    faults: Faults,
    log: Arc<Log>,
}

impl FakeProvider {
    /// Starts to serve, in a task of the current runtime.
    ///
    /// # Errors
    ///
    /// The port cannot be bound.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let address = listener.local_addr()?;
        let Options {
            script,
            first_token,
            between_chunks,
            piece_bytes,
            port: _,
            refuses_stream_options,
        } = options;
        let server = Arc::new(Server {
            script,
            refuses_stream_options,
            piece_bytes,
            cache: Mutex::default(),
            pace: Pace { first_token, between_chunks },
            faults: Faults::default(),
            log: Arc::default(),
        });
        let router = Router::new()
            .fallback(serve)
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .with_state(Arc::clone(&server));
        let listener = listener.tap_io(|connection| {
            if let Err(error) = connection.set_nodelay(true) {
                tracing::warn!(%error, "chunks may be sent late");
            }
        });
        let (stop_on_drop, stopped) = oneshot::channel::<()>();
        let serving = axum::serve(listener, router).with_graceful_shutdown(async {
            let _dropped = stopped.await;
        });
        tokio::spawn(serving.into_future());
        Ok(Self { address, server, _stop_on_drop: stop_on_drop })
    }

    /// Where the API is, as a client of OpenAI is told it: `http://127.0.0.1:PORT/v1`.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Where the API is, as a client of Anthropic is told it: `http://127.0.0.1:PORT`.
    pub fn anthropic_base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where the Gemini API is, its version included: `http://127.0.0.1:PORT/v1beta`.
    pub fn gemini_base_url(&self) -> String {
        format!("http://{}/v1beta", self.address)
    }

    /// The newest 10,000 exchanges, oldest first; fewer if their bodies exceed 256 MiB.
    pub fn log(&self) -> Vec<Exchange> {
        self.server.log.exchanges()
    }

    /// What all exchanges so far are billed together, those no longer in the log included.
    pub fn billed(&self) -> Usage {
        self.server.log.billed()
    }

    /// Makes the next POST that no other fault waits for fail as `fault` says. At most 1,000
    /// faults wait; more are dropped, with a warning.
    pub fn answer_next_with(&self, fault: Fault) {
        self.server.faults.push(fault);
    }
}

/// A request that was read to its end.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) head: Parts,
    pub(crate) body: Bytes,
    /// Which request of this server it is, from 0.
    pub(crate) number: u64,
    pub(crate) fault: Option<Fault>,
}

impl Received {
    /// What is to be wrong with the usage that is reported.
    pub(crate) fn usage_fault(&self) -> Option<UsageFault> {
        match self.fault {
            Some(Fault::Usage(fault)) => Some(fault),
            _ => None,
        }
    }
}

async fn serve(State(server): State<Arc<Server>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let entry = server.log.open(&head);
    let (pace, piece_bytes) = (server.pace, server.piece_bytes);
    let dialect = Dialect::of(&head);
    let whole = Request::from_parts(head.clone(), body);
    let reply = match Bytes::from_request(whole, &()).await {
        Ok(body) => {
            entry.received(&body);
            let fault = if head.method == Method::POST { server.faults.take() } else { None };
            let received = Received { head, body, number: entry.number(), fault };
            answer(server, dialect, received).await
        }
        Err(rejection) => dialect.failure(rejection.status(), entry.number()),
    };
    let reply = match piece_bytes {
        None => reply,
        Some(length) => reply.in_pieces(length),
    };
    reply.play(pace, entry).await
}

async fn answer(server: Arc<Server>, dialect: Dialect, received: Received) -> Reply {
    let Received { fault, number, .. } = received;
    match fault {
        Some(Fault::Status(status)) => return dialect.failure(error_status(status), number),
        Some(Fault::RetryAfter { status, seconds }) => {
            return dialect.failure(error_status(status), number).retry_after(seconds);
        }
        Some(Fault::Html(status)) => return page(status),
        Some(Fault::MalformedJson) => return half_json(dialect.half_answer()),
        Some(Fault::CloseBeforeAnswer) => return Reply::Close,
        Some(Fault::Hang) => {
            tokio::time::sleep(HANG).await;
            return Reply::Close;
        }
        Some(Fault::DelayedAnswer(pause)) => tokio::time::sleep(pause).await,
        Some(Fault::CutMidStream { .. } | Fault::ErrorInStream { .. } | Fault::Usage(_)) | None => {
        }
    }
    // Counting a long prompt takes too long for a thread that serves connections.
    let answering = tokio::task::spawn_blocking(move || dialect.answer(&server, &received));
    let reply = answering.await.unwrap_or(Reply::Close);
    match fault {
        Some(Fault::CutMidStream { chunks }) => reply.cut_after(chunks),
        Some(Fault::ErrorInStream { chunks }) => reply.fail_after(chunks, dialect.error_event()),
        _ => reply,
    }
}

fn error_status(status: u16) -> StatusCode {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let is_error = status.is_client_error() || status.is_server_error();
    if is_error { status } else { StatusCode::INTERNAL_SERVER_ERROR }
}

fn page(status: u16) -> Reply {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = "<!doctype html>\n<title>Welcome</title>\n<p>Please sign in to the network.\n";
    Reply::free(response(status, "text/html; charset=utf-8", body.into()))
}

fn half_json(body: &'static str) -> Reply {
    Reply::free(response(StatusCode::OK, "application/json", body.into()))
}
