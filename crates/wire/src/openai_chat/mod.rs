//! OpenAI's [chat completions](https://platform.openai.com/docs/api-reference/chat), as OpenAI and
//! the many providers that follow it speak them.

pub(crate) mod answer;
mod message;
pub(crate) mod request;
pub(crate) mod stream;

pub(crate) const PATH: &str = "/chat/completions";
