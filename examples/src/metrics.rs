//! The metrics of a golden manifest by their keys.

use std::collections::BTreeMap;

use mgr_eval::EvalError;
use mgr_eval::metrics::{
    Average, ClassValues, ConfusionMatrix, KappaWeights, MacroAverage, MacroOver, Normalise, PairAverage,
    ScoreTies, Tagging, average_precision, average_precision_micro, average_precision_one_vs_rest,
    brier_score, log_loss, precision_recall_curve, roc_auc, roc_auc_micro, roc_auc_one_vs_one,
    roc_auc_one_vs_rest, roc_curve, top_k_accuracy,
};
use ndarray::{Array2, ArrayView2};
use serde_json::{Value, json};

/// One case: truth, predictions, and scores where there are any.
#[derive(Debug, Clone)]
pub enum MetricCase {
    /// One label a clip.
    Labels {
        /// True classes.
        y_true: Vec<usize>,
        /// Predicted classes.
        y_pred: Vec<usize>,
        /// Scores (clips, classes).
        scores: Option<Array2<f64>>,
        /// Number of classes.
        classes: usize,
    },
    /// Any number of labels a clip.
    Tags {
        /// Truth (clips, tags).
        y_true: Array2<bool>,
        /// Predictions (clips, tags).
        y_pred: Option<Array2<bool>>,
        /// Scores (clips, tags).
        scores: Option<Array2<f64>>,
    },
}

impl MetricCase {
    /// Reads a case. Labels may be any JSON values; scores may be absent or null, and one column for two classes.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(case: &Value) -> Result<Self, String> {
        let rows = case["y_true"].as_array().ok_or("y_true is not a list")?;
        let scores =
            ["prob", "y_score", "scores"].iter().map(|key| &case[*key]).find(|value| !value.is_null());
        if rows.first().is_some_and(Value::is_array) {
            let predictions = Some(&case["y_pred"]).filter(|value| !value.is_null());
            return Ok(Self::Tags {
                y_true: truths(&case["y_true"])?,
                y_pred: predictions.map(truths).transpose()?,
                scores: scores.map(matrix).transpose()?,
            });
        }
        let labels = case["labels"].as_array().ok_or("labels is not a list")?;
        // JSON values have no order or hash; their text has.
        let index: BTreeMap<String, usize> =
            labels.iter().enumerate().map(|(i, l)| (l.to_string(), i)).collect();
        let classes_of = |key: &str| -> Result<Vec<usize>, String> {
            let list = case[key].as_array().ok_or_else(|| format!("{key} is not a list"))?;
            let class = |label: &Value| {
                index
                    .get(&label.to_string())
                    .copied()
                    .ok_or_else(|| format!("{key} holds {label}, not among the labels"))
            };
            list.iter().map(class).collect()
        };
        let scores = match scores {
            // One score a clip is that of the second class.
            Some(Value::Array(list)) if list.first().is_some_and(Value::is_number) => {
                let column = list.iter().map(number).collect::<Result<Vec<f64>, _>>()?;
                Some(Array2::from_shape_fn((column.len(), 2), |(i, c)| {
                    if c == 1 { column[i] } else { 1.0 - column[i] }
                }))
            }
            other => other.map(matrix).transpose()?,
        };
        Ok(Self::Labels {
            y_true: classes_of("y_true")?,
            y_pred: classes_of("y_pred")?,
            scores,
            classes: labels.len(),
        })
    }
}

fn number(value: &Value) -> Result<f64, String> {
    match value.as_str() {
        Some("nan") => Ok(f64::NAN),
        Some("inf") => Ok(f64::INFINITY),
        Some("-inf") => Ok(f64::NEG_INFINITY),
        _ => value.as_f64().ok_or_else(|| format!("{value} is not a number")),
    }
}

