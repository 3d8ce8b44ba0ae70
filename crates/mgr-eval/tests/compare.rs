//! Intervals and tests against the examples of the papers, and against scipy.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use approx::{assert_abs_diff_eq, assert_relative_eq};
use mgr_eval::EvalError;
use mgr_eval::compare::{
    BootstrapConfig, BootstrapMethod, bootstrap_clips, bootstrap_groups, corrected_t_test, friedman, mcnemar,
    mcnemar_counts,
};
use mgr_eval::metrics::{mean_over_seeds, wilson_interval};
use ndarray::{Array2, array};

/// Demšar 2006, table 6: AUC of C4.5, with m tuned, with cf tuned, with both, on 14 datasets. It ranks
/// the two 0.975 of the last row but one as 2 and 3: they differ beyond the printed digits, hence the fourth one here.
fn demsar() -> Array2<f64> {
    array![
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.9751, 0.975],
        [0.957, 0.978, 0.946, 0.970],
    ]
}

#[test]
fn friedman_and_nemenyi_give_demsars_example() {
    let test = friedman(demsar().view()).unwrap();
    let printed: Vec<String> = test.mean_ranks.iter().map(|rank| format!("{rank:.3}")).collect();
    assert_eq!(printed, ["3.143", "2.000", "2.893", "1.964"]);
    // The paper prints 9.28 and 3.69, from ranks rounded to three decimals.
    assert_abs_diff_eq!(test.chi_squared, 9.28, epsilon = 0.01);
    assert_abs_diff_eq!(test.iman_davenport, 3.69, epsilon = 0.01);
    assert_relative_eq!(test.tie_corrected.unwrap(), 10.228346456692925, max_relative = 1e-12);
    assert_relative_eq!(test.tie_corrected_p, 0.016721580328441323, max_relative = 1e-10);
    let strict = test.nemenyi(0.05).unwrap();
    let loose = test.nemenyi(0.10).unwrap();
    assert_eq!(format!("{:.2} {:.2}", strict.critical_difference, loose.critical_difference), "1.25 1.12");
    // At 0.10 the paper joins C4.5+m+cf with C4.5+m, C4.5+cf and C4.5+m, and C4.5 with C4.5+cf.
    assert_eq!(loose.groups, [vec![3, 1, 2], vec![2, 0]]);
    let gap = (test.mean_ranks[0] - test.mean_ranks[3]).abs();
    assert!((strict.p[0][3] < 0.05) == (gap > strict.critical_difference));
    assert_relative_eq!(strict.p[0][3], 0.0741847950687442, max_relative = 1e-6);
}

#[test]
fn nemenyis_critical_values_are_those_of_demsars_table() {
    // Demšar 2006, table 5 (a): q for 2 to 10 systems, printed with three decimals.
    let printed = [
        (0.05, ["1.960", "2.343", "2.569", "2.728", "2.850", "2.949", "3.031", "3.102", "3.164"]),
        (0.10, ["1.645", "2.052", "2.291", "2.459", "2.589", "2.693", "2.780", "2.855", "2.920"]),
    ];
    for (alpha, row) in printed {
        for (systems, printed) in (2..).zip(row) {
            let measures = Array2::from_shape_fn((6, systems), |(i, j)| (i * j) as f64);
            let k = systems as f64;
            let difference = friedman(measures.view()).unwrap().nemenyi(alpha).unwrap().critical_difference;
            let q = difference / (k * (k + 1.0) / 36.0).sqrt();
            // Some of the printed digits are cut, not rounded.
            assert_abs_diff_eq!(q, printed.parse::<f64>().unwrap(), epsilon = 1.1e-3);
        }
    }
}

#[test]
fn systems_that_tie_or_rank_alike_everywhere_have_defined_results() {
    let ties = friedman(Array2::from_elem((5, 3), 0.5).view()).unwrap();
    assert_eq!((ties.chi_squared, ties.tie_corrected, ties.tie_corrected_p), (0.0, None, 1.0));
    assert_eq!(ties.nemenyi(0.05).unwrap().groups, [vec![0, 1, 2]]);
    let alike = friedman(Array2::from_shape_fn((8, 3), |(_, j)| j as f64).view()).unwrap();
    assert!(alike.iman_davenport.is_infinite() && alike.iman_davenport_p == 0.0);
    assert_eq!(alike.mean_ranks, [3.0, 2.0, 1.0]);
    assert!(matches!(
        friedman(array![[1.0, 2.0]].view()),
        Err(EvalError::Parameter { name: "datasets", .. })
    ));
    assert!(matches!(
        friedman(array![[1.0, f64::NAN], [1.0, 2.0]].view()),
        Err(EvalError::NotFinite { row: 0, column: 1, .. })
    ));
}

