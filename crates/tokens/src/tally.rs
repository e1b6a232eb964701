//! The count of one prompt as it grows.

use farthing_core::anatomy::{Anatomy, ByKind, Method};
use farthing_core::prompt::{JsonStr, Message, Part, Prompt, Role, Span, ToolCall};
use farthing_tokenizer::{Tokenizer, encoding};

use crate::definition::{Definition, definition, kind};
use crate::document;
use crate::family::{Content, Family, Guess, Proven, Rendering, percentage};
use crate::media;
use crate::memo::{Fingerprint, Memo};
use crate::render::{GPT_4, GPT_5, Manner, Namespace, namespace};
use crate::schema::Node;

/// The count of a message, or of all tools: what its bytes and the rules decide alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    /// What is said, or defined.
    said: u64,
    media: u64,
    overhead: i64,
    /// Tokens that may come on top, where something could only be guessed.
    doubt: u64,
    exact: bool,
    /// Whether the model reads what does not stand here.
    hides: bool,
}

/// How sure it is that a model is read by its family's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sure {
    /// Its maker serves it.
    Direct,
    /// Somebody else does, or passes the prompt on.
    Routed,
    /// It is of no known family.
    Unknown,
}

/// The count of one prompt.
pub(crate) struct Tally<'a> {
    family: &'a Family,
    tokenizer: &'static dyn Tokenizer,
    prompt: &'a Prompt,
    memo: Option<&'a Memo<Piece>>,
    /// The last message of a person.
    newest: Option<usize>,
    /// Whether the model has not said anything since.
    unanswered: bool,
    kinds: ByKind,
    overhead: i64,
    doubt: u64,
    exact: bool,
    hides: bool,
    /// Whether somebody else may have put more into the prompt than its provider does.
    routed: bool,
}

/// What a tool must be able to cost for it to bring in more than its definition.
const BRINGS_IN: u32 = 20_000;
/// Tokens that a provider's own instructions may have, in place of none.
const INSTRUCTIONS: u64 = 300;
/// The type of files that have pages.
const PDF: &str = "application/pdf";
/// Members in which a provider seals a thought.
const SEALS: [&str; 2] = ["thoughtSignature", "thought_signature"];

/// What a router may add: per cent of the prompt.
const ROUTED_PERCENT: u32 = 50;

// === impl Piece ===

impl Piece {
    const NOTHING: Self =
        Self { said: 0, media: 0, overhead: 0, doubt: 0, exact: true, hides: false };
}

// === impl Tally ===

impl<'a> Tally<'a> {
    pub(crate) fn new(
        family: &'a Family,
        prompt: &'a Prompt,
        sure: Sure,
        memo: Option<&'a Memo<Piece>>,
    ) -> Self {
        let tokenizer = encoding(family.encoding);
        let exact = sure == Sure::Direct && family.scale.is_none();
        let routed = sure == Sure::Routed;
        let last = |role| prompt.messages.iter().rposition(|message| message.role == role);
        let newest = last(Role::User);
        let unanswered = newest > last(Role::Assistant);
        let (kinds, overhead) = (ByKind::default(), i64::from(family.priming));
        Self {
            family,
            tokenizer,
            prompt,
            memo,
            newest,
            unanswered,
            kinds,
            overhead,
            doubt: 0,
            exact,
            hides: false,
            routed,
        }
    }

    pub(crate) fn add_all(&mut self) {
        let prompt = self.prompt;
        for (index, message) in prompt.messages.iter().enumerate() {
            let recent = Some(index) > self.newest;
            let piece = self
                .remembered(self.print(message, recent), |tally| tally.message(message, recent));
            let said = match message.role {
                Role::System => &mut self.kinds.system,
                Role::Tool => &mut self.kinds.tool_results,
                Role::User if self.unanswered && self.newest == Some(index) => &mut self.kinds.user,
                Role::User | Role::Assistant => &mut self.kinds.history,
            };
            *said = said.saturating_add(piece.said);
            self.add(piece);
        }
        if !self.has_system() {
            self.overhead += i64::from(self.family.without_system);
        }
        if !prompt.tools.is_empty() {
            let piece = self.remembered(self.print_tools(), |tally| tally.tools());
            self.kinds.tools = self.kinds.tools.saturating_add(piece.said);
            self.add(piece);
        }
        self.add_response_format();
        self.add_demands();
    }

