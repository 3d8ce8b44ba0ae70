//! Which clips the study trains on, chooses on and tests on.

use std::path::Path;

use mgr_data::sources::{self, Collection};
use mgr_data::splits::{Protocol, SplitDocument};
use mgr_eval::split::Fold;

use crate::studies::clips::{Place, split, write_split};
use crate::studies::flags::{Failure, advise};

/// Shares of the study's 540, 40 and 150 clips, for clips that are not its own.
const SHARES: [f64; 2] = [540.0 / 730.0, 40.0 / 730.0];

/// The clips: the study's 730 of GTZAN for its own split, else any folder of genres.
///
/// # Errors
/// A sentence for a dataset that is not there, and for one of the study's that is not whole unless `partial`.
pub fn collection(place: &Place, rule: &str, partial: bool) -> Result<Collection, Failure> {
    if place.root.is_none() || rule != "study" {
        return place.collection("folder");
    }
    let collection = place.collection("gtzan8")?;
    let there = collection.entries.iter().filter(|entry| entry.path.is_file()).count();
    let facts = sources::named("gtzan8").and_then(|source| source.facts().clips);
    let Some(whole) = facts.filter(|whole| there < *whole) else { return Ok(collection) };
    if partial {
        eprintln!("{there} of the study's {whole} clips are here: the published figures are of all of them");
        return Ok(collection);
    }
    Err(format!(
        "{there} of the study's {whole} clips are here: complete the dataset, or study what there is of it with --partial"
    )
    .into())
}

/// The split by a rule: `study`, `random` or the path of a split file, artists apart where a table names them.
///
/// # Errors
/// A sentence where there is no such rule, or a genre is too small for it.
pub fn make_split(
    rule: &str,
    place: &Place,
    collection: &Collection,
    seed: u64,
    out: &Path,
) -> Result<(Fold, Vec<String>), Failure> {
    let [train, validation] = SHARES;
    let (folds, leaks) = match rule {
        "study" | "random" => {
            let rule = match (rule, &place.root, &place.groups) {
                ("study", Some(_), None) => Protocol::Gtzan8,
                (_, _, Some(_)) => Protocol::GroupRatio { train, validation, seed },
                _ => Protocol::Ratio { train, validation, seed },
            };
            (split(&rule, collection, out)?, rule.leaks())
        }
        file => {
            let advice = "--split takes study, random, or a file that `mgr data split` wrote for these clips";
            let document = SplitDocument::read(Path::new(file)).map_err(advise(advice))?;
            (write_split(&document, collection, out).map_err(advise(advice))?, document.leaks)
        }
    };
    let fold = folds.into_iter().next().ok_or("the split has no part")?;
    if fold.validation.is_empty() {
        return Err(
            "the split has no validation part, and the epoch is chosen on one: make it with --validation"
                .into(),
        );
    }
    Ok((fold, leaks))
}
