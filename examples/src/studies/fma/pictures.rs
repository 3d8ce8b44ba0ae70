//! Pictures of a table: how many clips a genre has, how measures are distributed, and the plane that a projection shows.

use mgr_eval::figure::{Caption, Figure, Importance, distribution_figure, importance_figure, scatter_figure};
use mgr_learn::{
    Lda, LdaConfig, Learner, Pca, PcaConfig, StandardScaler, TsneConfig, UmapConfig, trustworthiness,
};
use ndarray::{Array2, Axis};

use super::tables::StudyTable;
use crate::studies::picture_parts::spoken::{Result, sentence};

/// How many rows a genre has.
///
/// # Errors
/// The sentence of mgr-eval.
pub fn genre_counts(table: &StudyTable) -> Result<Figure> {
    let mut counts = vec![0.0; table.classes.len()];
    table.labels.iter().for_each(|&label| counts[label] += 1.0);
    let bar = |(name, &value): (&String, &f64)| Importance { name: name.clone(), value, deviation: None };
    let bars: Vec<Importance> = table.classes.iter().zip(&counts).map(bar).collect();
    let caption = Caption { name: "genres", title: "Rows of each genre" };
    importance_figure(caption, "Rows", &bars, 100.min(bars.len())).map_err(sentence)
}

/// How each described measure is distributed in each genre; of a table without measures its first `most` columns.
///
/// # Errors
/// The sentence of mgr-eval.
pub fn distributions(table: &StudyTable, most: usize) -> Result<Vec<Figure>> {
    let columns = |most: usize| {
        let column = |at: usize| (table.columns[at].clone(), table.values.column(at).to_vec());
        (0..table.columns.len().min(most)).map(column).collect::<Vec<_>>()
    };
    let shown: Vec<(String, Vec<f64>)> = if table.measures.is_empty() {
        columns(most)
    } else {
        table.measures.iter().map(|m| (m.name.clone(), m.values.clone())).collect()
    };
    // A few rows a bin, or the lines show chance.
    let bins = (table.labels.len() / table.classes.len() / 6).clamp(8, 40);
    let drawn = shown.iter().filter(|(_, values)| values.iter().any(|v| v.is_finite())).enumerate();
    drawn
        .map(|(number, (name, values))| {
            let file = format!("distribution_{:02}", number + 1);
            let title = format!("{name} by genre");
            let caption = Caption { name: &file, title: &title };
            distribution_figure(caption, name, &table.by_class(values), &table.classes, bins)
                .map_err(sentence)
        })
        .collect()
}

/// The rows that are projected: at most so many of the training part, evenly over it, standardised.
///
/// # Errors
/// The sentence of mgr-learn.
pub fn rows_to_show(table: &StudyTable, most: usize) -> Result<(Array2<f64>, Vec<usize>)> {
    let train = &table.fold.train;
    let step = train.len().div_ceil(most.max(1)).max(1);
    let scaler = StandardScaler::fit(table.part(train).0.view()).map_err(sentence)?;
    let rows: Vec<usize> = train.iter().copied().step_by(step).collect();
    let (values, labels) = table.part(&rows);
    Ok((scaler.transform(values.view()).map_err(sentence)?, labels))
}

/// Two columns of a projection as a picture.
fn plane(
    [name, title]: [&str; 2],
    found: &Array2<f64>,
    [x, y]: [usize; 2],
    labels: &[usize],
    classes: &[String],
) -> Result<Figure> {
    let points: Vec<(f64, f64)> = found.rows().into_iter().map(|row| (row[x], row[y])).collect();
    scatter_figure(Caption { name, title }, &points, labels, classes).map_err(sentence)
}

