//! `mgr extract --table`: one row a file.

use std::path::{Component, Path, PathBuf};

use clap::Args;
use mgr_data::dataset::Track;
use mgr_data::folder::readable;
use mgr_data::groups::Groups;
use mgr_data::table::{Statistic, Table, TableFormat, column_names, vector};
use ndarray::Array2;

use crate::extract::Named;
use crate::outcome::print;

#[derive(Args)]
pub(crate) struct TableChoice {
    /// One table instead of, or beside, a file for each: .parquet, .csv, .arff or .npz. A row a file: its path below the folder given as
    /// the id, the folder that it lies in as the label where every file lies in one.
    #[arg(long, value_name = "FILE")]
    table: Option<PathBuf>,
    /// Statistics over time of a feature that is a matrix, by name: mean, std, var, min, max, median, skew, kurtosis. A feature of one
    /// column with named rows needs none.
    #[arg(long, value_name = "LIST", value_delimiter = ',', requires = "table", value_parser = statistic)]
    statistics: Vec<Statistic>,
    /// CSV with the columns track (a file's name without its ending) and artist, for the table's column `group`.
    #[arg(long, value_name = "FILE", requires = "table")]
    groups: Option<PathBuf>,
}

fn statistic(name: &str) -> Result<Statistic, String> {
    Statistic::named(name).ok_or_else(|| {
        let names: Vec<&str> = Statistic::ALL.into_iter().map(Statistic::name).collect();
        format!("there are: {}", names.join(", "))
    })
}

/// What a file gives the table.
pub(crate) struct Row {
    columns: Vec<String>,
    values: Vec<f64>,
}

impl TableChoice {
    /// Refuses what cannot be written before anything is computed.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.table.as_deref().map(TableFormat::of).transpose().map(drop).map_err(|e| e.to_string())
    }

    /// The row of a file's features; none where no table is asked for.
    pub(crate) fn row(&self, results: &[Named]) -> Result<Option<Row>, String> {
        if self.table.is_none() {
            return Ok(None);
        }
        let (mut columns, mut values) = (Vec::new(), Vec::new());
        for Named { set, feature, layout, matrix } in results {
            let names = column_names(feature, layout, &self.statistics).map_err(|e| e.to_string())?;
            // Two features of a set may have rows of one name.
            columns.extend(names.into_iter().map(|name| match set {
                Some(set) if results.len() > 1 && !name.starts_with(set.as_str()) => format!("{set}_{name}"),
                _ => name,
            }));
            values.extend(vector(matrix.view(), &self.statistics));
        }
        Ok(Some(Row { columns, values }))
    }

    /// Writes the rows of all files, by their paths below the folders given.
    pub(crate) fn write(&self, rows: Vec<(PathBuf, Row)>) -> Result<(), String> {
        let Some(path) = &self.table else { return Ok(()) };
        let Some((_, first)) = rows.first() else { return Ok(()) };
        let columns = first.columns.clone();
        let mut values = Vec::with_capacity(rows.len() * columns.len());
        for (file, row) in &rows {
            if row.columns != columns {
                return Err(format!(
                    "{}: has {} columns, the first file {}",
                    file.display(),
                    row.columns.len(),
                    columns.len()
                ));
            }
            values.extend(&row.values);
        }
        let ids = rows.iter().map(|(file, _)| readable(file.as_os_str())).collect();
        let shape = (rows.len(), columns.len());
        let values = Array2::from_shape_vec(shape, values).map_err(|e| e.to_string())?;
        let mut table = Table::new(ids, columns, values).map_err(|e| e.to_string())?;
        let labels: Option<Vec<String>> = rows.iter().map(|(file, _)| folder_of(file)).collect();
        if let Some(labels) = labels {
            table = table.with_labels(labels).map_err(|e| e.to_string())?;
        }
        if let Some(groups) = &self.groups {
            let groups = Groups::read(groups).map_err(|e| e.to_string())?;
            let of = |(file, _): &(PathBuf, Row)| {
                groups.group(&Track { id: readable(file.as_os_str()), path: file.clone(), class: 0 })
            };
            table = table.with_groups(rows.iter().map(of).collect()).map_err(|e| e.to_string())?;
        }
        table.write(path).map_err(|e| e.to_string())?;
        print(format_args!("{}  {} rows of {} columns", path.display(), shape.0, shape.1))
    }
}

/// The folder that a file lies in, by name; none for a file at the top.
fn folder_of(file: &Path) -> Option<String> {
    match file.parent()?.components().next_back()? {
        Component::Normal(name) => Some(readable(name)),
        _ => None,
    }
}