    fn add(&mut self, piece: Piece) {
        self.kinds.media = self.kinds.media.saturating_add(piece.media);
        self.overhead = self.overhead.saturating_add(piece.overhead);
        self.doubt = self.doubt.saturating_add(piece.doubt);
        self.exact &= piece.exact;
        self.hides |= piece.hides;
    }

    // === Memory ===

    fn remembered(&self, print: Option<Fingerprint>, count: impl FnOnce(&Self) -> Piece) -> Piece {
        match (self.memo, print) {
            (Some(memo), Some(print)) => memo.get_or(print, || count(self)),
            _ => count(self),
        }
    }

    /// What decides the count of a message: the rules, its bytes, and what they were read as.
    fn print(&self, message: &Message, recent: bool) -> Option<Fingerprint> {
        let bytes = self.prompt.body.get(message.span.clone()).filter(|bytes| !bytes.is_empty())?;
        let place = |span: &Span| {
            let within = message.span.start <= span.start && span.end <= message.span.end;
            let place = span.start.wrapping_sub(message.span.start) as u64;
            within.then_some((place << 32) | (span.len() as u64 & 0xffff_ffff))
        };
        let mut print = self.memo?.fingerprint().bytes(bytes).number(self.rules());
        print = print.number(message.role as u64 * 2 + u64::from(recent));
        for part in &message.parts {
            let (sort, span) = match part {
                Part::Text(text) => (0, &text.0),
                Part::Image(span) => (1, span),
                Part::Thought(span) => (2, span),
                Part::Other(span) => (3, span),
            };
            print = print.number(sort).number(place(span)?);
        }
        for call in &message.tool_calls {
            print = print.number(4).number(place(&call.name.0)?).number(place(&call.arguments.0)?);
        }
        if let Some(name) = &message.name {
            print = print.number(5).number(place(&name.0)?);
        }
        Some(print)
    }

    fn print_tools(&self) -> Option<Fingerprint> {
        let mut print = self.memo?.fingerprint().number(self.rules());
        print = print.number(u64::from(self.has_system()) * 2 + u64::from(self.must_call()));
        for tool in &self.prompt.tools {
            let bytes = self.prompt.body.get(tool.span.clone())?;
            print = print.number(bytes.len() as u64).bytes(bytes);
        }
        Some(print)
    }

    /// Tells the rules of this family from those of others.
    fn rules(&self) -> u64 {
        std::ptr::from_ref(self.family).addr() as u64
    }

    // === Messages ===

    fn message(&self, message: &Message, recent: bool) -> Piece {
        let family = self.family;
        let mut piece = Piece::NOTHING;
        let proven = match message.role {
            Role::System => Proven::System,
            Role::User => Proven::User,
            Role::Assistant => Proven::Assistant,
            Role::Tool => Proven::Calls,
        };
        let frame = self.frame(message);
        let empty = message.parts.is_empty();
        // A provider may put its own instructions in the place of none.
        if message.role == Role::System && says_nothing(message) {
            piece.exact = false;
            piece.doubt += INSTRUCTIONS;
        }
        if message.tool_calls.is_empty() || !family.tools.calls_apart || !empty {
            piece.exact &= self.proven(proven) || empty && !message.tool_calls.is_empty();
            piece.overhead += frame;
        }
        if let Some(name) = &message.name {
            piece.exact &= self.proven(Proven::Name);
            piece.overhead += i64::from(family.per_name);
            piece.overhead += self.literal(&mut piece, name, Content::Text).cast_signed();
        }
        self.calls(&mut piece, &message.tool_calls, frame);
        for part in &message.parts {
            match part {
                Part::Text(text) => {
                    let results = message.role == Role::Tool;
                    let content = if results { Content::Results } else { Content::Text };
                    piece.said += self.literal(&mut piece, text, content);
                }
                Part::Image(span) => self.image(&mut piece, span),
                Part::Thought(span) => self.thought(&mut piece, span, recent),
                Part::Other(span) => self.file(&mut piece, span),
            }
        }
        piece
    }