/// The first three principal components, by pairs, and their shares of the variance.
///
/// # Errors
/// The sentences of mgr-learn and mgr-eval.
pub fn pca(rows: &Array2<f64>, labels: &[usize], classes: &[String]) -> Result<(Vec<Figure>, Vec<f64>)> {
    let components = rows.ncols().min(rows.nrows()).min(3);
    let config = PcaConfig { components: Some(components), ..PcaConfig::default() };
    let pca = Pca::fit(&config, rows.view()).map_err(sentence)?;
    let found = pca.transform(rows.view()).map_err(sentence)?;
    let shares = pca.explained_variance_ratio().to_vec();
    let pairs = [[0, 1], [0, 2], [1, 2]].into_iter().filter(|pair| pair[1] < components);
    let figures = pairs
        .map(|[x, y]| {
            let title = format!(
                "Principal components {} ({:.0} %) and {} ({:.0} %)",
                x + 1,
                100.0 * shares[x],
                y + 1,
                100.0 * shares[y]
            );
            plane([&format!("pca_{}_{}", x + 1, y + 1), &title], &found, [x, y], labels, classes)
        })
        .collect::<Result<_>>()?;
    Ok((figures, shares))
}

/// The first three discriminant directions, by pairs; where there is but one, as of two genres, its distribution.
///
/// # Errors
/// The sentences of mgr-learn and mgr-eval.
pub fn lda(rows: &Array2<f64>, labels: &[usize], classes: &[String]) -> Result<Vec<Figure>> {
    let lda: Lda = LdaConfig::default().plan().map_err(sentence)?;
    let model = lda.fit(rows.view(), labels, classes.len()).map_err(sentence)?;
    let found = model.transform(rows.view()).map_err(sentence)?;
    if found.ncols() < 2 {
        let mut by_class = vec![Vec::new(); classes.len()];
        labels.iter().zip(found.column(0)).for_each(|(&label, &value)| by_class[label].push(value));
        let caption = Caption { name: "lda_1", title: "The only discriminant direction" };
        let figure = distribution_figure(caption, "Discriminant direction", &by_class, classes, 60);
        return Ok(vec![figure.map_err(sentence)?]);
    }
    let pairs = [[0, 1], [0, 2], [1, 2]].into_iter().filter(|pair| pair[1] < found.ncols());
    pairs
        .map(|[x, y]| {
            let title = format!("Discriminant directions {} and {}", x + 1, y + 1);
            plane([&format!("lda_{}_{}", x + 1, y + 1), &title], &found, [x, y], labels, classes)
        })
        .collect()
}

/// t-SNE and UMAP of at most a hundred principal components, each with the share of neighbourhoods that it keeps
/// (trustworthiness at 12).
///
/// # Errors
/// The sentences of mgr-learn and mgr-eval.
pub fn neighbours(
    rows: &Array2<f64>,
    labels: &[usize],
    classes: &[String],
    seed: u64,
) -> Result<Vec<(Figure, f64)>> {
    let components = rows.ncols().min(rows.nrows()).min(100);
    let config = PcaConfig { components: Some(components), ..PcaConfig::default() };
    let pca = Pca::fit(&config, rows.view()).map_err(sentence)?;
    let reduced = pca.transform(rows.view()).map_err(sentence)?;
    let n = reduced.len_of(Axis(0)) as f64;
    let defaults = TsneConfig::default();
    // Perplexity has to stay below a third of the rows.
    let perplexity = defaults.perplexity.min(((n - 1.0) / 3.0 - 1.0).max(1.0));
    let tsne = TsneConfig { perplexity, ..defaults }.plan().and_then(|t| t.embed(reduced.view()));
    let umap_defaults = UmapConfig::default();
    let neighbours = umap_defaults.neighbours.min((n as usize).saturating_sub(1).max(2));
    let umap = UmapConfig { neighbours, seed, ..umap_defaults }.plan().and_then(|u| u.embed(reduced.view()));
    let mut figures = Vec::new();
    for (name, title, found) in [("tsne", "t-SNE", tsne), ("umap", "UMAP", umap)] {
        let found = found.map_err(sentence)?;
        let k = 12.min((n / 2.0 - 1.0).max(1.0) as usize);
        let kept = trustworthiness(reduced.view(), found.view(), k).map_err(sentence)?;
        let title = format!("{title} of {components} principal components");
        figures.push((plane([name, &title], &found, [0, 1], labels, classes)?, kept));
    }
    Ok(figures)
}
