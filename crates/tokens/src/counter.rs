//! Prompt to anatomy.

use std::sync::Arc;

use farthing_core::anatomy::{Anatomy, ByKind, Method};
use farthing_core::prompt::{JsonStr, Message, Part, Prompt, Role, ToolCall};
use farthing_tokenizer::{Tokenizer, encoding};

use crate::render::{Namespace, namespace};
use crate::rules::{Family, Guess, Proven, Rules, RulesError};

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
    /// tool definitions as the JSON they came in where that is longer, media at the most that the
    /// provider documents, and the family's margin on top of all.
    pub fn count(&self, model: &str, prompt: &Prompt) -> Anatomy {
        let known = self.rules.family(model);
        let family = known.unwrap_or(self.rules.fallback());
        let mut tally = Tally::new(family, prompt, known.is_some());
        let newest = newest_user_message(&prompt.messages);
        for (index, message) in prompt.messages.iter().enumerate() {
            tally.add_message(message, newest == Some(index));
        }
        tally.add_tools();
        tally.add_response_format();
        tally.anatomy()
    }

    /// The tokens of a text by itself, such as a reply's; exact where the model's vocabulary is
    /// known. What a model writes unseen (its reasoning) is not in the text.
    pub fn count_text(&self, model: &str, text: &str) -> (u64, Method) {
        let known = self.rules.family(model);
        let family = known.unwrap_or(self.rules.fallback());
        let method = if known.is_some() { Method::Exact } else { Method::Estimated };
        (encoding(family.encoding).count(text), method)
    }
}

/// The last message of a person, unless the model has answered it.
fn newest_user_message(messages: &[Message]) -> Option<usize> {
    let mut latest_first = messages.iter().enumerate().rev();
    let (index, message) =
        latest_first.find(|(_, message)| matches!(message.role, Role::User | Role::Assistant))?;
    (message.role == Role::User).then_some(index)
}

/// The count of one prompt as it grows.
struct Tally<'a> {
    family: &'a Family,
    tokenizer: &'static dyn Tokenizer,
    prompt: &'a Prompt,
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
        Self { family, tokenizer, prompt, kinds, doubt: 0, exact: known }
    }

    fn add_message(&mut self, message: &Message, newest: bool) {
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
            self.kinds.overhead += u64::from(family.per_name) + self.literal(name);
        }

        let mut spoken = self.calls(&message.tool_calls);
        for part in &message.parts {
            match part {
                Part::Text(text) => spoken += self.literal(text),
                Part::Image(_) => self.add_guess(&family.image),
                Part::Other(_) => self.add_guess(&family.other),
            }
        }
        *match message.role {
            Role::System => &mut self.kinds.system,
            Role::Tool => &mut self.kinds.tool_results,
            Role::User if newest => &mut self.kinds.user,
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
            spoken += 2 * self.literal(&call.name) + self.literal(&call.arguments);
        }
        spoken
    }

    fn add_tools(&mut self) {
        let Self { family, prompt, .. } = *self;
        if prompt.tools.is_empty() {
            return;
        }
        self.exact = false;
        let rules = &family.tools;
        let system = prompt.messages.iter().any(|message| message.role == Role::System);
        let once = i64::from(rules.base) + if system { i64::from(rules.with_system) } else { 0 };
        self.kinds.overhead = self.kinds.overhead.saturating_add_signed(once);

        let definitions = || prompt.tools.iter().map(|tool| prompt.raw(&tool.span));
        let Namespace { text, with_parameters } = namespace(definitions());
        let framing = i64::from(rules.per_parameters).saturating_mul(with_parameters);
        self.kinds.tools = self.tokenizer.count(&text).saturating_add_signed(framing);
        let as_sent: u64 = definitions().map(|json| self.tokenizer.count(json)).sum();
        self.doubt += as_sent.saturating_sub(self.kinds.tools);
    }

    fn add_response_format(&mut self) {
        if let Some(format) = &self.prompt.response_format {
            self.exact = false;
            self.kinds.tools += self.tokenizer.count(self.prompt.raw(format));
        }
    }

    fn add_guess(&mut self, guess: &Guess) {
        self.exact = false;
        self.kinds.media += u64::from(guess.typical);
        self.doubt += u64::from(guess.most.saturating_sub(guess.typical));
    }

    fn literal(&self, literal: &JsonStr) -> u64 {
        self.tokenizer.count(&self.prompt.text(literal))
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