    /// The tokens around a message.
    fn frame(&self, message: &Message) -> i64 {
        let family = self.family;
        if let Some(empty) = family.per_empty_assistant
            && message.role == Role::Assistant
            && message.tool_calls.is_empty()
            && says_nothing(message)
        {
            return i64::from(empty);
        }
        let by_role = match message.role {
            Role::System => family.per_system_message,
            Role::Assistant => family.per_assistant_message,
            Role::User | Role::Tool => 0,
        };
        i64::from(family.per_message) + i64::from(by_role)
    }

    /// The tokens of tool calls; their framing goes to overhead.
    fn calls(&self, piece: &mut Piece, calls: &[ToolCall], frame: i64) {
        let rules = &self.family.tools;
        let several = calls.len() > 1;
        piece.exact &= calls.is_empty() || self.proven(Proven::Calls) && calls.len() < 3;
        if let Some(once) = rules.wrapped.filter(|_| several) {
            piece.overhead += i64::from(once);
            piece.said += self.tokens(piece, &self.wrapped(calls), Content::Text);
            return;
        }
        piece.exact &= !several;
        for call in calls {
            let apart = if rules.calls_apart { frame } else { 0 };
            piece.overhead += i64::from(rules.per_call) + apart;
            let name = self.prompt.text(&call.name);
            // A call is addressed to `functions.name`, and the dot may be part of a token.
            let dot = if rules.rendering == Rendering::Json { "" } else { "." };
            piece.said += self.tokens(piece, &name, Content::Text);
            piece.said += self.tokens(piece, &format!("{dot}{name}"), Content::Text);
            piece.said += self.literal(piece, &call.arguments, Content::Text);
        }
    }

