//! Learners by the reference's names and parameters.

use mgr_learn::{
    AdaBoostConfig, BaggingConfig, ClassWeight, Criterion, DecisionTreeConfig, ExtraTreesConfig, Gamma,
    GaussianNbConfig, GradientBoostingConfig, Kernel, KnnConfig, LdaConfig, LearnerConfig, LinearSvcConfig,
    LinearSvcLoss, LogisticRegressionConfig, MaxFeatures, Metric, MlpConfig, MultiClass,
    NearestCentroidConfig, NeighbourWeight, PerceptronConfig, RandomForestConfig, RidgeConfig, SgdConfig,
    SgdLoss, SvcConfig, TreeSettings,
};
use serde_json::{Map, Value};

use crate::golden::Params;

fn word(params: &mut Params, name: &str, default: &str) -> Result<String, String> {
    match params.take(name) {
        None => Ok(default.to_owned()),
        Some(Value::String(s)) => Ok(s),
        Some(other) => Err(format!("{name} is {other}, not a word")),
    }
}

fn refuse<T>(name: &str, value: &str) -> Result<T, String> {
    Err(format!("{name} {value} is not known"))
}

fn metric(params: &mut Params) -> Result<Metric, String> {
    match word(params, "metric", "euclidean")?.as_str() {
        "euclidean" | "l2" | "minkowski" => Ok(Metric::Euclidean),
        "cosine" => Ok(Metric::Cosine),
        other => refuse("metric", other),
    }
}

fn class_weight(params: &mut Params) -> Result<ClassWeight, String> {
    match params.take("class_weight") {
        None => Ok(ClassWeight::Uniform),
        Some(Value::String(s)) if s == "balanced" => Ok(ClassWeight::Balanced),
        // {"0": 1.0, "1": 2.0}: by class, in the order of the classes.
        Some(Value::Object(weights)) => {
            let mut pairs: Vec<(i64, f64)> = weights
                .iter()
                .map(|(k, v)| Some((k.parse().ok()?, v.as_f64()?)))
                .collect::<Option<_>>()
                .ok_or("class_weight is not numbers by class")?;
            pairs.sort_by_key(|p| p.0);
            Ok(ClassWeight::Given(pairs.into_iter().map(|p| p.1).collect()))
        }
        Some(other) => Err(format!("class_weight {other} is not known")),
    }
}

fn max_features(params: &mut Params, default: MaxFeatures) -> Result<MaxFeatures, String> {
    if params.is_null("max_features") {
        params.take("max_features");
        return Ok(MaxFeatures::All);
    }
    match params.take("max_features") {
        None => Ok(default),
        Some(Value::String(s)) if s == "sqrt" => Ok(MaxFeatures::Sqrt),
        Some(Value::String(s)) if s == "log2" => Ok(MaxFeatures::Log2),
        Some(Value::Number(n)) => match (n.as_u64(), n.as_f64()) {
            (Some(count), _) => Ok(MaxFeatures::Count(count as usize)),
            (None, Some(share)) => Ok(MaxFeatures::Share(share)),
            _ => refuse("max_features", &n.to_string()),
        },
        Some(other) => refuse("max_features", &other.to_string()),
    }
}

fn tree(params: &mut Params, max_depth: Option<usize>) -> Result<TreeSettings, String> {
    let criterion = match word(params, "criterion", "gini")?.as_str() {
        "gini" => Criterion::Gini,
        "entropy" | "log_loss" => Criterion::Entropy,
        other => return refuse("criterion", other),
    };
    let max_depth = if params.is_null("max_depth") { None } else { params.count("max_depth")?.or(max_depth) };
    params.take("max_depth");
    Ok(TreeSettings {
        criterion,
        max_depth,
        min_samples_split: params.count("min_samples_split")?.unwrap_or(2),
        min_samples_leaf: params.count("min_samples_leaf")?.unwrap_or(1),
    })
}

