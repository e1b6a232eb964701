//! The names under which clients ask for models, brought into the catalog's form.

use jiff::civil::Date;

/// Lower case, without what stands before a model's name: an ARN, a path (`models/`,
/// `publishers/google/models/`, `accounts/fireworks/models/`), the provider's own prefix; and without
/// the owner of a fine-tuned model: `ft:base:org::id`, on Azure `base.ft-id`, has the price of
/// `ft:base` and never that of `base`.
pub(super) fn normalised(prefixes: &[String], model: &str) -> String {
    let name = model.trim().to_lowercase();
    let mut name = match name.strip_prefix("arn:") {
        Some(arn) => arn.rsplit_once('/').map_or(arn, |(_, id)| id),
        None => &name,
    };
    if let Some((path, model)) = name.rsplit_once("models/")
        && (path.is_empty() || path.ends_with('/'))
    {
        name = model;
    }
    let own = prefixes.iter().find_map(|prefix| name.strip_prefix(prefix)?.strip_prefix('/'));
    let name = own.unwrap_or(name);
    let tuned = name.strip_prefix("ft:").and_then(|tuned| tuned.split_once(':'));
    match tuned.or_else(|| name.split_once(".ft-")) {
        Some((base, _)) => format!("ft:{base}"),
        None => name.to_owned(),
    }
}

/// The name without what says which release it is, where it ends so: a date (`-2026-08-21`,
/// `-20260821`, `@20260821`), `@default` or `@latest`.
pub(super) fn undated(name: &str) -> Option<&str> {
    let dated = ["-2026-08-21", "-20260821"].into_iter().find_map(|like| {
        let (base, date) = name.split_at_checked(name.len().checked_sub(like.len())?)?;
        let date = date.strip_prefix(['-', '@'])?;
        let digits = date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        (digits && date.parse::<Date>().is_ok()).then_some(base)
    });
    dated.or_else(|| name.strip_suffix("@default")).or_else(|| name.strip_suffix("@latest"))
}

/// The name with `#` for the digits of its last one, two or three groups, as aliases spell them:
/// `model-05-20` is `model-05-##` and `model-##-##`.
pub(super) fn with_digits_open(name: &str) -> impl Iterator<Item = String> {
    let group = |name: &str| {
        name.rfind('-').filter(|dash| {
            let digits = &name.as_bytes()[dash + 1..];
            !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
        })
    };
    let starts = std::iter::successors(group(name), move |end| group(&name[..*end]));
    starts.take(3).map(|start| {
        let open = name[start..].bytes().map(|byte| if byte == b'-' { '-' } else { '#' });
        name[..start].chars().chain(open).collect()
    })
}

/// Splits off the region before a name (`us.`, `global.`), where it is one of the provider's.
pub(super) fn regional<'n>(regions: &[String], name: &'n str) -> Option<(&'n str, &'n str)> {
    let (region, rest) = name.split_once('.')?;
    regions.iter().any(|known| known == region).then_some((region, rest))
}

/// The suffix after the last colon, colon included.
pub(super) fn suffix(name: &str) -> Option<&str> {
    name.rfind(':').filter(|at| *at > 0).map(|at| &name[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_before_a_name_is_taken_away() {
        let prefixes = ["acme".to_owned(), "ac".to_owned()];
        for asked in [
            " M-1 ",
            "acme/m-1",
            "ac/m-1",
            "models/m-1",
            "publishers/acme/models/m-1",
            "accounts/acme/models/m-1",
            "models/Acme/m-1",
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/m-1",
        ] {
            assert_eq!(normalised(&prefixes, asked), "m-1", "{asked}");
        }
        for (asked, kept) in [
            ("other/m-1", "other/m-1"),
            ("tunedmodels/m-1", "tunedmodels/m-1"),
            ("m@20260821", "m@20260821"),
            ("us.acme.m-v1:0", "us.acme.m-v1:0"),
            ("ft:m:org::id", "ft:m"),
            ("m.ft-12ab", "ft:m"),
        ] {
            assert_eq!(normalised(&prefixes, asked), kept);
        }
    }

    #[test]
    fn groups_of_digits_at_the_end_are_opened_one_by_one() {
        let open = |name| with_digits_open(name).collect::<Vec<_>>();
        assert_eq!(open("m-2.0-flash-001"), ["m-2.0-flash-###"]);
        assert_eq!(open("m-5-05-20"), ["m-5-05-##", "m-5-##-##", "m-#-##-##"]);
        for name in ["m", "m-", "m-v1", "", "-", "mö-x"] {
            assert!(open(name).is_empty(), "{name}");
        }
    }

    #[test]
    fn regions_and_suffixes_are_split_off_only_where_there_are_any() {
        let regions = ["us".to_owned(), "us-gov".to_owned()];
        assert_eq!(regional(&regions, "us-gov.a.m"), Some(("us-gov", "a.m")));
        assert_eq!(regional(&regions, "anthropic.m"), None);
        assert_eq!(suffix("a/m:free"), Some(":free"));
        assert_eq!([suffix("m"), suffix(":free")], [None, None]);
    }
}
