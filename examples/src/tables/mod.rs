//! The models of a golden manifest, fitted and compared.

mod compare;
mod learner;

use std::path::{Path, PathBuf};

use mgr_learn::{
    Classifier, Learner, LearnerConfig, MinMaxScaler, Model, Pca, PcaConfig, StandardScaler, TsneConfig,
    UmapConfig, trustworthiness,
};
use ndarray::{Array1, Array2, ArrayD, ArrayView2, Axis, Ix1, Ix2, s};
use ndarray_npy::ReadNpyExt;
use serde_json::{Map, Value, json};

use crate::golden::{Array, write_npy};
use compare::Comparison;

pub use learner::config;

/// What became of an entry.
#[derive(Debug)]
pub struct Outcome {
    /// Whether it is within its tolerance; an entry that cannot be compared holds.
    pub holds: bool,
    /// A line for people.
    pub text: String,
    /// For the summary.
    pub json: Value,
}

impl Outcome {
    /// An entry that could not be run.
    #[must_use]
    pub fn refused(reason: &str) -> Self {
        Self { holds: false, text: format!("refused: {reason}"), json: json!({ "refused": reason }) }
    }
}

/// One table of the manifest.
#[derive(Debug)]
pub struct Suite {
    id: String,
    folder: PathBuf,
    out: PathBuf,
    /// All rows, scaled by the training rows.
    scaled: Array2<f64>,
    table: Array2<f64>,
    /// Distinct labels, ascending.
    names: Vec<i64>,
    labels: Vec<usize>,
    train: Vec<usize>,
    test: Vec<usize>,
    scaler: StandardScaler,
    seeds: u64,
}

/// Reads an array of numbers of any of the types that occur.
///
/// # Errors
/// A sentence that names the file.
pub fn read(path: &Path) -> Result<ArrayD<f64>, String> {
    let bytes = std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let slice = bytes.as_slice();
    ArrayD::<f64>::read_npy(slice)
        .or_else(|_| ArrayD::<f32>::read_npy(slice).map(|a| a.mapv(f64::from)))
        .or_else(|_| ArrayD::<i32>::read_npy(slice).map(|a| a.mapv(f64::from)))
        .or_else(|_| ArrayD::<i64>::read_npy(slice).map(|a| a.mapv(|v| v as f64)))
        .or_else(|_| ArrayD::<i16>::read_npy(slice).map(|a| a.mapv(f64::from)))
        .or_else(|_| ArrayD::<u8>::read_npy(slice).map(|a| a.mapv(f64::from)))
        .or_else(|_| ArrayD::<i8>::read_npy(slice).map(|a| a.mapv(f64::from)))
        .map_err(|e| format!("{}: {e}", path.display()))
}

fn vector(array: ArrayD<f64>) -> Result<Array1<f64>, String> {
    array.into_dimensionality::<Ix1>().map_err(|e| e.to_string())
}

