//! JSON whose objects keep the order of their members: declarations follow it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    /// Null, a boolean, a number or a string.
    Plain(Value),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

// === impl Node ===

impl Node {
    /// Reads JSON; null where it is none, or nested deeper than any schema is.
    pub(crate) fn read(json: &str) -> Node {
        serde_json::from_str(json).unwrap_or(Node::Plain(Value::Null))
    }

    /// The member of an object; the last of several.
    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        self.members().iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The members of an object.
    pub(crate) fn members(&self) -> &[(String, Node)] {
        if let Node::Object(members) = self { members } else { &[] }
    }

    /// The elements of an array.
    pub(crate) fn elements(&self) -> &[Node] {
        if let Node::List(elements) = self { elements } else { &[] }
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        if let Node::Plain(value) = self { value.as_str() } else { None }
    }
}

impl Node {
    /// Takes members of these names out, at any depth.
    pub(crate) fn remove(&mut self, names: &[&str]) {
        match self {
            Node::Plain(_) => {}
            Node::List(elements) => elements.iter_mut().for_each(|value| value.remove(names)),
            Node::Object(members) => {
                members.retain(|(name, _)| !names.contains(&name.as_str()));
                members.iter_mut().for_each(|(_, value)| value.remove(names));
            }
        }
    }
}

/// As JSON without white space.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let comma = |index| if index == 0 { "" } else { "," };
        match self {
            Node::Plain(value) => write!(f, "{value}"),
            Node::List(elements) => {
                f.write_str("[")?;
                for (index, element) in elements.iter().enumerate() {
                    write!(f, "{}{element}", comma(index))?;
                }
                f.write_str("]")
            }
            Node::Object(members) => {
                f.write_str("{")?;
                for (index, (name, value)) in members.iter().enumerate() {
                    write!(f, "{}{}:{value}", comma(index), Value::from(name.as_str()))?;
                }
                f.write_str("}")
            }
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

// === impl Reader ===

impl<'de> Visitor<'de> for Reader {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Plain(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Plain(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Plain(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Plain(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Plain(Number::from_f64(value).map_or(Value::Null, Value::Number)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Plain(value.into()))
    }

    fn visit_string<E>(self, value: String) -> Result<Node, E> {
        Ok(Node::Plain(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = seq.next_element()? {
            elements.push(element);
        }
        Ok(Node::List(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Node::Object(members))
    }
}
