//! A scripted LLM provider for the demo and the tests: a real HTTP server on loopback that speaks
//! OpenAI's chat completions, responses and embeddings, Anthropic's messages and the Gemini API,
//! whole and streamed.
//!
//! It answers by a [`Script`], reports usage as the provider does, discounts prompts it has seen
//! before, fails on demand ([`Fault`]), and keeps what it was sent ([`Exchange`]). It uses no
//! other crate of Farthing and counts with a tokenizer of its own, so that its [`Usage`] can be
//! held against Farthing's: token for token for OpenAI's models, and for Claude, whose tokenizer
//! is not public, as a stand-in of the right size.
//!
//! It is not a model, and no mock of one function: clients connect to it as to the real thing.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use farthing_fake_provider::{FakeProvider, Fault, Options, Script};
//!
//! let script = Script::from_json(r#"[{ "content": "Hello!" }]"#)?;
//! let provider = FakeProvider::start(Options { script, ..Options::default() }).await?;
//! provider.answer_next_with(Fault::Status(429));
//! // Point a client at `provider.base_url()`, then look at `provider.log()`.
//! assert!(provider.base_url().ends_with("/v1"));
//! // Others are pointed at `provider.anthropic_base_url()` or `provider.gemini_base_url()`.
//! # Ok(())
//! # }
//! ```
//!
//! | module | holds |
//! |---|---|
//! | `server` | the provider's life, and the way of a request through it |
//! | `script`, `answer` | what is said, before it has the shape of a dialect |
//! | `reply` | how a reply is played to the client, at its pace |
//! | `tokenizer`, `cache`, `prefix`, `usage` | what it costs |
//! | `fault`, `log` | what tests set, and what they look at |
//! | `dialect` | which API a request is for |
//! | `openai`, `anthropic`, `gemini` | bytes to a reply, and the rules of counting and of caching |

mod answer;
mod anthropic;
mod cache;
mod dialect;
mod fault;
mod gemini;
mod log;
mod openai;
mod prefix;
mod reply;
mod script;
mod server;
mod tokenizer;
mod usage;

pub use fault::{Fault, UsageFault};
pub use log::Exchange;
pub use script::{Script, ScriptError};
pub use server::{FakeProvider, Options};
pub use usage::Usage;
