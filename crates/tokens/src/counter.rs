//! Prompt to anatomy.

use std::sync::Arc;

use farthing_core::anatomy::{Anatomy, ByKind, Method};
use farthing_core::prompt::{JsonStr, Message, Part, Prompt, Role, Span, ToolCall};
use farthing_tokenizer::{Tokenizer, encoding};

use crate::definition::{Definition, definition, kind};
use crate::render::{Namespace, namespace};
use crate::rules::{Content, Family, Guess, Proven, Rendering, Rules, RulesError, percentage};

/// Counts the tokens of prompts and replies. Immutable; a clone shares its rules.
#[derive(Clone, Debug)]
pub struct Counter {
    rules: Arc<Rules>,
}

// === impl Counter ===

impl Counter {
    /// A counter by these rules.
    pub fn new(rules: Rules) -> Self {
        Self { rules: Arc::new(rules) }
    }

    /// A counter by the rules that come with this crate.
    ///
    /// # Errors
    /// As of [`Rules::embedded`].
    pub fn embedded() -> Result<Self, RulesError> {
        Rules::embedded().map(Self::new)
    }

    /// The tokens that `model` will read in `prompt`, by kind.
    ///
    /// Exact for text-only messages of families whose rules are proven. A bound on an estimate takes
    /// tool definitions as the JSON they came in where that is longer, media and what the provider's
    /// own tools bring in at the most that is known of them, a token more for each character beyond
    /// ASCII where the vocabulary is not at hand, and the family's margin on top of all.
    pub fn count(&self, model: &str, prompt: &Prompt) -> Anatomy {
        let known = self.rules.family(model);
        let family = known.unwrap_or(self.rules.fallback());
        let mut tally = Tally::new(family, prompt, known.is_some());
        for (index, message) in prompt.messages.iter().enumerate() {
            tally.add_message(index, message);
        }
        tally.add_tools();
        tally.add_response_format();
        tally.add_demands();
        tally.anatomy()
    }

    /// The tokens of a text by itself, such as a reply's; exact where the model's vocabulary is
    /// known. What a model writes unseen (its reasoning) is not in the text.
    pub fn count_text(&self, model: &str, text: &str) -> (u64, Method) {
        let known = self.rules.family(model);
        let family = known.unwrap_or(self.rules.fallback());
        let count = encoding(family.encoding).count(text);
        match family.scale {
            Some(scale) => (scale.apply(count, Content::Text), Method::Estimated),
            None if known.is_some() => (count, Method::Exact),
            None => (count, Method::Estimated),
        }
    }
}

/// The count of one prompt as it grows.
struct Tally<'a> {
    family: &'a Family,
    tokenizer: &'static dyn Tokenizer,
    prompt: &'a Prompt,
    /// The last message of a person.
    newest: Option<usize>,
    /// Whether the model has not said anything since.
    unanswered: bool,
    kinds: ByKind,
    /// Tokens that may come on top, where something could only be guessed.
    doubt: u64,
    exact: bool,
}

// === impl Tally ===

impl<'a> Tally<'a> {
    fn new(family: &'a Family, prompt: &'a Prompt, known: bool) -> Self {
        let kinds = ByKind { overhead: u64::from(family.priming), ..ByKind::default() };
        let tokenizer = encoding(family.encoding);
        let exact = known && family.scale.is_none();
        let last = |role| prompt.messages.iter().rposition(|message| message.role == role);
        let newest = last(Role::User);
        let unanswered = newest > last(Role::Assistant);
        Self { family, tokenizer, prompt, newest, unanswered, kinds, doubt: 0, exact }
    }

    fn add_message(&mut self, index: usize, message: &Message) {
        let family = self.family;
        let (by_role, proven) = match message.role {
            Role::System => (family.per_system_message, Some(Proven::System)),
            Role::User => (0, Some(Proven::User)),
            Role::Assistant => (family.per_assistant_message, Some(Proven::Assistant)),
            Role::Tool => (0, None),
        };
        self.require(proven);
        self.kinds.overhead += u64::from(family.per_message) + u64::from(by_role);
        if let Some(name) = &message.name {
            self.require(Some(Proven::Name));
            self.kinds.overhead += u64::from(family.per_name) + self.literal(name, Content::Text);
        }

        let mut spoken = self.calls(&message.tool_calls);
        for part in &message.parts {
            match part {
                Part::Text(text) if message.role == Role::Tool => {
                    spoken += self.literal(text, Content::Results);
                }
                Part::Text(text) => spoken += self.literal(text, Content::Text),
                Part::Image(_) => self.add_guess(family.image),
                Part::Thought(span) => spoken += self.thought(span, Some(index) > self.newest),
                Part::Other(span) => self.add_guess(family.kind(&kind(self.prompt.raw(span)))),
            }
        }
        *match message.role {
            Role::System => &mut self.kinds.system,
            Role::Tool => &mut self.kinds.tool_results,
            Role::User if self.unanswered && self.newest == Some(index) => &mut self.kinds.user,
            Role::User | Role::Assistant => &mut self.kinds.history,
        } += spoken;
    }

    /// The tokens of tool calls; their framing goes to overhead.
    fn calls(&mut self, calls: &[ToolCall]) -> u64 {
        let rules = &self.family.tools;
        let parallel = if calls.len() > 1 { rules.per_parallel_call } else { 0 };
        let mut spoken = 0;
        for call in calls {
            self.exact = false;
            self.kinds.overhead += u64::from(rules.per_call) + u64::from(parallel);
            spoken += 2 * self.literal(&call.name, Content::Text);
            spoken += self.literal(&call.arguments, Content::Text);
        }
        spoken
    }

