//! Scaler, reduction and classifier as one, and their file.

use std::path::Path;

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::config::{AnyLearner, LearnerConfig, Model};
use crate::{
    Classifier, Convergence, LdaConfig, LdaModel, LearnError, Learner, LogisticRegressionConfig,
    MinMaxScaler, Pca, PcaConfig, StandardScaler,
};

/// What is done to the columns first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScalerConfig {
    /// Nothing.
    None,
    /// Mean 0 and variance 1.
    #[default]
    Standard,
    /// From 0 to 1.
    MinMax,
}

/// What is done to the scaled columns.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReductionConfig {
    /// Nothing.
    #[default]
    None,
    /// Principal components.
    Pca(PcaConfig),
    /// Discriminant directions.
    Lda(LdaConfig),
}

/// Settings of a pipeline. Everything in it is fitted on the rows that the classifier is fitted on, and on no others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PipelineConfig {
    /// The scaler. Default standard.
    pub scaler: ScalerConfig,
    /// The reduction. Default none.
    pub reduction: ReductionConfig,
    /// The classifier. Default logistic regression.
    pub learner: LearnerConfig,
}

impl Default for PipelineConfig {
    fn default() -> Self {
        let learner = LearnerConfig::Logistic(LogisticRegressionConfig::default());
        Self { scaler: ScalerConfig::default(), reduction: ReductionConfig::default(), learner }
    }
}

impl PipelineConfig {
    /// A standard scaler before a classifier.
    #[must_use]
    pub fn scaled(learner: LearnerConfig) -> Self {
        Self { learner, ..Self::default() }
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`LearnError::Setting`] where one lies outside its range.
    pub fn plan(&self) -> Result<Pipeline, LearnError> {
        if let ReductionConfig::Lda(lda) = &self.reduction {
            lda.plan()?;
            if let Some(shrinkage) = lda.shrinkage {
                crate::learner::within(
                    "shrinkage",
                    shrinkage,
                    0.0,
                    0.0,
                    "none in a reduction: it has no directions",
                )?;
            }
        }
        Ok(Pipeline { learner: self.learner.plan()?, config: self.clone() })
    }
}

/// A pipeline ready to fit.
///
/// ```
/// use mgr_learn::{Classifier, Learner, ModelFile, PipelineConfig};
/// use ndarray::array;
///
/// let table = array![[0.0, 10.0], [1.0, 12.0], [5.0, 11.0], [6.0, 9.0]];
/// let pipeline = PipelineConfig::default().plan()?.fit(table.view(), &[0, 0, 1, 1], 2)?;
/// let names = |names: [&str; 2]| names.map(str::to_owned).to_vec();
/// let file = ModelFile::new(pipeline, names(["tempo", "energy"]), names(["blues", "rock"]))?;
/// let again = ModelFile::from_json(&file.to_json()?)?;
/// assert_eq!(again, file);
/// assert_eq!(again.pipeline().predict(table.view())?, [0, 0, 1, 1]);
/// # Ok::<(), mgr_learn::LearnError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    config: PipelineConfig,
    learner: AnyLearner,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Scaler {
    None,
    Standard(StandardScaler),
    MinMax(MinMaxScaler),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reduction {
    None,
    Pca(Pca),
    Lda(LdaModel),
}

/// A fitted pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct PipelineModel {
    columns: usize,
    scaler: Scaler,
    reduction: Reduction,
    model: Model,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    columns: usize,
    scaler: Scaler,
    reduction: Reduction,
    model: Model,
}

impl TryFrom<Stored> for PipelineModel {
    type Error = LearnError;

    fn try_from(Stored { columns, scaler, reduction, model }: Stored) -> Result<Self, LearnError> {
        let scaled = match &scaler {
            Scaler::None => columns,
            Scaler::Standard(s) => s.mean().len(),
            Scaler::MinMax(s) => s.columns(),
        };
        let (takes, gives) = match &reduction {
            Reduction::None => (columns, columns),
            Reduction::Pca(pca) => (pca.mean().len(), pca.components().nrows()),
            Reduction::Lda(lda) => (lda.columns(), lda.explained_variance_ratio().len()),
        };
        if columns == 0 || scaled != columns || takes != columns || model.columns() != gives {
            return Err(LearnError::Inconsistent { reason: "the stages of the pipeline differ in columns" });
        }
        Ok(Self { columns, scaler, reduction, model })
    }
}

impl Pipeline {
    /// The settings.
    #[must_use]
    pub const fn config(&self) -> &PipelineConfig {
        &self.config
    }
}

impl Learner for Pipeline {
    type Model = PipelineModel;

    fn fit(
        &self,
        table: ArrayView2<'_, f64>,
        labels: &[usize],
        classes: usize,
    ) -> Result<PipelineModel, LearnError> {
        let table = table.as_standard_layout();
        let table = table.view();
        let scaler = match self.config.scaler {
            ScalerConfig::None => Scaler::None,
            ScalerConfig::Standard => Scaler::Standard(StandardScaler::fit(table)?),
            ScalerConfig::MinMax => Scaler::MinMax(MinMaxScaler::fit(table)?),
        };
        let scaled = scaler.apply(table)?;
        let reduction = match &self.config.reduction {
            ReductionConfig::None => Reduction::None,
            ReductionConfig::Pca(pca) => Reduction::Pca(Pca::fit(pca, scaled.view())?),
            ReductionConfig::Lda(lda) => Reduction::Lda(lda.plan()?.fit(scaled.view(), labels, classes)?),
        };
        let reduced = reduction.apply(scaled)?;
        let model = self.learner.fit(reduced.view(), labels, classes)?;
        Ok(PipelineModel { columns: table.ncols(), scaler, reduction, model })
    }
}

