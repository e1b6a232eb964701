//! Values that are more than text.

use reqwest::Url;
use serde::Deserialize;

/// Where a provider is: an http or https address with nothing in it that is secret.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct BaseUrl(String);

/// The name of an environment variable.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct VariableName(String);

// === impl BaseUrl ===

impl BaseUrl {
    /// The address, as it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The host and the port to connect to.
    pub(crate) fn endpoint(&self) -> Option<(String, u16)> {
        let url = Url::parse(&self.0).ok()?;
        // The brackets around an IPv6 address are the URL's.
        let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
        Some((host, url.port_or_known_default()?))
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = String;

    fn try_from(text: String) -> Result<BaseUrl, String> {
        let url = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let Some(url) = url.filter(Url::has_host) else {
            return Err(format!("`{text}` is not an address as https://api.openai.com/v1"));
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err("the address has a password in it; `api_key_env` is for that".to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("the address has a `?` or `#`; a path is put behind it".to_owned());
        }
        Ok(BaseUrl(text))
    }
}

// === impl VariableName ===

impl VariableName {
    /// The name.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for VariableName {
    type Error = String;

    fn try_from(name: String) -> Result<VariableName, String> {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty()
            || !name.chars().all(fits)
            || name.starts_with(|c: char| c.is_ascii_digit())
        {
            // It may be the key itself, so it is not repeated.
            return Err("it is not the name of a variable; put the key into a variable, and the \
                        variable's name here"
                .to_owned());
        }
        Ok(VariableName(name))
    }
}