fn svc(params: &mut Params) -> Result<LearnerConfig, String> {
    let kernel = match word(params, "kernel", "rbf")?.as_str() {
        "linear" => Kernel::Linear,
        "rbf" => Kernel::Rbf,
        "poly" => Kernel::Polynomial {
            degree: params.count("degree")?.unwrap_or(3) as u32,
            coef0: params.number_or("coef0", 0.0)?,
        },
        other => return refuse("kernel", other),
    };
    if !matches!(kernel, Kernel::Polynomial { .. }) {
        params.take("degree");
        params.take("coef0");
    }
    let gamma = match params.take("gamma") {
        None => Gamma::Scale,
        Some(Value::String(s)) if s == "scale" => Gamma::Scale,
        Some(Value::String(s)) if s == "auto" => Gamma::Auto,
        Some(other) => Gamma::Value(other.as_f64().ok_or_else(|| format!("gamma {other} is not known"))?),
    };
    // The shape of the decision values is told by the outputs asked for.
    params.take("decision_function_shape");
    params.take("cache_size");
    let multi_class = match word(params, "multi_class", "ovo")?.as_str() {
        "ovo" => MultiClass::OneVsOne,
        "ovr" => MultiClass::OneVsRest,
        other => return refuse("multi_class", other),
    };
    Ok(LearnerConfig::Svc(SvcConfig {
        kernel,
        gamma,
        c: params.number_or("C", 1.0)?,
        tolerance: params.number_or("tol", 1e-3)?,
        class_weight: class_weight(params)?,
        multi_class,
        probability: params.flag_or("probability", false)?,
        shrinking: params.flag_or("shrinking", true)?,
        ..SvcConfig::default()
    }))
}