    /// Several calls as the one that OpenAI's models make of them.
    fn wrapped(&self, calls: &[ToolCall]) -> String {
        let uses = calls.iter().map(|call| {
            let name = self.prompt.text(&call.name);
            let arguments = Node::read(&self.prompt.text(&call.arguments));
            format!(r#"{{"recipient_name":"functions.{name}","parameters":{arguments}}}"#)
        });
        let uses: Vec<String> = uses.collect();
        format!(r#"{{"tool_uses":[{}]}}"#, uses.join(","))
    }

    /// The tokens of a file, or of a part of the provider's own.
    fn file(&self, piece: &mut Piece, span: &Span) {
        let part = self.prompt.raw(span);
        if let Some(text) = document::text(part) {
            piece.exact = false;
            piece.said += self.tokens(piece, &text, Content::Text);
            return;
        }
        let by_type = document::media_type(part)
            .and_then(|media_type| Some((media_type, self.family.known_kind(media_type)?)));
        let Guess { typical, most } = match by_type {
            Some((PDF, page)) => {
                let pages = u32::try_from(document::pages(part)).unwrap_or(u32::MAX);
                Guess { typical: page.typical.saturating_mul(pages), ..page }
            }
            Some((_, file)) => file,
            None => self.family.kind(&kind(part)),
        };
        guess(piece, Guess { typical, most });
        piece.hides |= most >= BRINGS_IN && media::base64(part).is_none();
    }

    fn image(&self, piece: &mut Piece, span: &Span) {
        let rule = &self.family.image;
        let (tokens, by_size) = media::tokens(rule, self.prompt.raw(span));
        piece.hides |= media::base64(self.prompt.raw(span)).is_none();
        piece.exact = false;
        piece.media += tokens;
        if !by_size {
            piece.doubt += u64::from(rule.most).saturating_sub(tokens);
        }
    }

    /// The tokens of a thought; what else it may be goes to doubt. Providers let the model read the
    /// thoughts that led to its latest calls again, and few that are older.
    fn thought(&self, piece: &mut Piece, span: &Span, recent: bool) {
        let rule = self.family.thought;
        let said = rule.spoken.then(|| thought(self.prompt.raw(span))).flatten();
        if let Some(text) = said {
            piece.exact = false;
            piece.said += self.tokens(piece, &text, Content::Text);
            return;
        }
        let bytes = self.prompt.raw(span).len() as u64;
        let bytes = bytes.saturating_sub(u64::from(rule.envelope_bytes));
        let tokens = |per_thousand: u32| bytes.saturating_mul(u64::from(per_thousand)) / 1_000;
        let typical = if recent { tokens(rule.typical) } else { 0 };
        piece.exact = false;
        piece.said += typical;
        piece.doubt += tokens(rule.most).saturating_sub(typical);
    }

    // === Tools and demands ===

    fn tools(&self) -> Piece {
        let rules = &self.family.tools;
        let mut piece = Piece { exact: self.proven(Proven::Tools), ..Piece::NOTHING };
        let forced = if self.must_call() { rules.forced } else { 0 };
        let with_system = if self.has_system() { rules.with_system } else { 0 };
        piece.overhead = i64::from(rules.base) + i64::from(forced) + i64::from(with_system);
        match rules.rendering {
            Rendering::TypeScript => self.declarations(&mut piece, GPT_4),
            Rendering::Harmony => self.declarations(&mut piece, GPT_5),
            Rendering::Json => self.definitions(&mut piece),
        }
        piece
    }

    /// Functions as one text, in doubt as the JSON they came in; and tools of the provider's.
    fn declarations(&self, piece: &mut Piece, manner: Manner) {
        let mut functions = Vec::new();
        for json in self.prompt.tools.iter().map(|tool| self.prompt.raw(&tool.span)) {
            match definition(json) {
                Definition::Function { deferred: false, .. } => functions.push(json),
                Definition::Function { .. } => {
                    piece.exact = false;
                    piece.doubt += self.tokens(piece, json, Content::Tools);
                }
                Definition::Other(kind) => guess_tool(piece, self.family.kind(&kind)),
            }
        }
        if functions.is_empty() {
            return;
        }
        let further = self.further_arrays();
        piece.exact &= further == 0;
        piece.overhead += i64::from(self.family.tools.per_further_array) * further;
        let Namespace { text, is_plain } = namespace(manner, functions.iter().copied());
        let declared = self.tokens(piece, &text, Content::Tools);
        piece.said += declared;
        piece.exact &= is_plain;
        if !piece.exact {
            let sent: u64 =
                functions.iter().map(|json| self.tokens(piece, json, Content::Tools)).sum();
            piece.doubt += sent.saturating_sub(declared);
        }
    }

    /// How many arrays beyond the first one the tools come in.
    fn further_arrays(&self) -> i64 {
        let neighbours = self.prompt.tools.array_windows();
        let apart = neighbours.filter(|[left, right]| {
            let between = self.prompt.body.get(left.span.end..right.span.start).unwrap_or_default();
            between.iter().any(|byte| *byte != b',' && !byte.is_ascii_whitespace())
                || right.span.start < left.span.end
        });
        i64::try_from(apart.count()).unwrap_or(i64::MAX)
    }

    /// Tools as the JSON of each.
    fn definitions(&self, piece: &mut Piece) {
        for tool in &self.prompt.tools {
            match definition(self.prompt.raw(&tool.span)) {
                Definition::Function { json, with_parameters, deferred } => {
                    let tokens = self.function(piece, &json, with_parameters);
                    *if deferred { &mut piece.doubt } else { &mut piece.said } += tokens;
                }
                Definition::Other(kind) => guess_tool(piece, self.family.kind(&kind)),
            }
        }
    }

    /// The tokens of one function with its framing; what a provider may write out goes to doubt.
    fn function(&self, piece: &mut Piece, json: &str, with_parameters: bool) -> u64 {
        let rules = &self.family.tools;
        let tokens = self.tokens(piece, json, Content::Tools);
        if rules.references {
            let references = json.matches("$ref").count() as u64;
            piece.doubt = piece.doubt.saturating_add(tokens.saturating_mul(references));
        }
        let per_parameters = if with_parameters { rules.per_parameters } else { 0 };
        tokens.saturating_add_signed(i64::from(rules.per_function) + i64::from(per_parameters))
    }

    fn add_response_format(&mut self) {
        let Some(format) = &self.prompt.response_format else { return };
        self.exact = false;
        let rule = self.family.response_format;
        let raw = self.prompt.raw(format);
        let schema = self.tokenizer.count(raw);
        let counted = if rule.bare { self.tokenizer.count(&bare_format(raw)) } else { schema };
        self.kinds.tools += percentage(counted, rule.schema);
        self.overhead += i64::from(rule.once);
        self.doubt += schema.saturating_sub(counted);
    }

    fn add_demands(&mut self) {
        if self.prompt.demands.thinking {
            self.overhead += i64::from(self.family.thinking);
        }
        self.exact &= !self.prompt.demands.compaction;
        if self.prompt.unseen {
            let Guess { typical, most } = self.family.unseen;
            (self.exact, self.hides) = (false, true);
            self.kinds.history += u64::from(typical);
            self.doubt += u64::from(most.saturating_sub(typical));
        }
    }

    // === Texts ===

    fn literal(&self, piece: &mut Piece, literal: &JsonStr, content: Content) -> u64 {
        self.tokens(piece, &self.prompt.text(literal), content)
    }

    fn tokens(&self, piece: &mut Piece, text: &str, content: Content) -> u64 {
        let count = self.tokenizer.count(text);
        let Some(scale) = self.family.scale else { return count };
        piece.doubt += text.chars().filter(|c| !c.is_ascii()).count() as u64;
        scale.apply(count, content)
    }

    fn has_system(&self) -> bool {
        self.prompt.messages.iter().any(|message| message.role == Role::System)
    }

    fn must_call(&self) -> bool {
        self.prompt.demands.tool_call
    }

    /// Whether the family's rule for this part is proven.
    fn proven(&self, part: Proven) -> bool {
        self.family.proven.contains(&part)
    }

    /// Whether all that the model will read stands in the request.
    pub(crate) fn shows_all(&self) -> bool {
        !self.hides
    }

    pub(crate) fn anatomy(mut self) -> Anatomy {
        self.kinds.overhead = u64::try_from(self.overhead).unwrap_or_default();
        let total = self.kinds.total();
        if self.exact {
            return Anatomy { by_kind: self.kinds, method: Method::Exact, upper_bound: total };
        }
        let margin = &self.family.margin;
        let doubtful = total.saturating_add(self.doubt);
        let percent = margin.percent.max(if self.routed { ROUTED_PERCENT } else { 0 });
        let band = doubtful.saturating_mul(u64::from(percent)).div_ceil(100);
        let upper_bound = doubtful.saturating_add(band).saturating_add(u64::from(margin.tokens));
        Anatomy { by_kind: self.kinds, method: Method::Estimated, upper_bound }
    }
}

/// Whether all of a message is text, and that is empty.
fn says_nothing(message: &Message) -> bool {
    message.parts.iter().all(|part| matches!(part, Part::Text(text) if text.0.len() < 3))
}

fn guess(piece: &mut Piece, Guess { typical, most }: Guess) {
    piece.exact = false;
    piece.media += u64::from(typical);
    piece.doubt += u64::from(most.saturating_sub(typical));
}

fn guess_tool(piece: &mut Piece, Guess { typical, most }: Guess) {
    piece.exact = false;
    piece.said += u64::from(typical);
    piece.doubt += u64::from(most.saturating_sub(typical));
    piece.hides |= most >= BRINGS_IN;
}

/// What was thought, where the part says it and no seal stands for it.
fn thought(json: &str) -> Option<String> {
    let part = Node::read(json);
    let is_sealed = SEALS.iter().any(|name| part.get(name).is_some());
    part.get("text").filter(|_| !is_sealed)?.as_str().map(str::to_owned)
}

/// The name of an answer's format, and its schema without what strictness implies of any.
fn bare_format(json: &str) -> String {
    let format = Node::read(json);
    let format = format.get("json_schema").unwrap_or(&format);
    let name = format.get("name").and_then(Node::as_str).unwrap_or_default();
    let mut schema = format.get("schema").unwrap_or(format).clone();
    schema.remove(&["additionalProperties", "required"]);
    format!("{name}\n\n{schema}")
}