impl Scaler {
    /// In row order, so that results do not depend on how a table lies in memory.
    fn apply(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        let table = table.as_standard_layout();
        let table = table.view();
        match self {
            Self::None => Ok(table.to_owned()),
            Self::Standard(scaler) => scaler.transform(table),
            Self::MinMax(scaler) => scaler.transform(table),
        }
    }
}

impl Reduction {
    fn apply(&self, table: Array2<f64>) -> Result<Array2<f64>, LearnError> {
        match self {
            Self::None => Ok(table),
            Self::Pca(pca) => pca.transform(table.view()),
            Self::Lda(lda) => lda.transform(table.view()),
        }
    }
}

impl PipelineModel {
    /// The table as the classifier sees it.
    ///
    /// # Errors
    /// As [`Classifier::predict`].
    pub fn transform(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        self.reduction.apply(self.scaler.apply(table)?)
    }

    /// The classifier at the end.
    #[must_use]
    pub const fn model(&self) -> &Model {
        &self.model
    }
}

impl Classifier for PipelineModel {
    fn classes(&self) -> usize {
        self.model.classes()
    }

    fn present(&self) -> &[usize] {
        self.model.present()
    }

    fn columns(&self) -> usize {
        self.columns
    }

    fn predict(&self, table: ArrayView2<'_, f64>) -> Result<Vec<usize>, LearnError> {
        self.model.predict(self.transform(table)?.view())
    }

    fn predict_proba(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        self.model.predict_proba(self.transform(table)?.view())
    }

    fn decision(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        self.model.decision(self.transform(table)?.view())
    }

    fn convergence(&self) -> Option<Convergence> {
        self.model.convergence()
    }

    /// Of the table's columns; none where a reduction stands between.
    fn importances(&self) -> Option<Vec<f64>> {
        if self.reduction == Reduction::None { self.model.importances() } else { None }
    }
}

/// Version of the file of a pipeline.
pub const MODEL_FILE_VERSION: u32 = 1;

/// A fitted pipeline with the names of its columns and classes: one JSON file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    format: String,
    version: u32,
    columns: Vec<String>,
    classes: Vec<String>,
    pipeline: PipelineModel,
}

const FORMAT: &str = "mgr-learn pipeline";

impl ModelFile {
    /// Joins a pipeline and its names.
    ///
    /// # Errors
    /// [`LearnError::Inconsistent`] where there are not as many names as columns or classes.
    pub fn new(
        pipeline: PipelineModel,
        columns: Vec<String>,
        classes: Vec<String>,
    ) -> Result<Self, LearnError> {
        Self { format: FORMAT.to_owned(), version: MODEL_FILE_VERSION, columns, classes, pipeline }.checked()
    }

    fn checked(self) -> Result<Self, LearnError> {
        if self.columns.len() != self.pipeline.columns() || self.classes.len() != self.pipeline.classes() {
            return Err(LearnError::Inconsistent { reason: "names do not match the columns or classes" });
        }
        Ok(self)
    }

    /// The pipeline.
    #[must_use]
    pub const fn pipeline(&self) -> &PipelineModel {
        &self.pipeline
    }

    /// Names of the columns.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Names of the classes.
    #[must_use]
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The file's text. Numbers are written so that reading gives the same bits.
    ///
    /// # Errors
    /// [`LearnError::File`] where a value cannot be written.
    pub fn to_json(&self) -> Result<String, LearnError> {
        let refuse =
            |e: serde_json::Error| LearnError::File { path: "model".to_owned(), reason: e.to_string() };
        serde_json::to_string(self).map_err(refuse)
    }

    /// Reads the file's text.
    ///
    /// # Errors
    /// [`LearnError::File`] for text that is no model of this version, or one whose parts do not fit together.
    pub fn from_json(text: &str) -> Result<Self, LearnError> {
        #[derive(Deserialize)]
        struct Head {
            format: String,
            version: u32,
        }
        let refuse = |reason: String| LearnError::File { path: "model".to_owned(), reason };
        let head: Head =
            serde_json::from_str(text).map_err(|e| refuse(format!("not a stored model: {e}")))?;
        if head.format != FORMAT {
            return Err(refuse(format!("not a stored model: format is {:?}", head.format)));
        }
        if head.version != MODEL_FILE_VERSION {
            let reason =
                format!("model of version {}, this program reads {MODEL_FILE_VERSION}", head.version);
            return Err(refuse(reason));
        }
        let file: Self = serde_json::from_str(text).map_err(|e| refuse(e.to_string()))?;
        file.checked().map_err(|e| refuse(e.to_string()))
    }

    /// Writes the file.
    ///
    /// # Errors
    /// [`LearnError::File`].
    pub fn save(&self, path: &Path) -> Result<(), LearnError> {
        let refuse = |reason: String| LearnError::File { path: path.display().to_string(), reason };
        // Beside the place, then moved there: no half a file under the name.
        let beside = path.with_extension("json.part");
        std::fs::write(&beside, self.to_json()?).map_err(|e| refuse(e.to_string()))?;
        std::fs::rename(&beside, path).map_err(|e| refuse(e.to_string()))
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`LearnError::File`].
    pub fn load(path: &Path) -> Result<Self, LearnError> {
        let refuse = |reason: String| LearnError::File { path: path.display().to_string(), reason };
        let text = std::fs::read_to_string(path).map_err(|e| refuse(e.to_string()))?;
        Self::from_json(&text).map_err(|e| match e {
            LearnError::File { reason, .. } => refuse(reason),
            other => refuse(other.to_string()),
        })
    }
}