fn matrix(value: &Value) -> Result<Array2<f64>, String> {
    let rows = value.as_array().ok_or("a matrix is not a list")?;
    let width = rows.first().and_then(Value::as_array).map_or(0, Vec::len);
    let mut cells = Vec::with_capacity(rows.len() * width);
    for row in rows {
        for cell in row.as_array().ok_or("a row is not a list")? {
            cells.push(number(cell)?);
        }
    }
    Array2::from_shape_vec((rows.len(), width), cells).map_err(|e| e.to_string())
}

fn truths(value: &Value) -> Result<Array2<bool>, String> {
    let as_number = |cell: &Value| cell.as_bool().map_or_else(|| cell.clone(), |b| json!(u8::from(b)));
    let rows = value.as_array().ok_or("a matrix is not a list")?.iter();
    let numbers: Value =
        rows.map(|row| row.as_array().into_iter().flatten().map(as_number).collect::<Value>()).collect();
    Ok(matrix(&numbers)?.mapv(|cell| cell > 0.0))
}

/// A number as the manifest writes it.
fn plain(value: f64) -> Value {
    if value.is_nan() {
        json!("nan")
    } else if value.is_infinite() {
        json!(if value > 0.0 { "inf" } else { "-inf" })
    } else {
        json!(value)
    }
}

fn maybe(value: Option<f64>) -> Value {
    plain(value.unwrap_or(f64::NAN))
}

fn list(values: &[f64]) -> Value {
    values.iter().map(|&value| plain(value)).collect()
}

/// Undefined entries of a list by class are null.
fn by_class(values: &ClassValues) -> Value {
    json!(values.values)
}

fn averaged(average: MacroAverage) -> Value {
    json!([average.precision, average.recall, average.f1, Value::Null])
}

/// A metric of a case by the manifest's key; none for a key that is not known, or that asks for scores where there are none.
#[must_use]
pub fn compute(case: &MetricCase, key: &str) -> Option<Result<Value, String>> {
    let value = match case {
        MetricCase::Labels { y_true, y_pred, scores, classes } => {
            match ConfusionMatrix::from_labels(y_true, y_pred, *classes) {
                Err(error) => Some(Err(error)),
                Ok(counts) => of_counts(&counts, key)
                    .or_else(|| scores.as_ref().and_then(|scores| of_scores(y_true, scores.view(), key))),
            }
        }
        MetricCase::Tags { y_true, y_pred, scores } => of_tags(y_true, y_pred.as_ref(), scores.as_ref(), key),
    };
    value.map(|result| result.map_err(|error| error.to_string()))
}

fn of_counts(counts: &ConfusionMatrix, key: &str) -> Option<Result<Value, EvalError>> {
    let shares = |by| Value::from_iter(counts.normalised(by).outer_iter().map(|row| json!(row.to_vec())));
    let per_class = |over| {
        let chosen =
            counts.per_class().into_iter().enumerate().filter(|&(class, _)| counts.counts_class(class, over));
        let scores: Vec<_> = chosen.map(|(_, scores)| scores).collect();
        let column =
            |value: fn(&mgr_eval::metrics::ClassScores) -> Value| scores.iter().map(value).collect::<Value>();
        json!([
            column(|s| json!(s.precision)),
            column(|s| json!(s.recall)),
            column(|s| json!(s.f1)),
            column(|s| json!(s.support))
        ])
    };
    // Without labels scikit-learn sees the classes that occur.
    let (stem, over) = match key.strip_suffix("_nolabels") {
        Some(stem) => (stem, MacroOver::Seen),
        None => (key, MacroOver::All),
    };
    let value = match stem {
        "accuracy" => plain(counts.accuracy()),
        "balanced_accuracy" => plain(counts.balanced_accuracy()),
        "balanced_accuracy_adjusted" => plain(counts.adjusted_balanced_accuracy()),
        "confusion_matrix" => json!(counts.rows().collect::<Vec<_>>()),
        "confusion_matrix_norm_true" => shares(Normalise::Truth),
        "confusion_matrix_norm_pred" => shares(Normalise::Prediction),
        "confusion_matrix_norm_all" => shares(Normalise::All),
        "mcc" => plain(counts.matthews_correlation()),
        "cohen_kappa" => maybe(counts.cohen_kappa(KappaWeights::Equal)),
        "cohen_kappa_linear" => maybe(counts.cohen_kappa(KappaWeights::Linear)),
        "cohen_kappa_quadratic" => maybe(counts.cohen_kappa(KappaWeights::Quadratic)),
        "hamming" => plain(counts.hamming_loss()),
        "jaccard_macro" => plain(counts.macro_jaccard(over)),
        "prf_per_class" => per_class(over),
        "prf_macro" => averaged(counts.average(Average::Macro, over)),
        "prf_micro" => averaged(counts.average(Average::Micro, over)),
        "prf_weighted" => averaged(counts.average(Average::Weighted, over)),
        other => {
            let beta = other.strip_prefix("fbeta")?.strip_suffix("_macro")?.parse().ok()?;
            return Some(counts.macro_f_beta(beta, over).map(plain));
        }
    };
    Some(Ok(value))
}

