"""Calls with each library, plain, streamed and with a tool, against the address that is given.

Prints a JSON array of what the calls came to, a list for each: the tokens of prompt and answer as
the library gives them, for each request that it made; or the name of its error.
"""

import json
import os
import sys

ADDRESS = sys.argv[1]
KEY = "sk-test-client-key"
os.environ["OPENAI_BASE_URL"] = f"{ADDRESS}/v1"
os.environ["OPENAI_API_KEY"] = KEY
os.environ["OPENAI_AGENTS_DISABLE_TRACING"] = "1"

import agents
import anthropic
import openai
from google import genai
from google.genai import errors

SAY = "Say something short."
ASKED = [{"role": "user", "content": SAY}]
OPENAI = {"model": "gpt-4.1", "max_completion_tokens": 50, "messages": ASKED}
RESPONSES = {"model": "gpt-4.1", "max_output_tokens": 50, "input": SAY}
ANTHROPIC = {"model": "claude-sonnet-4-6", "max_tokens": 50, "messages": ASKED}
GEMINI = {"model": "gemini-2.5-flash", "contents": SAY}
SHORT = {"max_output_tokens": 50}

openai_client = openai.OpenAI()
completions, responses = openai_client.chat.completions, openai_client.responses
messages = anthropic.Anthropic(api_key=KEY, base_url=ADDRESS).messages
google = genai.Client(api_key=KEY, http_options={"base_url": ADDRESS})


def weather() -> str:
    """Tells the weather."""
    return "It rains."


def of_chat(usage):
    return usage.prompt_tokens, usage.completion_tokens


def of_other(usage):
    return usage.input_tokens, usage.output_tokens


def of_gemini(usage):
    return usage.prompt_token_count, usage.candidates_token_count


def openai_plain():
    return [of_chat(completions.create(**OPENAI).usage)]


def openai_streamed():
    chunks = completions.create(**OPENAI, stream=True, stream_options={"include_usage": True})
    *_, last = chunks
    return [of_chat(last.usage)]


def responses_plain():
    return [of_other(responses.create(**RESPONSES).usage)]


def responses_streamed():
    with responses.stream(**RESPONSES) as stream:
        return [of_other(stream.get_final_response().usage)]


def embeddings():
    answer = openai_client.embeddings.create(model="text-embedding-3-small", input=[SAY, "More."])
    assert [len(it.embedding) for it in answer.data] == [1536, 1536]
    return [(answer.usage.prompt_tokens, 0)]


def agent_with_tool():
    agent = agents.Agent(name="a", model="gpt-4.1", tools=[agents.function_tool(weather)])
    result = agents.Runner.run_sync(agent, "How is the weather?")
    assert result.final_output == "It rains indeed."
    return [of_other(it.usage) for it in result.raw_responses]


def anthropic_plain():
    return [of_other(messages.create(**ANTHROPIC).usage)]


def anthropic_streamed():
    with messages.stream(**ANTHROPIC) as stream:
        return [of_other(stream.get_final_message().usage)]


def anthropic_tool():
    tools = [{"name": "weather", "input_schema": {"type": "object", "properties": {}}}]
    message = messages.create(**ANTHROPIC, tools=tools)
    assert message.stop_reason == "tool_use"
    return [of_other(message.usage)]


def gemini_plain():
    return [of_gemini(google.models.generate_content(**GEMINI, config=SHORT).usage_metadata)]


def gemini_streamed():
    *_, last = google.models.generate_content_stream(**GEMINI, config=SHORT)
    return [of_gemini(last.usage_metadata)]


def gemini_tool():
    config = {"tools": [{"function_declarations": [{"name": "weather"}]}]}
    answer = google.models.generate_content(**GEMINI, config=config)
    assert answer.function_calls[0].name == "weather"
    return [of_gemini(answer.usage_metadata)]


def outcome(call):
    try:
        return call()
    except (openai.APIError, anthropic.APIError, errors.APIError) as error:
        return type(error).__name__


CALLS = [
    openai_plain,
    openai_streamed,
    responses_plain,
    responses_streamed,
    embeddings,
    agent_with_tool,
    anthropic_plain,
    anthropic_streamed,
    anthropic_tool,
    gemini_plain,
    gemini_streamed,
    gemini_tool,
]
print(json.dumps([outcome(call) for call in CALLS]))
