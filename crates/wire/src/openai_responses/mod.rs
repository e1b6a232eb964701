//! OpenAI's [responses](https://platform.openai.com/docs/api-reference/responses).

pub(crate) mod answer;
mod item;
pub(crate) mod request;
mod server_tools;
pub(crate) mod stream;

pub(crate) use server_tools::ServerTools;

pub(crate) const PATH: &str = "/responses";