/// The settings of the learner that an entry names.
///
/// # Errors
/// A sentence that names the learner or the parameter that is not known.
pub fn config(name: &str, params: &Map<String, Value>) -> Result<LearnerConfig, String> {
    let params = &mut Params::new(params);
    params.take("random_state");
    params.take("n_jobs");
    let is = |start: &str| name.starts_with(start);
    let config = if is("linear_svc") || is("linearsvc") {
        let loss = match word(params, "loss", "squared_hinge")?.as_str() {
            "squared_hinge" => LinearSvcLoss::SquaredHinge,
            "hinge" => LinearSvcLoss::Hinge,
            other => return refuse("loss", other),
        };
        params.take("dual");
        LearnerConfig::LinearSvc(LinearSvcConfig {
            loss,
            c: params.number_or("C", 1.0)?,
            // The optimum is one; a fit that reaches it is near whatever the reference stopped at.
            tolerance: params.number_or("tol", 1e-4)?.min(1e-6),
            max_iterations: params.count("max_iter")?.unwrap_or(1000).max(10_000),
            class_weight: class_weight(params)?,
            ..LinearSvcConfig::default()
        })
    } else if is("svc") || is("svm") {
        svc(params)?
    } else if is("logreg") || is("logistic") {
        match word(params, "penalty", "l2")?.as_str() {
            "l2" => {}
            other => return refuse("penalty", other),
        }
        for unused in ["multinomial", "multi_class", "solver", "max_iter", "l1_ratio"] {
            params.take(unused);
        }
        LearnerConfig::Logistic(LogisticRegressionConfig {
            c: params.number_or("C", 1.0)?,
            tolerance: params.number_or("tol", 1e-6)?.clamp(1e-12, 1e-8),
            max_iterations: 100_000,
            class_weight: class_weight(params)?,
        })
    } else if is("ridge") {
        params.take("solver");
        params.take("tol");
        LearnerConfig::Ridge(RidgeConfig {
            alpha: params.number_or("alpha", 1.0)?,
            class_weight: class_weight(params)?,
        })
    } else if is("knn") || is("kneighbors") {
        let weight = match word(params, "weights", "uniform")?.as_str() {
            "uniform" => NeighbourWeight::Uniform,
            "distance" => NeighbourWeight::Distance,
            other => return refuse("weights", other),
        };
        params.take("algorithm");
        let neighbours = params.count("k")?.or(params.count("n_neighbors")?).unwrap_or(5);
        LearnerConfig::Knn(KnnConfig { neighbours, weight, metric: metric(params)? })
    } else if is("nearest_centroid") {
        LearnerConfig::NearestCentroid(NearestCentroidConfig { metric: metric(params)? })
    } else if is("gaussian_nb") {
        LearnerConfig::GaussianNb(GaussianNbConfig {
            var_smoothing: params.number_or("var_smoothing", 1e-9)?,
        })
    } else if is("lda") {
        match word(params, "solver", "svd")?.as_str() {
            "svd" => {}
            other => return refuse("solver", other),
        }
        params.take("n_components");
        LearnerConfig::Lda(LdaConfig { tolerance: params.number_or("tol", 1e-4)?, ..LdaConfig::default() })
    } else if is("perceptron") {
        LearnerConfig::Perceptron(PerceptronConfig {
            max_iterations: params.count("max_iter")?.unwrap_or(1000),
            tolerance: params.number_or("tol", 1e-3)?,
            class_weight: class_weight(params)?,
            seed: 0,
        })
    } else if is("sgd") {
        let loss = match word(params, "loss", "hinge")?.as_str() {
            "hinge" => SgdLoss::Hinge,
            "squared_hinge" => SgdLoss::SquaredHinge,
            "log_loss" | "log" => SgdLoss::Log,
            other => return refuse("loss", other),
        };
        params.take("penalty");
        LearnerConfig::Sgd(SgdConfig {
            loss,
            alpha: params.number_or("alpha", 1e-4)?,
            max_iterations: params.count("max_iter")?.unwrap_or(1000),
            tolerance: params.number_or("tol", 1e-3)?,
            class_weight: class_weight(params)?,
            seed: 0,
        })
    } else if is("decision_tree") {
        LearnerConfig::DecisionTree(DecisionTreeConfig {
            tree: tree(params, None)?,
            max_features: max_features(params, MaxFeatures::All)?,
            class_weight: class_weight(params)?,
            seed: 0,
        })
    } else if is("random_forest") {
        LearnerConfig::RandomForest(RandomForestConfig {
            n_estimators: params.count("n_estimators")?.unwrap_or(100),
            tree: tree(params, None)?,
            max_features: max_features(params, MaxFeatures::Sqrt)?,
            bootstrap: params.flag_or("bootstrap", true)?,
            class_weight: class_weight(params)?,
            seed: 0,
        })
    } else if is("extra_trees") {
        LearnerConfig::ExtraTrees(ExtraTreesConfig {
            n_estimators: params.count("n_estimators")?.unwrap_or(100),
            tree: tree(params, None)?,
            max_features: max_features(params, MaxFeatures::Sqrt)?,
            bootstrap: params.flag_or("bootstrap", false)?,
            class_weight: class_weight(params)?,
            seed: 0,
        })
    } else if is("bagging") {
        LearnerConfig::Bagging(BaggingConfig {
            n_estimators: params.count("n_estimators")?.unwrap_or(10),
            tree: tree(params, None)?,
            ..BaggingConfig::default()
        })
    } else if is("ada") {
        params.take("algorithm");
        LearnerConfig::AdaBoost(AdaBoostConfig {
            n_estimators: params.count("n_estimators")?.unwrap_or(50),
            learning_rate: params.number_or("learning_rate", 1.0)?,
            tree: tree(params, Some(1))?,
            seed: 0,
        })
    } else if is("gradient_boosting") {
        params.take("criterion");
        LearnerConfig::GradientBoosting(GradientBoostingConfig {
            n_estimators: params.count("n_estimators")?.unwrap_or(100),
            learning_rate: params.number_or("learning_rate", 0.1)?,
            max_depth: params.count("max_depth")?.unwrap_or(3),
            min_samples_split: params.count("min_samples_split")?.unwrap_or(2),
            min_samples_leaf: params.count("min_samples_leaf")?.unwrap_or(1),
            subsample: params.number_or("subsample", 1.0)?,
            max_features: max_features(params, MaxFeatures::All)?,
            seed: 0,
        })
    } else if is("mlp") {
        let hidden = match params.take("hidden_layer_sizes") {
            None => vec![100],
            Some(Value::Number(n)) => vec![n.as_u64().unwrap_or(0) as usize],
            Some(list) => serde_json::from_value(list).map_err(|e| format!("hidden_layer_sizes: {e}"))?,
        };
        params.take("activation");
        params.take("solver");
        params.take("batch_size");
        LearnerConfig::Mlp(MlpConfig {
            hidden,
            alpha: params.number_or("alpha", 1e-4)?,
            learning_rate: params.number_or("learning_rate_init", 1e-3)?,
            max_iterations: params.count("max_iter")?.unwrap_or(200),
            tolerance: params.number_or("tol", 1e-4)?,
            ..MlpConfig::default()
        })
    } else {
        return Err(format!("no learner is known by the name {name}"));
    };
    std::mem::replace(params, Params::new(&Map::new())).done()?;
    Ok(config)
}