fn indices(path: &Path, rows: usize) -> Result<Vec<usize>, String> {
    let found = vector(read(path)?)?;
    found
        .iter()
        .map(|&v| Some(v as usize).filter(|i| v >= 0.0 && *i < rows))
        .collect::<Option<_>>()
        .ok_or_else(|| format!("{}: a row number beyond the table", path.display()))
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str, String> {
    value.get(key).and_then(Value::as_str).ok_or_else(|| format!("the manifest names no {key}"))
}

impl Suite {
    /// Reads a table, its labels and its parts.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn read(folder: &Path, out: &Path, table: &Value, seeds: u64) -> Result<Self, String> {
        let path = |key: &str| text(table, key).map(|name| folder.join(name));
        let id = text(table, "id")?.to_owned();
        let values = read(&path("X")?)?.into_dimensionality::<Ix2>().map_err(|e| e.to_string())?;
        let y = vector(read(&path("y")?)?)?;
        let mut names: Vec<i64> = y.iter().map(|v| *v as i64).collect();
        names.sort_unstable();
        names.dedup();
        let labels = y.iter().map(|v| names.partition_point(|n| *n < *v as i64)).collect();
        let train = indices(&path("train")?, values.nrows())?;
        let test = indices(&path("test")?, values.nrows())?;
        let scaler = StandardScaler::fit(values.select(Axis(0), &train).view()).map_err(|e| e.to_string())?;
        let scaled = scaler.transform(values.view()).map_err(|e| e.to_string())?;
        let (folder, out) = (folder.to_owned(), out.to_owned());
        Ok(Self { id, folder, out, scaled, table: values, names, labels, train, test, scaler, seeds })
    }

    /// Name of the table.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    fn rows(&self, rows: &[usize]) -> Array2<f64> {
        self.scaled.select(Axis(0), rows)
    }

    fn labels(&self, rows: &[usize]) -> Vec<usize> {
        rows.iter().map(|&i| self.labels[i]).collect()
    }

    fn fit(&self, config: &LearnerConfig) -> Result<Model, String> {
        let learner = config.plan().map_err(|e| e.to_string())?;
        learner
            .fit(self.rows(&self.train).view(), &self.labels(&self.train), self.names.len())
            .map_err(|e| e.to_string())
    }

    /// Fits an entry, writes its outputs and compares them.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn run(&self, name: &str, entry: &Value, all: &Map<String, Value>) -> Result<Outcome, String> {
        if let Value::String(file) = entry {
            return self.folds(name, file);
        }
        match name {
            "standard_scaler" => self.standard_scaler(entry),
            "minmax_scaler" => self.min_max_scaler(entry),
            "trustworthiness_on_stored_embedding" => self.stored_embedding(entry, all),
            "pca2_trustworthiness" => self.two_components(entry, all),
            _ if name.starts_with("tsne") => self.picture(entry, true),
            _ if name.starts_with("umap") => self.picture(entry, false),
            _ if name.starts_with("pca") => self.pca(name, entry, all),
            _ => self.learner(name, entry),
        }
    }

    fn compare(&self, entry: &Value) -> Comparison<'_> {
        Comparison::new(&self.folder, &self.out, entry)
    }

    fn standard_scaler(&self, entry: &Value) -> Result<Outcome, String> {
        let mut found = self.compare(entry);
        found.write("mean", "tolerance", Array1::from(self.scaler.mean().to_vec()).into_dyn())?;
        found.write("scale", "tolerance", Array1::from(self.scaler.scale().to_vec()).into_dyn())?;
        found.write("transform_test", "tolerance", self.rows(&self.test).into_dyn())?;
        found.finish()
    }

    fn min_max_scaler(&self, entry: &Value) -> Result<Outcome, String> {
        let scaler =
            MinMaxScaler::fit(self.table.select(Axis(0), &self.train).view()).map_err(|e| e.to_string())?;
        let test =
            scaler.transform(self.table.select(Axis(0), &self.test).view()).map_err(|e| e.to_string())?;
        let mut found = self.compare(entry);
        found.write("transform_test", "tolerance", test.into_dyn())?;
        found.finish()
    }

    fn pca(&self, name: &str, entry: &Value, all: &Map<String, Value>) -> Result<Outcome, String> {
        let number = |entry: &Value| {
            let own = entry.get("n_components").or_else(|| entry.get("params")?.get("n_components"));
            own.and_then(Value::as_u64)
        };
        let components = number(entry).or_else(|| number(all.get("pca")?)).map(|n| n as usize);
        let config = PcaConfig { components, whiten: name.contains("whiten"), ..PcaConfig::default() };
        let pca = Pca::fit(&config, self.rows(&self.train).view()).map_err(|e| e.to_string())?;
        let test = pca.transform(self.rows(&self.test).view()).map_err(|e| e.to_string())?;
        let mut found = self.compare(entry);
        let list = |values: &[f64]| Array1::from(values.to_vec()).into_dyn();
        found.up_to_sign("components", pca.components().to_owned(), Axis(0))?;
        found.write("explained_variance", "tolerance", list(pca.explained_variance()))?;
        found.write("explained_variance_ratio", "tolerance", list(pca.explained_variance_ratio()))?;
        found.up_to_sign("transform_test", test.clone(), Axis(1))?;
        found.up_to_sign("file", test, Axis(1))?;
        found.finish()
    }

    fn first_rows(&self, entry: Option<&Value>) -> ArrayView2<'_, f64> {
        // "first 500 scaled rows"
        let words =
            entry.and_then(|e| e.get("rows")).and_then(Value::as_str).unwrap_or("first 500 scaled rows");
        let count = words.split(' ').find_map(|w| w.parse::<usize>().ok()).unwrap_or(500);
        self.scaled.slice(s![..count.min(self.scaled.nrows()), ..])
    }

    fn stored_embedding(&self, entry: &Value, all: &Map<String, Value>) -> Result<Outcome, String> {
        let tsne = all.get("tsne");
        let file = tsne
            .and_then(Value::as_object)
            .and_then(|t| t.iter().find(|(key, _)| key.starts_with("embedding")))
            .and_then(|(_, file)| file.as_str())
            .ok_or("there is no stored embedding")?;
        let embedding =
            read(&self.folder.join(file))?.into_dimensionality::<Ix2>().map_err(|e| e.to_string())?;
        self.trust_of(entry, self.first_rows(tsne), embedding.view(), 1e-9)
    }

    fn two_components(&self, entry: &Value, all: &Map<String, Value>) -> Result<Outcome, String> {
        let rows = self.first_rows(all.get("tsne"));
        let config = PcaConfig { components: Some(2), ..PcaConfig::default() };
        let pca = Pca::fit(&config, rows).map_err(|e| e.to_string())?;
        let embedding = pca.transform(rows).map_err(|e| e.to_string())?;
        self.trust_of(entry, rows, embedding.view(), 1e-6)
    }

    fn trust_of(
        &self,
        entry: &Value,
        rows: ArrayView2<'_, f64>,
        embedding: ArrayView2<'_, f64>,
        tolerance: f64,
    ) -> Result<Outcome, String> {
        let mut worst = 0.0_f64;
        let mut values = Map::new();
        for (k, expected) in entry.as_object().ok_or("no list of neighbours")? {
            let Ok(neighbours) = k.parse::<usize>() else { continue };
            let found = trustworthiness(rows, embedding, neighbours).map_err(|e| e.to_string())?;
            worst = worst.max((found - expected.as_f64().unwrap_or(found)).abs());
            values.insert(k.clone(), json!(found));
        }
        Ok(Outcome {
            holds: worst <= tolerance,
            text: format!("off by {worst:.1e} at most (allowed {tolerance:.0e})"),
            json: Value::Object(values),
        })
    }

    fn picture(&self, entry: &Value, tsne: bool) -> Result<Outcome, String> {
        let rows = self.first_rows(Some(entry));
        let number =
            |key: &str| entry.get(key).or_else(|| entry.get("params")?.get(key)).and_then(Value::as_f64);
        let embed = |seed: u64| -> Result<Array2<f64>, String> {
            let found = if tsne {
                let defaults = TsneConfig::default();
                let perplexity = number("perplexity").unwrap_or(defaults.perplexity);
                TsneConfig { perplexity, ..defaults }.plan().and_then(|t| t.embed(rows))
            } else {
                let defaults = UmapConfig::default();
                let neighbours = number("n_neighbors").map_or(defaults.neighbours, |n| n as usize);
                let min_dist = number("min_dist").unwrap_or(defaults.min_dist);
                UmapConfig { neighbours, min_dist, seed, ..defaults }.plan().and_then(|u| u.embed(rows))
            };
            found.map_err(|e| e.to_string())
        };
        // The first two columns of every run of the reference.
        let reference: Vec<Vec<f64>> = entry
            .get("trust5_trust12_silhouette")
            .and_then(|v| serde_json::from_value(v.clone()).ok())
            .unwrap_or_default();
        let slack = entry
            .get("tolerance")
            .and_then(Value::as_str)
            .and_then(|t| t.rsplit(' ').next()?.parse::<f64>().ok())
            .unwrap_or(if tsne { 0.01 } else { 0.015 });
        let seeds = if tsne { 1 } else { 3 };
        let mut runs = Vec::new();
        let (mut holds, mut shown) = (true, String::new());
        for seed in 0..seeds {
            let embedding = embed(seed)?;
            if seed == 0 {
                for (key, file) in entry.as_object().into_iter().flatten() {
                    if let (true, Some(file)) = (key.starts_with("embedding"), file.as_str()) {
                        write_npy(&self.out.join(file), &Array::Double(embedding.clone().into_dyn()))?;
                    }
                }
            }
            let mut run = Vec::new();
            for (column, k) in [5, 12].into_iter().enumerate() {
                let found = trustworthiness(rows, embedding.view(), k).map_err(|e| e.to_string())?;
                if !reference.is_empty() {
                    let mean =
                        reference.iter().filter_map(|r| r.get(column)).sum::<f64>() / reference.len() as f64;
                    holds &= found >= mean - slack;
                    shown += &format!(" {found:.4}/{mean:.4}");
                }
                run.push(found);
            }
            runs.push(run);
        }
        Ok(Outcome {
            holds,
            text: format!("trustworthiness at 5 and 12, ours/theirs:{shown}"),
            json: json!({ "trust5_trust12": runs }),
        })
    }

    /// scikit-learn's folds without shuffling.
    fn folds(&self, name: &str, file: &str) -> Result<Outcome, String> {
        let digits: String =
            name.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
        let folds: usize = digits.parse().map_err(|_| format!("{name} names no number of folds"))?;
        if !name.contains("noshuffle") || folds < 2 || folds > self.labels.len() {
            return Err(format!("folds {name} are not known"));
        }
        let n = self.labels.len();
        let mut fold_of = vec![0_i32; n];
        if name.starts_with("stratified") {
            // Classes in the order in which they first occur; every fold takes each folds-th row of the sorted labels.
            let mut order: Vec<usize> = Vec::new();
            self.labels.iter().for_each(|l| {
                if !order.contains(l) {
                    order.push(*l)
                }
            });
            let encoded: Vec<usize> =
                self.labels.iter().map(|l| order.iter().position(|o| o == l).unwrap_or(0)).collect();
            let mut sorted = encoded.clone();
            sorted.sort_unstable();
            for class in 0..order.len() {
                let share =
                    |fold: usize| sorted.iter().skip(fold).step_by(folds).filter(|c| **c == class).count();
                let mut folds_of_class = (0..folds).flat_map(|f| std::iter::repeat_n(f, share(f)));
                for (row, _) in encoded.iter().enumerate().filter(|(_, c)| **c == class) {
                    fold_of[row] = folds_of_class.next().unwrap_or(0) as i32;
                }
            }
        } else {
            let mut begin = 0;
            for fold in 0..folds {
                let size = n / folds + usize::from(fold < n % folds);
                fold_of[begin..begin + size].fill(fold as i32);
                begin += size;
            }
        }
        write_npy(&self.out.join(file), &Array::Integer(Array1::from(fold_of.clone()).into_dyn()))?;
        let Ok(reference) = read(&self.folder.join(file)) else {
            return Ok(Outcome { holds: true, text: "written".to_owned(), json: json!({}) });
        };
        let wrong = reference.iter().zip(&fold_of).filter(|(r, f)| **r != f64::from(**f)).count();
        Ok(Outcome {
            holds: wrong == 0 && reference.len() == n,
            text: format!("{wrong} rows in another fold"),
            json: json!({ "rows_in_another_fold": wrong }),
        })
    }

    fn learner(&self, name: &str, entry: &Value) -> Result<Outcome, String> {
        let empty = Map::new();
        let params = entry.get("params").and_then(Value::as_object).unwrap_or(&empty);
        let config = config(name, params)?;
        if entry.get("test_accuracy_mean").is_some() || entry.get("seeds").is_some() {
            return self.over_seeds(&config, entry);
        }
        let model = self.fit(&config)?;
        let test = self.rows(&self.test);
        let predicted = model.predict(test.view()).map_err(|e| e.to_string())?;
        let right = predicted.iter().zip(self.labels(&self.test)).filter(|(p, l)| **p == *l).count();
        let accuracy = right as f64 / self.test.len() as f64;
        let mut found = self.compare(entry);
        let names = predicted.iter().map(|p| self.names[*p] as i32).collect::<Vec<_>>();
        found.predictions("pred", &names)?;
        found.accuracy(accuracy);
        if entry.get("proba").is_some() {
            let proba = model.predict_proba(test.view()).map_err(|e| e.to_string())?;
            found.write("proba", "proba_tolerance", proba.into_dyn())?;
        }
        for key in ["decision_ovo", "decision_ovr", "decision"] {
            if entry.get(key).is_none() {
                continue;
            }
            let mut values = match &model {
                Model::Svc(svc) if key == "decision_ovo" && self.names.len() > 2 => svc.machines(test.view()),
                _ => model.decision(test.view()),
            }
            .map_err(|e| e.to_string())?
            .into_dyn();
            if values.shape().get(1) == Some(&1) {
                values = values.index_axis_move(Axis(1), 0);
            }
            found.write(key, "decision_tolerance", values)?;
        }
        if let Some((weights, intercepts)) = linear_parts(&model) {
            found.write("coef", "coef_tolerance", weights.into_dyn())?;
            found.write("intercept", "coef_tolerance", intercepts.into_dyn())?;
        }
        if let Model::Svc(svc) = &model {
            found.note(&json!(svc.support_of_class()), "n_support");
        }
        if let Some(convergence) = model.convergence().filter(|c| !c.is_converged()) {
            println!("warning: {name}: {convergence}");
        }
        found.finish()
    }

    fn over_seeds(&self, config: &LearnerConfig, entry: &Value) -> Result<Outcome, String> {
        let mut accuracies = Vec::new();
        let test = self.rows(&self.test);
        let labels = self.labels(&self.test);
        for seed in 0..self.seeds {
            let model = self.fit(&config.clone().with_seed(seed))?;
            let predicted = model.predict(test.view()).map_err(|e| e.to_string())?;
            let right = predicted.iter().zip(&labels).filter(|(p, l)| p == l).count();
            accuracies.push(right as f64 / labels.len() as f64);
        }
        let n = accuracies.len() as f64;
        let mean = accuracies.iter().sum::<f64>() / n;
        let deviation = (accuracies.iter().map(|a| (a - mean) * (a - mean)).sum::<f64>() / n).sqrt();
        let number = |key: &str| entry.get(key).and_then(Value::as_f64);
        let mut json = json!({ "accuracies": accuracies, "mean": mean, "std": deviation });
        let (holds, text) = match (number("test_accuracy_mean"), number("test_accuracy_std")) {
            (Some(their_mean), Some(their_deviation)) => {
                let theirs = number("seeds").unwrap_or(n).max(1.0);
                let allowed = 3.0
                    * (deviation * deviation / n + their_deviation * their_deviation / theirs).sqrt()
                    + 0.005;
                json["reference_mean"] = json!(their_mean);
                json["allowed"] = json!(allowed);
                let text = format!("mean {mean:.4}, theirs {their_mean:.4}, allowed apart {allowed:.4}");
                ((mean - their_mean).abs() <= allowed, text)
            }
            _ => (true, format!("mean {mean:.4}")),
        };
        Ok(Outcome { holds, text, json })
    }
}

/// Weights (one row for two classes) and intercepts of a linear model.
fn linear_parts(model: &Model) -> Option<(Array2<f64>, Array1<f64>)> {
    match model {
        Model::Linear(m) | Model::Ridge(m) => {
            Some((m.weights().to_owned(), Array1::from(m.intercepts().to_vec())))
        }
        Model::Logistic(m) => {
            let columns = Classifier::columns(m);
            let values: Vec<f64> = m.weights().flatten().copied().collect();
            let weights = Array2::from_shape_vec((m.intercepts().len(), columns), values).ok()?;
            Some(one_of_two(weights, Array1::from(m.intercepts().to_vec())))
        }
        _ => None,
    }
}

fn one_of_two(weights: Array2<f64>, intercepts: Array1<f64>) -> (Array2<f64>, Array1<f64>) {
    if weights.nrows() != 2 {
        return (weights, intercepts);
    }
    let difference = &weights.row(1) - &weights.row(0);
    (difference.insert_axis(Axis(0)), Array1::from(vec![intercepts[1] - intercepts[0]]))
}
