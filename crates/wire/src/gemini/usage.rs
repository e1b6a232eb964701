//! `usageMetadata`: from counters and lists by modality to disjoint buckets.
//!
//! | member | is |
//! |---|---|
//! | `promptTokenCount` | the prompt, cached content included |
//! | `cachedContentTokenCount` | what of it came from the cache |
//! | `toolUsePromptTokenCount` | what the provider's own tools added to the prompt; not in it |
//! | `candidatesTokenCount` | the answer without thinking |
//! | `thoughtsTokenCount` | thinking |
//! | `totalTokenCount` | the prompt, what tools added, the answer and thinking |
//! | `…TokensDetails` | lists by modality. They may be shorter or longer than their counter, which wins: what they leave is text |
//!
//! A count that is left out is zero.

use farthing_core::usage::{Bucket, Usage};

use crate::answer::Reported;
use crate::json::{Json, pick};
use crate::usage::{self, agreed, count};

const COUNTERS: [&str; 5] = [
    "promptTokenCount",
    "cachedContentTokenCount",
    "toolUsePromptTokenCount",
    "candidatesTokenCount",
    "thoughtsTokenCount",
];

/// What is not text.
#[derive(Clone, Copy, Debug, Default)]
struct Media {
    audio: u64,
    image: u64,
    video: u64,
}

/// Reads a `usageMetadata`; `of_answer` where the answer has ended.
pub(super) fn reported(metadata: Option<Json>, of_answer: bool) -> Reported {
    // What only says how it was served says nothing of tokens.
    let metadata =
        metadata.filter(|metadata| metadata.members().next().is_none() || says_anything(*metadata));
    usage::reported(metadata, |metadata| {
        let usage = read(metadata)?;
        Ok(match agreed(usage) {
            Reported::Valid(usage) if !of_answer && usage.completion() == 0 => {
                Reported::PromptOnly(usage)
            }
            reported => reported,
        })
    })
}

fn says_anything(metadata: Json) -> bool {
    metadata.kind() != crate::json::Kind::Object
        || metadata.pick(COUNTERS).iter().any(Option::is_some)
        || metadata.pick(["totalTokenCount"])[0].is_some()
}

fn read(metadata: Json) -> Result<Usage, String> {
    let mut counts = [0; COUNTERS.len()];
    for (counter, name) in counts.iter_mut().zip(COUNTERS) {
        *counter = count(Some(metadata), name)?.unwrap_or(0);
    }
    let [prompt, cached, tools, said, thought] = counts;
    let sum = prompt + tools + said + thought;
    if let Some(total) = count(Some(metadata), "totalTokenCount")?
        && total != sum
    {
        return Err(format!("totalTokenCount is {total}, but the counts add up to {sum}"));
    }
    let Some(fresh) = prompt.checked_sub(cached) else {
        return Err(format!(
            "cachedContentTokenCount is {cached} and exceeds the {prompt} of promptTokenCount that \
             contain it"
        ));
    };
    let [of_prompt, of_cached, of_tools, of_said] = [
        "promptTokensDetails",
        "cacheTokensDetails",
        "toolUsePromptTokensDetails",
        "candidatesTokensDetails",
    ]
    .map(|name| metadata.pick([name])[0]);
    let in_prompt = Media::of(of_prompt, prompt)?;
    let in_cache = match of_cached {
        Some(_) => Media::of(of_cached, cached)?,
        // What has no room beside the cached tokens was among them.
        None => in_prompt.beyond(fresh),
    };
    let in_fresh = in_prompt.without(in_cache).within(fresh);
    let in_tools = Media::of(of_tools, tools)?;
    let in_said = Media::of(of_said, said)?;
    Ok(Usage::NONE
        .with(Bucket::Input, fresh - in_fresh.sum() + tools - in_tools.sum())
        .with(Bucket::InputAudio, in_fresh.audio + in_tools.audio)
        .with(Bucket::InputImage, in_fresh.image + in_tools.image)
        .with(Bucket::InputVideo, in_fresh.video + in_tools.video)
        .with(Bucket::CacheRead, cached - in_cache.audio - in_cache.image)
        .with(Bucket::CacheReadAudio, in_cache.audio)
        .with(Bucket::CacheReadImage, in_cache.image)
        .with(Bucket::Output, said - in_said.sum())
        .with(Bucket::OutputReasoning, thought)
        .with(Bucket::OutputAudio, in_said.audio)
        .with(Bucket::OutputImage, in_said.image)
        .with(Bucket::OutputVideo, in_said.video))
}

// === impl Media ===

impl Media {
    /// What a list by modality says, within its counter.
    fn of(list: Option<Json>, counter: u64) -> Result<Media, String> {
        let mut media = Media::default();
        for entry in list.into_iter().flat_map(Json::elements) {
            pick!(entry => modality);
            let tokens = count(Some(entry), "tokenCount")?.unwrap_or(0);
            match modality.and_then(Json::as_str).as_deref() {
                Some("AUDIO") => media.audio += tokens,
                // Pages are seen.
                Some("IMAGE" | "DOCUMENT") => media.image += tokens,
                Some("VIDEO") => media.video += tokens,
                _ => {}
            }
        }
        Ok(media.within(counter))
    }

    fn sum(self) -> u64 {
        self.audio + self.image + self.video
    }

    /// As much of it as has room.
    fn within(self, room: u64) -> Media {
        let audio = self.audio.min(room);
        let image = self.image.min(room - audio);
        let video = self.video.min(room - audio - image);
        Media { audio, image, video }
    }

    /// What of it has no room.
    fn beyond(self, room: u64) -> Media {
        self.without(self.within(room))
    }

    fn without(self, other: Media) -> Media {
        Media {
            audio: self.audio.saturating_sub(other.audio),
            image: self.image.saturating_sub(other.image),
            video: self.video.saturating_sub(other.video),
        }
    }
}

#[cfg(test)]
#[path = "usage_tests.rs"]
mod tests;
