//! The five events as the AG-UI protocol names them, with what they cost as `metadata`.

use farthing_core::event::{Event, EventType};
use serde_json::{Value, json};

/// The frames of an event, in order, each a JSON object.
pub fn frames(event: &Event, seq: u64, epoch: &str) -> Vec<String> {
    let types: &[&str] = match event.kind {
        EventType::AgentStarted => &["RUN_STARTED"],
        EventType::AgentThinking => &["REASONING_START", "REASONING_END"],
        EventType::ToolExecuting => &["TOOL_CALL_START"],
        EventType::ToolCompleted => &["TOOL_CALL_END", "TOOL_CALL_RESULT"],
        EventType::AgentCompleted => &["RUN_FINISHED"],
    };
    let last = types.len().saturating_sub(1);
    let frame = |(position, kind): (usize, &&str)| {
        let mut frame = of_kind(kind, event);
        frame["type"] = json!(kind);
        frame["timestamp"] = json!(event.ts.as_millisecond());
        if position == last {
            frame["metadata"] = json!({
                "seq": seq, "epoch": epoch, "agent": event.agent, "usage": event.usage,
                "cost": event.cost, "budget": event.budget, "run_total": event.run_total,
            });
        }
        frame.to_string()
    };
    types.iter().enumerate().map(frame).collect()
}

/// What a type has of its own.
fn of_kind(kind: &str, event: &Event) -> Value {
    let Event { thread_id, run_id, id, data, .. } = event;
    match kind {
        "RUN_STARTED" => {
            json!({ "threadId": thread_id, "runId": run_id, "parentRunId": event.parent_run_id })
        }
        "RUN_FINISHED" => {
            json!({ "threadId": thread_id, "runId": run_id, "result": { "status": data.status } })
        }
        "TOOL_CALL_START" => {
            json!({ "toolCallId": data.tool_call_id, "toolCallName": data.tool })
        }
        "TOOL_CALL_END" => json!({ "toolCallId": data.tool_call_id }),
        "TOOL_CALL_RESULT" => json!({
            "messageId": id, "toolCallId": data.tool_call_id, "role": "tool",
            "content": data.status,
        }),
        _ => json!({ "messageId": id }),
    }
}
