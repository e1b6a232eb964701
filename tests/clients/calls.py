"""A plain and a streamed call with each library, against the address that is given.

Prints a JSON array of what the calls came to: the tokens of prompt and answer as the library gives
them, or the name of its error.
"""

import json
import sys

import anthropic
import openai

ADDRESS = sys.argv[1]
ASKED = [{"role": "user", "content": "Say something short."}]
OPENAI = {"model": "gpt-4.1", "max_completion_tokens": 50, "messages": ASKED}
ANTHROPIC = {"model": "claude-sonnet-4-6", "max_tokens": 50, "messages": ASKED}

completions = openai.OpenAI(api_key="sk-test-client-key", base_url=f"{ADDRESS}/v1").chat.completions
messages = anthropic.Anthropic(api_key="sk-test-client-key", base_url=ADDRESS).messages


def openai_plain():
    usage = completions.create(**OPENAI).usage
    return usage.prompt_tokens, usage.completion_tokens


def openai_streamed():
    chunks = completions.create(**OPENAI, stream=True, stream_options={"include_usage": True})
    *_, last = chunks
    return last.usage.prompt_tokens, last.usage.completion_tokens


def anthropic_plain():
    usage = messages.create(**ANTHROPIC).usage
    return usage.input_tokens, usage.output_tokens


def anthropic_streamed():
    with messages.stream(**ANTHROPIC) as stream:
        usage = stream.get_final_message().usage
    return usage.input_tokens, usage.output_tokens


def outcome(call):
    try:
        return call()
    except (openai.APIError, anthropic.APIError) as error:
        return type(error).__name__


CALLS = [openai_plain, openai_streamed, anthropic_plain, anthropic_streamed]
print(json.dumps([outcome(call) for call in CALLS]))
