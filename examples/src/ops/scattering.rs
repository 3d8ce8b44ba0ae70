//! Time scattering, and the MLFCF front end made of it.
//!
//! Beside the reference's parameters both ops take `precision`, "single" (default) or "double".

use std::collections::BTreeMap;

use mgr_features::Extractor;
use mgr_features::scattering::{
    Averaging, MlfcfScattering, MlfcfScatteringConfig, Path, Precision, Scaling, Scattering, ScatteringConfig,
    ScatteringLists, Wavelet,
};
use ndarray::{Array1, Array2, ShapeBuilder};
use serde_json::Value;

use super::parameters::text;
use super::{Op, Outputs, Repeat};
use crate::golden::{Array, Params};

pub(super) const OPS: &[&str] = &["scattering1d", "mlfcf_scatter"];

pub(super) fn plan(op: &str, params: &mut Params, sample_rate: u32) -> Result<Box<dyn Op>, String> {
    let length = params.count("length")?;
    if op == "mlfcf_scatter" {
        let scattering = config(params, 10, 6)?;
        let front_end = MlfcfScatteringConfig { scattering }.plan(sample_rate).map_err(text)?;
        return Ok(Box::new(FrontEnd { front_end, length }));
    }
    let mut config = config(params, 8, 8)?;
    if let Some(t) = params.count("T")? {
        config.averaging = Averaging::Samples(u32::try_from(t).map_err(|_| format!("T is {t}"))?);
    }
    if !params.flag_or("average", true)? {
        config.averaging = Averaging::None;
    }
    config.max_order = params.count("max_order")?.map_or(2, |order| order.min(255) as u8);
    config.oversampling = count(params, "oversampling", 0)?;
    Ok(match config.averaging {
        Averaging::None => Box::new(Lists { lists: config.plan_lists(sample_rate).map_err(text)?, length }),
        _ => Box::new(Matrix { scattering: config.plan(sample_rate).map_err(text)?, length }),
    })
}

fn count(params: &mut Params, name: &str, default: u32) -> Result<u32, String> {
    let count = params.count(name)?;
    count.map_or(Ok(default), |n| u32::try_from(n).map_err(|_| format!("{name} is {n}")))
}

fn config(params: &mut Params, j: u32, q: u32) -> Result<ScatteringConfig, String> {
    let (q, q2) = match params.take("Q") {
        None => (q, 1),
        Some(value) => {
            let number = |v: &Value| v.as_u64().and_then(|q| u32::try_from(q).ok());
            let pair = match &value {
                Value::Array(pair) => match pair.as_slice() {
                    [first] => number(first).zip(Some(1)),
                    [first, second] => number(first).zip(number(second)),
                    _ => None,
                },
                one => number(one).zip(Some(1)),
            };
            pair.ok_or_else(|| format!("Q is {value}, neither a count nor two"))?
        }
    };
    let precision = match params.take("precision").as_ref().map(|v| v.as_str()) {
        None | Some(Some("single")) => Precision::Single,
        Some(Some("double")) => Precision::Double,
        Some(other) => return Err(format!("precision is {other:?}, neither single nor double")),
    };
    let j = count(params, "J", j)?;
    // The reference's version scales like that.
    Ok(ScatteringConfig { j, q, q2, scaling: Scaling::Legacy, precision, ..ScatteringConfig::default() })
}

fn cut(samples: &[f32], length: Option<usize>) -> &[f32] {
    &samples[..length.unwrap_or(samples.len()).min(samples.len())]
}

/// A matrix, and what the reference tells of its rows.
struct Matrix {
    scattering: Scattering,
    length: Option<usize>,
}

impl Op for Matrix {
    fn run(&self, samples: &[f32]) -> Result<Outputs, String> {
        let matrix = self.scattering.process_double(cut(samples, self.length)).map_err(text)?;
        let paths = self.scattering.paths();
        let width = usize::from(paths.iter().map(Path::order).max().unwrap_or(0));
        let table = |value: fn(Wavelet) -> f64| {
            let cell = |(row, order): (usize, usize)| -> f64 {
                [paths[row].first, paths[row].second][order].map_or(f64::NAN, value)
            };
            Array::Double(Array2::from_shape_fn((paths.len(), width), cell).into_dyn())
        };
        let order: Array1<i32> = paths.iter().map(|p| p.order().into()).collect();
        Ok(vec![
            ("S", Array::Double(matrix.into_dyn())),
            ("meta_order", Array::Integer(order.into_dyn())),
            ("meta_xi", table(|w| w.xi)),
            ("meta_sigma", table(|w| w.sigma)),
            ("meta_j", table(|w| w.j as f64)),
            ("meta_n", table(|w| w.n as f64)),
        ])
    }

    fn repeat<'a>(&'a self, samples: &'a [f32]) -> Result<Repeat<'a>, String> {
        repeat(&self.scattering, cut(samples, self.length))
    }
}

/// The front end of MLFCF; the reference has time first.
struct FrontEnd {
    front_end: MlfcfScattering,
    length: Option<usize>,
}

impl Op for FrontEnd {
    fn run(&self, samples: &[f32]) -> Result<Outputs, String> {
        let matrix = self.front_end.process_double(cut(samples, self.length)).map_err(text)?;
        Ok(vec![("out", Array::Double(matrix.reversed_axes().into_dyn()))])
    }

    fn repeat<'a>(&'a self, samples: &'a [f32]) -> Result<Repeat<'a>, String> {
        repeat(&self.front_end, cut(samples, self.length))
    }
}

fn repeat<'a>(extractor: &'a dyn Extractor, samples: &'a [f32]) -> Result<Repeat<'a>, String> {
    let layout = extractor.layout(samples.len()).map_err(text)?;
    let mut out = Array2::zeros((layout.rows, layout.columns).f());
    let mut scratch = extractor.scratch_for(samples.len());
    Ok(Box::new(move || {
        extractor.extract_into(samples, out.view_mut(), &mut scratch).map_err(text)?;
        std::hint::black_box(&out);
        Ok(())
    }))
}

/// Rows of different lengths: one matrix for each length, with the rows that it holds.
struct Lists {
    lists: ScatteringLists,
    length: Option<usize>,
}

impl Op for Lists {
    fn run(&self, samples: &[f32]) -> Result<Outputs, String> {
        self.lists.process_double(cut(samples, self.length)).map_err(text)?;
        Ok(Vec::new())
    }

    fn run_named(&self, samples: &[f32]) -> Result<Vec<(String, Array)>, String> {
        let rows = self.lists.process_double(cut(samples, self.length)).map_err(text)?;
        let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (index, row) in rows.iter().enumerate() {
            groups.entry(row.len()).or_default().push(index);
        }
        let mut outputs = Vec::new();
        for (length, indices) in groups {
            let matrix = Array2::from_shape_fn((indices.len(), length), |(i, n)| rows[indices[i]][n]);
            let indices: Array1<i32> = indices.into_iter().map(|i| i as i32).collect();
            outputs.push((format!("len{length}"), Array::Double(matrix.into_dyn())));
            outputs.push((format!("len{length}_path"), Array::Integer(indices.into_dyn())));
        }
        let n = |w: Option<Wavelet>| w.map_or(-1, |w| w.n as i32);
        let paths = self.lists.paths();
        let table = Array2::from_shape_fn((paths.len(), 2), |(i, order)| n([paths[i].first, paths[i].second][order]));
        outputs.push(("path_n".to_owned(), Array::Integer(table.into_dyn())));
        Ok(outputs)
    }
}