    /// The tokens of a thought; what else it may be goes to doubt. Providers let the model read the
    /// thoughts that led to its latest calls again, and few that are older.
    fn thought(&mut self, span: &Span, recent: bool) -> u64 {
        self.exact = false;
        let rule = self.family.thought;
        let bytes = self.prompt.raw(span).len() as u64;
        let bytes = bytes.saturating_sub(u64::from(rule.envelope_bytes));
        let tokens = |per_thousand: u32| bytes.saturating_mul(u64::from(per_thousand)) / 1_000;
        let typical = if recent { tokens(rule.typical) } else { 0 };
        self.doubt += tokens(rule.most).saturating_sub(typical);
        typical
    }

    fn add_tools(&mut self) {
        let Self { family, prompt, .. } = *self;
        if prompt.tools.is_empty() {
            return;
        }
        self.exact = false;
        let rules = &family.tools;
        let system = prompt.messages.iter().any(|message| message.role == Role::System);
        let forced = if prompt.demands.tool_call { i64::from(rules.forced) } else { 0 };
        let with_system = if system { i64::from(rules.with_system) } else { 0 };
        self.add_overhead(i64::from(rules.base) + forced + with_system);
        match rules.rendering {
            Rendering::TypeScript => self.add_declarations(),
            Rendering::Json => self.add_definitions(),
        }
    }

    /// Tools as one text; in doubt, as the JSON they came in.
    fn add_declarations(&mut self) {
        let definitions = self.prompt.tools.iter().map(|tool| self.prompt.raw(&tool.span));
        let Namespace { text, with_parameters } = namespace(definitions.clone());
        let framing = i64::from(self.family.tools.per_parameters).saturating_mul(with_parameters);
        self.kinds.tools = self.tokens(&text, Content::Tools).saturating_add_signed(framing);
        let as_sent: u64 = definitions.map(|json| self.tokens(json, Content::Tools)).sum();
        self.doubt += as_sent.saturating_sub(self.kinds.tools);
    }

    /// Tools as the JSON of each.
    fn add_definitions(&mut self) {
        for tool in &self.prompt.tools {
            match definition(self.prompt.raw(&tool.span)) {
                Definition::Function { json, with_parameters, deferred } => {
                    let tokens = self.function(&json, with_parameters);
                    *if deferred { &mut self.doubt } else { &mut self.kinds.tools } += tokens;
                }
                Definition::Other(kind) => {
                    let Guess { typical, most } = self.family.kind(&kind);
                    self.kinds.tools += u64::from(typical);
                    self.doubt += u64::from(most.saturating_sub(typical));
                }
            }
        }
    }

    /// The tokens of one function with its framing; what a provider may write out goes to doubt.
    fn function(&mut self, json: &str, with_parameters: bool) -> u64 {
        let rules = &self.family.tools;
        let tokens = self.tokens(json, Content::Tools);
        if rules.references {
            let references = json.matches("$ref").count() as u64;
            self.doubt = self.doubt.saturating_add(tokens.saturating_mul(references));
        }
        let per_parameters = if with_parameters { rules.per_parameters } else { 0 };
        tokens.saturating_add_signed(i64::from(rules.per_function) + i64::from(per_parameters))
    }

    fn add_response_format(&mut self) {
        if let Some(format) = &self.prompt.response_format {
            self.exact = false;
            let rule = self.family.response_format;
            let schema = self.tokenizer.count(self.prompt.raw(format));
            self.kinds.tools += percentage(schema, rule.schema);
            self.kinds.overhead += u64::from(rule.once);
        }
    }

    fn add_demands(&mut self) {
        if self.prompt.demands.thinking {
            self.kinds.overhead += u64::from(self.family.thinking);
        }
    }

    fn add_guess(&mut self, guess: Guess) {
        self.exact = false;
        self.kinds.media += u64::from(guess.typical);
        self.doubt += u64::from(guess.most.saturating_sub(guess.typical));
    }

    fn add_overhead(&mut self, tokens: i64) {
        self.kinds.overhead = self.kinds.overhead.saturating_add_signed(tokens);
    }

    fn literal(&mut self, literal: &JsonStr, content: Content) -> u64 {
        let prompt = self.prompt;
        self.tokens(&prompt.text(literal), content)
    }

    fn tokens(&mut self, text: &str, content: Content) -> u64 {
        let count = self.tokenizer.count(text);
        let Some(scale) = self.family.scale else { return count };
        self.doubt += text.chars().filter(|c| !c.is_ascii()).count() as u64;
        scale.apply(count, content)
    }

    /// Leaves the count exact only if the family's rule for this part is proven.
    fn require(&mut self, part: Option<Proven>) {
        self.exact &= part.is_some_and(|part| self.family.proven.contains(&part));
    }

    fn anatomy(self) -> Anatomy {
        let total = self.kinds.total();
        if self.exact {
            return Anatomy { by_kind: self.kinds, method: Method::Exact, upper_bound: total };
        }
        let margin = &self.family.margin;
        let doubtful = total.saturating_add(self.doubt);
        let band = doubtful.saturating_mul(u64::from(margin.percent)).div_ceil(100);
        let upper_bound = doubtful.saturating_add(band).saturating_add(u64::from(margin.tokens));
        Anatomy { by_kind: self.kinds, method: Method::Estimated, upper_bound }
    }
}

#[cfg(test)]
mod tests;
