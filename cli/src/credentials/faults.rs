//! What C2PA's validation found wrong.

use c2pa::Reader;

/// What is wrong with credentials, each with its explanation. That the signer is on nobody's list of trust is not
/// counted: it is reported apart.
pub(super) fn failures(reader: &Reader) -> Vec<String> {
    let results = reader.validation_results();
    let active = results.and_then(|results| results.active_manifest());
    let failed = active.map(|codes| codes.failure().as_slice());
    let of_ingredients = results.and_then(|results| results.ingredient_deltas());
    let of_ingredients = of_ingredients.into_iter().flatten();
    let of_ingredients = of_ingredients.flat_map(|delta| delta.validation_deltas().failure());
    failed
        .unwrap_or_default()
        .iter()
        .chain(of_ingredients)
        .filter(|status| status.code() != "signingCredential.untrusted")
        .map(|status| match status.explanation() {
            Some(why) => format!("{} ({why})", status.code()),
            None => status.code().to_owned(),
        })
        .collect()
}
