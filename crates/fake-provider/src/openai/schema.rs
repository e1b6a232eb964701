//! The part of JSON Schema that reaches the prompt, in the order in which it was written.

use std::{
    collections::{BTreeSet, HashSet},
    fmt,
};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::Value;

/// A schema; keywords that do not reach the prompt are ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Schema {
    pub(super) description: Option<String>,
    #[serde(rename = "type")]
    pub(super) types: Types,
    #[serde(rename = "enum")]
    pub(super) values: Vec<Value>,
    pub(super) properties: Properties,
    pub(super) required: HashSet<String>,
    pub(super) items: Option<Box<Schema>>,
    #[serde(rename = "anyOf")]
    pub(super) any_of: Vec<Schema>,
}

/// The `type` keyword: absent, one name, or several, each of them once.
#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
pub(super) enum Types {
    #[default]
    Any,
    One(String),
    Several(BTreeSet<String>),
}

/// Named schemas; a map would lose their order, which the model and its cache see.
#[derive(Debug, Default)]
pub(super) struct Properties(pub(super) Vec<(String, Schema)>);

impl<'de> Deserialize<'de> for Properties {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Properties;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of schemas")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Properties, A::Error> {
        let mut properties = Vec::new();
        while let Some(property) = map.next_entry()? {
            properties.push(property);
        }
        Ok(Properties(properties))
    }
}