fn of_scores(y_true: &[usize], scores: ArrayView2<'_, f64>, key: &str) -> Option<Result<Value, EvalError>> {
    // With two classes the reference takes the second column for the score of the second class.
    let is_binary = scores.ncols() == 2;
    let positive: Vec<bool> = y_true.iter().map(|&class| class == 1).collect();
    let second: Vec<f64> = if is_binary { scores.column(1).to_vec() } else { Vec::new() };
    let result = match key {
        "log_loss" => log_loss(y_true, scores).map(plain),
        "brier" | "brier_multiclass" => brier_score(y_true, scores).map(plain),
        "roc_auc" if is_binary => roc_auc(&positive, &second).map(maybe),
        "average_precision" if is_binary => average_precision(&positive, &second).map(plain),
        "roc_curve" if is_binary => roc_curve(&positive, &second)
            .map(|c| json!([list(&c.false_positive_rate), list(&c.true_positive_rate), list(&c.thresholds)])),
        "precision_recall_curve" if is_binary => precision_recall_curve(&positive, &second)
            .map(|c| json!([list(&c.precision), list(&c.recall), list(&c.thresholds)])),
        "roc_auc_ovr_macro" => roc_auc_one_vs_rest(y_true, scores).map(|v| maybe(v.macro_mean())),
        "roc_auc_ovr_weighted" => roc_auc_one_vs_rest(y_true, scores).map(|v| maybe(v.weighted_mean())),
        "roc_auc_per_class" => roc_auc_one_vs_rest(y_true, scores).map(|v| by_class(&v)),
        "roc_auc_ovr_micro" => roc_auc_micro(y_true, scores).map(maybe),
        "roc_auc_ovo_macro" => roc_auc_one_vs_one(y_true, scores, PairAverage::Macro).map(maybe),
        "roc_auc_ovo_weighted" => roc_auc_one_vs_one(y_true, scores, PairAverage::Weighted).map(maybe),
        "average_precision_macro" => {
            average_precision_one_vs_rest(y_true, scores).map(|v| maybe(v.macro_mean()))
        }
        "average_precision_weighted" => {
            average_precision_one_vs_rest(y_true, scores).map(|v| maybe(v.weighted_mean()))
        }
        "average_precision_per_class" => average_precision_one_vs_rest(y_true, scores).map(|v| by_class(&v)),
        "average_precision_micro" => average_precision_micro(y_true, scores).map(plain),
        other => {
            let k = other.strip_prefix("top_")?.strip_suffix("_accuracy")?.parse().ok()?;
            let ties = if is_binary { ScoreTies::LowerClass } else { ScoreTies::HigherClass };
            top_k_accuracy(y_true, scores, k, ties).map(plain)
        }
    };
    Some(result)
}