#[test]
fn mcnemar_gives_the_published_p_values() {
    // Fagerland, Lydersen and Laake 2013: 1 against 7.
    let test = mcnemar_counts(1, 7);
    assert_relative_eq!(test.exact, 18.0 / 256.0, max_relative = 1e-12);
    assert_relative_eq!(test.mid_p, 10.0 / 256.0, max_relative = 1e-12);
    // statsmodels 0.15: mcnemar([[0, 12], [31, 0]]).
    let more = mcnemar_counts(12, 31);
    assert_relative_eq!(more.exact, 0.005401572654591291, max_relative = 1e-11);
    assert_relative_eq!(more.chi_squared, 7.534883720930233, max_relative = 1e-12);
    assert_relative_eq!(more.chi_squared_p, 0.006051564288387064, max_relative = 1e-11);
    // Even counts, and none at all.
    let even = mcnemar_counts(3, 3);
    assert_relative_eq!(even.mid_p, 1.0 - 0.5 * 20.0 / 64.0, max_relative = 1e-12);
    assert_eq!((even.exact, even.chi_squared_p), (1.0, 1.0));
    let none = mcnemar_counts(0, 0);
    assert_eq!((none.exact, none.mid_p, none.chi_squared_p), (1.0, 1.0, 1.0));
    assert!(mcnemar_counts(0, 3000).exact < 1e-300);

    let from_labels = mcnemar(&[0, 0, 1, 1, 2], &[0, 1, 1, 0, 2], &[1, 0, 1, 0, 0]).unwrap();
    assert_eq!((from_labels.first_only, from_labels.second_only), (2, 1));
    assert!(matches!(mcnemar(&[0], &[0, 1], &[0]), Err(EvalError::LengthMismatch { .. })));
}

#[test]
fn the_corrected_t_test_is_the_plain_one_with_a_larger_error() {
    let first = [0.81, 0.78, 0.84, 0.80, 0.79, 0.83, 0.77, 0.82, 0.80, 0.81];
    let second = [0.79, 0.77, 0.80, 0.80, 0.78, 0.80, 0.78, 0.79, 0.79, 0.78];
    // scipy 1.17.1: ttest_rel of the same values.
    let plain = corrected_t_test(&first, &second, 0.0, 0.95).unwrap();
    assert_relative_eq!(plain.t, 3.4306312493811952, max_relative = 1e-12);
    assert_relative_eq!(plain.p, 0.007500753487467584, max_relative = 1e-10);
    let corrected = corrected_t_test(&first, &second, 1.0 / 9.0, 0.95).unwrap();
    // sqrt(1/J) against sqrt(1/J + 1/9), J = 10.
    assert_relative_eq!(plain.t / corrected.t, (19.0_f64 / 9.0).sqrt(), max_relative = 1e-12);
    assert!(corrected.p > plain.p && corrected.freedom == 9);
    assert!(corrected.interval.low < plain.interval.low);
    assert_relative_eq!(corrected.p, 0.04252309653335413, max_relative = 1e-10);

    let same = corrected_t_test(&first, &first, 0.1, 0.95).unwrap();
    assert_eq!((same.t, same.p), (0.0, 1.0));
    let shifted = corrected_t_test(&[1.0, 1.0], &[0.5, 0.5], 0.1, 0.95).unwrap();
    assert_eq!((shifted.t, shifted.p), (f64::INFINITY, 0.0));
    assert!(matches!(corrected_t_test(&[1.0], &[1.0], 0.1, 0.95), Err(EvalError::Empty { .. })));
    assert!(matches!(
        corrected_t_test(&[f64::NAN, 1.0], &[1.0, 1.0], 0.1, 0.95),
        Err(EvalError::NotFinite { .. })
    ));
    assert!(matches!(corrected_t_test(&first, &second, -1.0, 0.95), Err(EvalError::Parameter { .. })));
}

fn skewed() -> Vec<f64> {
    (0..60).map(|i| ((i * 37 % 60) as f64 / 20.0).exp()).collect()
}

#[test]
fn bootstrap_intervals_agree_with_scipy() {
    let values = skewed();
    let mean = |clips: &[usize]| Some(clips.iter().map(|&i| values[i]).sum::<f64>() / clips.len() as f64);
    // scipy 1.17.1, bootstrap of the mean with 200,000 resamplings; the ends of 20,000 resamplings move by about 0.5 % of
    // the width, which is 2.7.
    for (method, low, high) in
        [(BootstrapMethod::Percentile, 4.968, 7.515), (BootstrapMethod::Bca, 5.037, 7.601)]
    {
        let config = BootstrapConfig { resamples: 20_000, method, seed: 7, ..Default::default() };
        let result = bootstrap_clips(values.len(), mean, &config).unwrap();
        assert_abs_diff_eq!(result.interval.low, low, epsilon = 0.05);
        assert_abs_diff_eq!(result.interval.high, high, epsilon = 0.05);
        assert_eq!(result.undefined, 0);
    }
}

