//! An answer as a stream of events. Their order:
//! <https://docs.claude.com/en/docs/build-with-claude/streaming>.

use serde::Serialize;
use serde_json::Map;

use super::{
    message::{Block, Head, Message, stop_reason},
    usage::Report,
};
use crate::{
    Usage, UsageFault,
    answer::{Answer, Call},
    reply::{Frame, Reply, to_json},
    tokenizer::Piece,
};

/// What the first event says was written. As with Anthropic it means nothing: the last one counts.
const OUTPUT_TOKENS_AT_START: u64 = 1;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event<'a> {
    MessageStart {
        message: Message<'a>,
    },
    ContentBlockStart {
        index: usize,
        content_block: Block<'a>,
    },
    Ping,
    ContentBlockDelta {
        index: usize,
        delta: Delta<'a>,
    },
    ContentBlockStop {
        index: usize,
    },
    MessageDelta {
        delta: Stop,
        #[serde(skip_serializing_if = "Option::is_none")]
        usage: Option<Report>,
    },
    MessageStop,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Delta<'a> {
    TextDelta { text: &'a str },
    InputJsonDelta { partial_json: &'a str },
}

#[derive(Serialize)]
struct Stop {
    stop_reason: &'static str,
    stop_sequence: (),
    stop_details: (),
}

/// The stream of all of `answer`.
pub(super) fn stream(
    head: &Head<'_>,
    answer: &Answer,
    prompt: Usage,
    fault: Option<UsageFault>,
) -> Reply {
    let mut total = prompt;
    total += answer.usage();
    let mut writer = Writer { frames: Vec::new(), blocks: 0, owed: prompt };
    writer.owed.completion_tokens += answer.reasoning_tokens;
    writer.owed.reasoning_tokens += answer.reasoning_tokens;
    let start = Usage { completion_tokens: OUTPUT_TOKENS_AT_START, ..prompt };
    let message = Message::opening(head, Report::of(start, fault));
    writer.event(&Event::MessageStart { message });
    if let Some(pieces) = &answer.content {
        writer.text(pieces);
    }
    for call in &answer.tool_calls {
        writer.tool_use(call);
    }
    let stop_reason = stop_reason(answer.finish);
    let delta = Stop { stop_reason, stop_sequence: (), stop_details: () };
    writer.event(&Event::MessageDelta { delta, usage: Report::of_stream_end(total, fault) });
    writer.event(&Event::MessageStop);
    Reply::events(writer.frames)
}

struct Writer {
    frames: Vec<Frame>,
    /// Blocks that were begun.
    blocks: usize,
    /// What the next event is billed.
    owed: Usage,
}

impl Writer {
    fn text(&mut self, pieces: &[Piece]) {
        let index = self.start(Block::Text { text: String::new() });
        for Piece { text, tokens } in pieces {
            self.owed.completion_tokens += tokens;
            self.event(&Event::ContentBlockDelta { index, delta: Delta::TextDelta { text } });
        }
        self.event(&Event::ContentBlockStop { index });
    }

    fn tool_use(&mut self, call: &Call) {
        self.owed.completion_tokens += call.name_tokens;
        let Call { id, name, .. } = call;
        let index = self.start(Block::ToolUse { id, name, input: Map::new() });
        self.input(index, "");
        for Piece { text, tokens } in &call.arguments {
            self.owed.completion_tokens += tokens;
            self.input(index, text);
        }
        self.event(&Event::ContentBlockStop { index });
    }

    fn input(&mut self, index: usize, partial_json: &str) {
        let delta = Delta::InputJsonDelta { partial_json };
        self.event(&Event::ContentBlockDelta { index, delta });
    }

    /// Begins a block, and says where it stands.
    fn start(&mut self, content_block: Block<'_>) -> usize {
        let index = self.blocks;
        self.blocks += 1;
        self.event(&Event::ContentBlockStart { index, content_block });
        if index == 0 {
            self.event(&Event::Ping);
        }
        index
    }

    fn event(&mut self, event: &Event<'_>) {
        let (name, json) = (event.name(), to_json(event));
        let data = [b"event: ", name.as_bytes(), b"\ndata: ", json.as_ref(), b"\n\n"].concat();
        self.frames.push(Frame { data: data.into(), usage: std::mem::take(&mut self.owed) });
    }
}

impl Event<'_> {
    fn name(&self) -> &'static str {
        match self {
            Self::MessageStart { .. } => "message_start",
            Self::ContentBlockStart { .. } => "content_block_start",
            Self::Ping => "ping",
            Self::ContentBlockDelta { .. } => "content_block_delta",
            Self::ContentBlockStop { .. } => "content_block_stop",
            Self::MessageDelta { .. } => "message_delta",
            Self::MessageStop => "message_stop",
        }
    }
}