fn of_tags(
    y_true: &Array2<bool>,
    y_pred: Option<&Array2<bool>>,
    scores: Option<&Array2<f64>>,
    key: &str,
) -> Option<Result<Value, EvalError>> {
    let ranked = |measure: fn(&Tagging) -> Result<Value, EvalError>| {
        scores.map(|scores| Tagging::new(y_true.view(), scores.view()).and_then(|tagging| measure(&tagging)))
    };
    let claimed = |measure: fn(mgr_eval::metrics::TaggingAt) -> Value| {
        let claims = y_pred.map(|claims| claims.mapv(|claim| f64::from(u8::from(claim))));
        let tagging = claims.or_else(|| scores.cloned()).map(|s| Tagging::new(y_true.view(), s.view()));
        tagging.map(|tagging| tagging.and_then(|tagging| tagging.at_threshold(0.5)).map(measure))
    };
    match key {
        "roc_auc_macro" | "roc_auc" => ranked(|t| Ok(maybe(t.roc_auc()?.macro_mean()))),
        "roc_auc_weighted" => ranked(|t| Ok(maybe(t.roc_auc()?.weighted_mean()))),
        "roc_auc_micro" => ranked(|t| t.roc_auc_micro().map(maybe)),
        "roc_auc_per_class" | "roc_auc_per_tag" => ranked(|t| Ok(by_class(&t.roc_auc()?))),
        "average_precision_macro" | "average_precision" => {
            ranked(|t| Ok(maybe(t.average_precision()?.macro_mean())))
        }
        "average_precision_weighted" => ranked(|t| Ok(maybe(t.average_precision()?.weighted_mean()))),
        "average_precision_micro" => ranked(|t| t.average_precision_micro().map(plain)),
        "average_precision_per_class" | "average_precision_per_tag" => {
            ranked(|t| Ok(by_class(&t.average_precision()?)))
        }
        "prf_macro" => claimed(|t| averaged(t.macro_average)),
        "prf_micro" => claimed(|t| averaged(t.micro_average)),
        "prf_weighted" => claimed(|t| averaged(t.weighted_average)),
        "prf_samples" => claimed(|t| averaged(t.clip_average)),
        "prf_per_class" => claimed(|t| {
            let column = |value: fn(&mgr_eval::metrics::ClassScores) -> Value| {
                t.tags.iter().map(value).collect::<Value>()
            };
            json!([
                column(|s| json!(s.precision)),
                column(|s| json!(s.recall)),
                column(|s| json!(s.f1)),
                column(|s| json!(s.support))
            ])
        }),
        "hamming" => claimed(|t| plain(t.hamming_loss)),
        "accuracy" | "subset_accuracy" => claimed(|t| plain(t.subset_accuracy)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_of_every_form_are_read() {
        let named = json!({
            "labels": ["a b", "c\"d"], "y_true": ["a b", "c\"d", "a b"], "y_pred": ["a b", "a b", "a b"],
            "prob": [0.25, 0.5, 0.75],
        });
        let case = MetricCase::parse(&named).expect("a case with names");
        assert_eq!(compute(&case, "confusion_matrix"), Some(Ok(json!([[2, 0], [1, 0]]))));
        assert_eq!(compute(&case, "roc_auc"), Some(Ok(json!(0.5))));
        assert_eq!(compute(&case, "unheard_of"), None);

        let tags = json!({ "y_true": [[1, 0], [0, 0]], "prob": [[0.9, 0.2], [0.1, 0.3]] });
        let case = MetricCase::parse(&tags).expect("a case of tags");
        assert_eq!(compute(&case, "roc_auc_per_class"), Some(Ok(json!([1.0, null]))));
        assert_eq!(compute(&case, "hamming"), Some(Ok(json!(0.0))));

        let without_scores = json!({ "labels": [0, 1], "y_true": [0, 1], "y_pred": [0, 0], "prob": null });
        let case = MetricCase::parse(&without_scores).expect("a case without scores");
        assert_eq!(compute(&case, "log_loss"), None);
        assert_eq!(compute(&case, "mcc"), Some(Ok(json!(0.0))));
        assert!(MetricCase::parse(&json!({ "labels": [0], "y_true": [3], "y_pred": [0] })).is_err());
        assert!(MetricCase::parse(&json!({})).is_err());
    }
}