#[test]
fn groups_widen_the_interval_and_seeds_fix_it() {
    // 40 artists of 10 clips; an artist's clips are right or wrong together.
    let groups: Vec<usize> = (0..400).map(|clip| clip / 10).collect();
    let right: Vec<bool> = groups.iter().map(|group| group % 4 != 0).collect();
    let accuracy =
        |clips: &[usize]| Some(clips.iter().filter(|&&i| right[i]).count() as f64 / clips.len() as f64);
    let config = BootstrapConfig::default();
    let by_clip = bootstrap_clips(400, accuracy, &config).unwrap();
    let by_group = bootstrap_groups(&groups, accuracy, &config).unwrap();
    // Ten clips that go together count as one: the error grows by sqrt(10).
    assert_relative_eq!(by_group.standard_error / by_clip.standard_error, 10_f64.sqrt(), max_relative = 0.1);
    assert_eq!(by_clip.estimate, 0.75);
    let wilson = wilson_interval(300, 400, 0.95).unwrap();
    assert_abs_diff_eq!(by_clip.interval.low, wilson.low, epsilon = 0.01);
    assert_abs_diff_eq!(by_clip.interval.high, wilson.high, epsilon = 0.01);
    assert_eq!(bootstrap_groups(&groups, accuracy, &config).unwrap(), by_group);
    assert_ne!(
        bootstrap_groups(&groups, accuracy, &BootstrapConfig { seed: 1, ..config }).unwrap(),
        by_group
    );
}

#[test]
fn percentile_intervals_cover_the_truth_as_often_as_they_say() {
    // 400 samples of 80 clips that are right with chance 0.7; the share of intervals that hold 0.7 has a standard error of 1.1 %.
    let config = BootstrapConfig { resamples: 400, ..Default::default() };
    let mut state = 1_u64;
    let mut held = 0;
    for _ in 0..400 {
        let right: Vec<bool> = (0..80)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) % 10 < 7
            })
            .collect();
        let accuracy =
            |clips: &[usize]| Some(clips.iter().filter(|&&i| right[i]).count() as f64 / clips.len() as f64);
        let interval = bootstrap_clips(80, accuracy, &config).unwrap().interval;
        held += usize::from(interval.low <= 0.7 && 0.7 <= interval.high);
    }
    assert!((366..=394).contains(&held), "{held} of 400 hold the truth");
}

#[test]
fn a_statistic_without_a_value_is_left_out_or_refused() {
    let config = BootstrapConfig { resamples: 500, ..Default::default() };
    // Defined only where the first of three clips is drawn: about 1 - (2/3)^3 of the time.
    let sometimes = |clips: &[usize]| clips.contains(&0).then_some(1.0);
    let result = bootstrap_clips(3, sometimes, &config).unwrap();
    assert!((100..200).contains(&result.undefined), "{}", result.undefined);
    assert!(matches!(bootstrap_clips(3, |_| None, &config), Err(EvalError::NoStatistic { resamples: 500 })));
    assert!(matches!(bootstrap_clips(3, |_| Some(f64::NAN), &config), Err(EvalError::NotFinite { .. })));
    assert!(matches!(bootstrap_clips(0, |_| Some(1.0), &config), Err(EvalError::Empty { .. })));
    let few = BootstrapConfig { resamples: 3, ..config };
    assert!(matches!(
        bootstrap_clips(3, |_| Some(1.0), &few),
        Err(EvalError::Parameter { name: "resamples", .. })
    ));
    let sure = BootstrapConfig { confidence: 1.0, ..config };
    assert!(matches!(
        bootstrap_clips(3, |_| Some(1.0), &sure),
        Err(EvalError::Parameter { name: "confidence", .. })
    ));
    // One clip, and a constant: BCa has neither bias nor skewness there.
    for clips in [1, 5] {
        let config = BootstrapConfig { method: BootstrapMethod::Bca, ..config };
        let result = bootstrap_clips(clips, |_| Some(0.5), &config).unwrap();
        assert_eq!((result.interval.low, result.interval.high, result.standard_error), (0.5, 0.5, 0.0));
    }
}

#[test]
fn seeds_and_folds_are_summed_up_apart() {
    let summary = mean_over_seeds(&[vec![0.7, 0.8], vec![0.6, 0.7]]).unwrap();
    assert_abs_diff_eq!(summary.seeds.mean, 0.7, epsilon = 1e-15);
    assert_relative_eq!(summary.seeds.deviation.unwrap(), 0.005_f64.sqrt(), max_relative = 1e-12);
    assert_relative_eq!(summary.folds[0].population_deviation(), 0.05, max_relative = 1e-12);
    assert_eq!((summary.all.count, summary.folds.len()), (4, 2));
    assert!(matches!(mean_over_seeds(&[vec![0.5], vec![]]), Err(EvalError::Empty { .. })));
}
