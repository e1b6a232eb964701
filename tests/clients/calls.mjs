// A plain and a streamed call of each API, against the address that is given, with OpenAI's and
// Anthropic's libraries for JavaScript.
//
// Prints a JSON array of what the calls came to: the tokens of prompt and answer as the library
// gives them, or the name of its error.

import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";

const address = process.argv[2];
const messages = [{ role: "user", content: "Say something short." }];
const openai = new OpenAI({ apiKey: "sk-test-client-key", baseURL: `${address}/v1` });
const anthropic = new Anthropic({ apiKey: "sk-test-client-key", baseURL: address });

const chat = { model: "gpt-4.1", max_completion_tokens: 50, messages };
const response = { model: "gpt-4.1", max_output_tokens: 50, input: "Say something short." };
const message = { model: "claude-sonnet-4-6", max_tokens: 50, messages };
const tools = [
  { type: "function", name: "weather", strict: false, parameters: { type: "object", properties: {} } },
];

async function last(stream) {
  let last;
  for await (const it of stream) last = it;
  return last;
}

const ofChat = ({ usage }) => [usage.prompt_tokens, usage.completion_tokens];
const ofOther = ({ usage }) => [usage.input_tokens, usage.output_tokens];

const calls = [
  async () => ofChat(await openai.chat.completions.create(chat)),
  async () => {
    const options = { stream: true, stream_options: { include_usage: true } };
    return ofChat(await last(await openai.chat.completions.create({ ...chat, ...options })));
  },
  async () => ofOther(await openai.responses.create(response)),
  async () => {
    const stream = await openai.responses.create({ ...response, stream: true });
    return ofOther((await last(stream)).response);
  },
  async () => {
    const stream = openai.responses.stream({ ...response, tools });
    const final = await stream.finalResponse();
    const call = final.output.find((item) => item.type === "function_call");
    if (call?.name !== "weather") throw new Error(JSON.stringify(final.output));
    return ofOther(final);
  },
  async () => ofOther(await anthropic.messages.create(message)),
  async () => ofOther(await anthropic.messages.stream(message).finalMessage()),
];

const outcomes = [];
for (const call of calls) {
  outcomes.push(await call().catch((error) => error.constructor.name));
}
console.log(JSON.stringify(outcomes));
