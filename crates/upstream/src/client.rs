//! The pooled client.

use std::pin::Pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use farthing_core::id::ProviderId;
use http::{HeaderMap, StatusCode};
use reqwest::RequestBuilder;
use thiserror::Error;
use tokio::time::{Sleep, sleep, timeout};

use crate::deployment::Deployment;
use crate::error::{CallError, Stage};
use crate::headers;

/// How long to wait for a provider.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// From the request to the answer's head.
    pub first_byte: Duration,
    /// Between two pieces of an answer.
    pub idle: Duration,
    /// For a whole call.
    pub call: Duration,
}

/// Calls providers over pooled connections. Copies share the pool.
#[derive(Clone, Debug)]
pub struct Upstream {
    client: reqwest::Client,
    timeouts: Timeouts,
}

/// The head of a provider's answer, with its body still to come.
#[derive(Debug)]
pub struct Answer {
    /// The provider's status.
    pub status: StatusCode,
    /// The headers that the client may see.
    pub headers: HeaderMap,
    /// What follows.
    pub body: Body,
}

/// The body of an answer, as it comes. Dropping it closes the connection.
#[derive(Debug)]
pub struct Body {
    provider: ProviderId,
    response: reqwest::Response,
    idle: Duration,
    /// When the call has taken too long.
    end: Pin<Box<Sleep>>,
    /// What was read ahead.
    ahead: Option<Bytes>,
}

/// No client can be made on this machine.
#[derive(Debug, Error)]
#[error("cannot set up calls to providers: {0}; check the machine's certificates")]
pub struct SetupError(#[from] reqwest::Error);

// === impl Upstream ===

impl Upstream {
    /// A client with an empty pool.
    ///
    /// # Errors
    /// [`SetupError`] where the machine's root certificates cannot be used.
    pub fn new(timeouts: Timeouts) -> Result<Upstream, SetupError> {
        // Someone else in the process may have chosen a provider of cryptography; theirs serves.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            // Another address than the configured one is never asked.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tcp_nodelay(true)
            .connect_timeout(timeouts.connect)
            .build()?;
        Ok(Upstream { client, timeouts })
    }

    /// Posts a body to a deployment's endpoint and waits for the answer's head.
    ///
    /// # Errors
    /// [`CallError`], whose stage says whether anything can have been billed. A refusal by the
    /// provider is no error here, it is an answer.
    pub async fn post(
        &self,
        deployment: &Deployment,
        endpoint: &str,
        client: &HeaderMap,
        body: Bytes,
    ) -> Result<Answer, CallError> {
        let request = self.client.post(deployment.url(endpoint)).body(body);
        self.send(deployment, client, request).await
    }

    /// Gets something of a deployment that costs nothing.
    ///
    /// # Errors
    /// [`CallError`] as for [`Upstream::post`].
    pub async fn get(
        &self,
        deployment: &Deployment,
        endpoint: &str,
        client: &HeaderMap,
    ) -> Result<Answer, CallError> {
        self.send(deployment, client, self.client.get(deployment.url(endpoint))).await
    }

    async fn send(
        &self,
        deployment: &Deployment,
        client: &HeaderMap,
        request: RequestBuilder,
    ) -> Result<Answer, CallError> {
        let failed =
            |stage, reason| CallError { provider: deployment.provider.clone(), stage, reason };
        let end = Box::pin(sleep(self.timeouts.call));
        let request = request.headers(headers::to_provider(client, deployment)).send();
        let response = match timeout(self.timeouts.first_byte, request).await {
            Err(_) => {
                let waited = format!("nothing came for {:?}", self.timeouts.first_byte);
                return Err(failed(Stage::FirstByte, waited));
            }
            Ok(Err(error)) if error.is_connect() => {
                return Err(failed(Stage::Connect, root_cause(&error)));
            }
            Ok(Err(error)) => return Err(failed(Stage::Broken, root_cause(&error))),
            Ok(Ok(response)) => response,
        };
        Ok(Answer {
            status: response.status(),
            headers: headers::to_client(response.headers()),
            body: Body {
                provider: deployment.provider.clone(),
                response,
                idle: self.timeouts.idle,
                end,
                ahead: None,
            },
        })
    }
}

// === impl Body ===

impl Body {
    /// The next piece, as it came; `None` at the end.
    ///
    /// # Errors
    /// [`CallError`] where the connection breaks or nothing comes in time.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, CallError> {
        if let Some(ahead) = self.ahead.take() {
            return Ok(Some(ahead));
        }
        let chunk = tokio::select! {
            chunk = timeout(self.idle, self.response.chunk()) => chunk,
            () = &mut self.end => {
                return Err(self.failed(Stage::TooLate, "the time for a call is over".to_owned()));
            }
        };
        match chunk {
            Ok(Ok(chunk)) => Ok(chunk),
            Ok(Err(error)) => Err(self.failed(Stage::Broken, root_cause(&error))),
            Err(_) => Err(self.failed(Stage::Idle, format!("nothing came for {:?}", self.idle))),
        }
    }

    /// All that is left, up to `limit` bytes.
    ///
    /// # Errors
    /// [`CallError`] as for [`Body::chunk`], or where the body is longer.
    pub async fn collect(&mut self, limit: usize) -> Result<Bytes, CallError> {
        let mut all = BytesMut::new();
        while let Some(chunk) = self.chunk().await? {
            if all.len().saturating_add(chunk.len()) > limit {
                return Err(self.failed(Stage::TooLong, format!("more than {limit} bytes")));
            }
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }

    /// Reads the rest ahead, up to `limit` bytes, to look at it; it is given again as if it had just
    /// come.
    ///
    /// # Errors
    /// [`CallError`] as for [`Body::collect`].
    pub async fn peek(&mut self, limit: usize) -> Result<&[u8], CallError> {
        let rest = self.collect(limit).await?;
        Ok(self.ahead.insert(rest))
    }

    fn failed(&self, stage: Stage, reason: String) -> CallError {
        CallError { provider: self.provider.clone(), stage, reason }
    }
}

/// The innermost reason: what the system said. The outer ones repeat the address.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
