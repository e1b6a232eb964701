//! Dialects: bytes to values and back, byte for byte.
//!
//! A [`Dialect`] reads a [`Request`] from a body, an [`Answer`] from another, and a
//! [`StreamReader`] from a stream while it passes; it words an [error](ErrorBody) as its clients
//! know it. What was not changed is never written anew: requests are edited by byte ranges, streams
//! pass as they come.
//!
//! Nothing here does I/O or waits; there are no HTTP types, no prices, and no counting of tokens.
//!
//! | module | holds |
//! |---|---|
//! | `dialect` | [`Dialect`], which sends each question to its folder |
//! | `request`, `answer`, `stream`, `error` | the values that all dialects share |
//! | `openai_chat` | OpenAI's chat completions |
//! | `openai_responses` | OpenAI's responses |
//! | `openai_embeddings` | OpenAI's embeddings |
//! | `openai` | what OpenAI's APIs have in common |
//! | `anthropic` | Anthropic's messages |
//! | `gemini` | Google's Gemini API |
//! | `flavor`, `payload` | [`Flavor`], for answers of other APIs too, and what logs keep of them |
//! | `bedrock`, `cohere` | answers of Amazon Bedrock's Converse, and of Cohere's API |
//! | `terms` | putting a shorter answer or another model into a request |
//! | `fields`, `usage` | what the reading of requests, and of usage, has in common |
//! | [`splice`] | changing byte ranges of a body and nothing else |
//! | `json` | walking JSON without building trees |
//! | `sse`, `elements` | where the frames of a stream end, or the elements of one that is an array |

mod answer;
mod anthropic;
mod bedrock;
mod cohere;
mod dialect;
mod elements;
mod error;
mod fields;
mod flavor;
mod gemini;
mod json;
mod openai;
mod openai_chat;
mod openai_embeddings;
mod openai_responses;
mod payload;
mod request;
pub mod splice;
mod sse;
mod stream;
mod terms;
mod tool_use;
mod usage;

pub use answer::{Answer, AnswerError, ModelUsage, Reported};
pub use dialect::{Dialect, InvalidDialect};
pub use error::{ErrorBody, ErrorKind};
pub use flavor::{Flavor, UnknownFlavor};
pub use gemini::{Method as GeminiMethod, Target as GeminiTarget};
pub use payload::Payload;
pub use request::{Labels, MAX_ELEMENTS, MAX_TAGS, Outgoing, Request, RequestError};
pub use stream::{FRAME_BYTES_MAX, StreamReader, TEXT_BYTES_MAX};
pub use tool_use::ToolUse;
