//! Measures of scores: against scikit-learn's values, hand counts and naive twins, and what undefined input gives.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use approx::{assert_abs_diff_eq, assert_relative_eq};
use mgr_eval::EvalError;
use mgr_eval::metrics::{
    Average, Binning, Calibration, ClassValues, ClipRule, ConfusionMatrix, KappaWeights, MacroOver,
    Normalise, PairAverage, ScoreTies, Tagging, VoteTies, average_precision, average_precision_one_vs_rest,
    brier_score, clip_verdicts, log_loss, precision_recall_curve, roc_auc, roc_auc_one_vs_one,
    roc_auc_one_vs_rest, roc_curve, top_k_accuracy,
};
use ndarray::{Array2, array};

/// scikit-learn 1.9.1 on these ten clips; each measure called with labels 0 to 2.
fn ten_clips() -> (Vec<usize>, Array2<f64>) {
    let truth = vec![0, 0, 0, 1, 1, 1, 2, 2, 2, 2];
    let scores = array![
        [0.7, 0.2, 0.1],
        [0.4, 0.4, 0.2],
        [0.2, 0.5, 0.3],
        [0.1, 0.8, 0.1],
        [0.3, 0.3, 0.4],
        [0.2, 0.6, 0.2],
        [0.1, 0.2, 0.7],
        [0.5, 0.1, 0.4],
        [0.2, 0.3, 0.5],
        [0.0, 0.0, 1.0],
    ];
    (truth, scores)
}

#[test]
fn scores_of_ten_clips_measure_as_in_scikit_learn() {
    let (truth, scores) = ten_clips();
    let close = |ours: f64, theirs: f64| assert_relative_eq!(ours, theirs, max_relative = 1e-13);
    close(log_loss(&truth, scores.view()).unwrap(), 0.6786458424025957);
    close(brier_score(&truth, scores.view()).unwrap(), 0.386);
    let areas = roc_auc_one_vs_rest(&truth, scores.view()).unwrap();
    close(areas.macro_mean().unwrap(), 0.8898809523809524);
    close(areas.weighted_mean().unwrap(), 0.8988095238095237);
    close(
        roc_auc_one_vs_one(&truth, scores.view(), PairAverage::Macro).unwrap().unwrap(),
        0.8865740740740741,
    );
    close(
        roc_auc_one_vs_one(&truth, scores.view(), PairAverage::Weighted).unwrap().unwrap(),
        0.8906250000000001,
    );
    close(
        average_precision_one_vs_rest(&truth, scores.view()).unwrap().macro_mean().unwrap(),
        0.8272486772486772,
    );
    close(top_k_accuracy(&truth, scores.view(), 2, ScoreTies::HigherClass).unwrap(), 0.9);
    // The tie of the second clip: the lower class first makes top-1 the accuracy of the first largest score.
    close(top_k_accuracy(&truth, scores.view(), 1, ScoreTies::HigherClass).unwrap(), 0.6);
    close(top_k_accuracy(&truth, scores.view(), 1, ScoreTies::LowerClass).unwrap(), 0.7);

    let predicted = [0, 0, 1, 1, 2, 1, 2, 0, 2, 2];
    let matrix = ConfusionMatrix::from_labels(&truth, &predicted, 3).unwrap();
    close(matrix.matthews_correlation(), 0.5454545454545454);
    close(matrix.cohen_kappa(KappaWeights::Equal).unwrap(), 0.5454545454545454);
    close(matrix.cohen_kappa(KappaWeights::Quadratic).unwrap(), 0.5652173913043479);
    close(matrix.average(Average::Weighted, MacroOver::All).f1, 0.7);
    close(matrix.macro_f_beta(2.0, MacroOver::All).unwrap(), 0.6944444444444443);
    close(matrix.macro_jaccard(MacroOver::All), 0.5333333333333333);
}

#[test]
fn areas_are_the_share_of_pairs_in_order() {
    let mut state = 7_u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize
    };
    for _ in 0..200 {
        let clips = 2 + draw() % 30;
        let positive: Vec<bool> = (0..clips).map(|_| draw() % 3 == 0).collect();
        // Few values, so that ties abound.
        let scores: Vec<f64> = (0..clips).map(|_| (draw() % 7) as f64).collect();
        let (mut won, mut pairs) = (0.0, 0.0);
        for i in (0..clips).filter(|&i| positive[i]) {
            for j in (0..clips).filter(|&j| !positive[j]) {
                won += if scores[i] > scores[j] {
                    1.0
                } else if scores[i] == scores[j] {
                    0.5
                } else {
                    0.0
                };
                pairs += 1.0;
            }
        }
        match roc_auc(&positive, &scores).unwrap() {
            Some(area) => assert_relative_eq!(area, won / pairs, max_relative = 1e-14),
            None => assert_eq!(pairs, 0.0),
        }
        let curve = precision_recall_curve(&positive, &scores).unwrap();
        if positive.contains(&true) {
            let sum: f64 = (0..curve.thresholds.len())
                .map(|i| (curve.recall[i] - curve.recall[i + 1]) * curve.precision[i])
                .sum();
            assert_abs_diff_eq!(average_precision(&positive, &scores).unwrap(), sum, epsilon = 1e-13);
        }
        let (full, corners) =
            (roc_curve(&positive, &scores).unwrap(), roc_curve(&positive, &scores).unwrap().corners());
        let area = |x: &[f64], y: &[f64]| -> f64 {
            x.windows(2).zip(y.windows(2)).map(|(x, y)| (x[1] - x[0]) * 0.5 * (y[0] + y[1])).sum()
        };
        if pairs > 0.0 {
            let whole = area(&full.false_positive_rate, &full.true_positive_rate);
            let thinned = area(&corners.false_positive_rate, &corners.true_positive_rate);
            assert_abs_diff_eq!(whole, thinned, epsilon = 1e-13);
            assert!(corners.thresholds.len() <= full.thresholds.len());
        }
    }
}

#[test]
fn one_class_and_absent_classes_are_defined() {
    assert_eq!(roc_auc(&[true, true], &[0.1, 0.9]).unwrap(), None);
    assert_eq!(average_precision(&[false, false], &[0.1, 0.9]).unwrap(), 0.0);
    let curve = roc_curve(&[false, false], &[0.1, 0.9]).unwrap();
    assert!(curve.true_positive_rate.iter().all(|rate| rate.is_nan()));
    assert_eq!(curve.false_positive_rate, [0.0, 0.5, 1.0]);
    let curve = precision_recall_curve(&[false, false], &[0.1, 0.9]).unwrap();
    assert_eq!((curve.precision, curve.recall), (vec![0.0, 0.0, 1.0], vec![1.0, 1.0, 0.0]));

    // Class 2 is absent from this fold.
    let scores = array![[0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.4, 0.5, 0.1]];
    let areas = roc_auc_one_vs_rest(&[0, 1, 0], scores.view()).unwrap();
    assert_eq!((areas.macro_mean(), areas.mean_over_present()), (None, Some(1.0)));
    assert_eq!(areas.supports, [2, 1, 0]);
    let precisions = average_precision_one_vs_rest(&[0, 1, 0], scores.view()).unwrap();
    assert_relative_eq!(precisions.macro_mean().unwrap(), 2.0 / 3.0);
    assert_eq!(precisions.mean_over_present(), Some(1.0));
    let pairs = roc_auc_one_vs_one(&[0, 0, 0], scores.view(), PairAverage::Weighted).unwrap();
    assert_eq!(pairs, None);
    let nothing = ClassValues { values: vec![], supports: vec![] };
    assert_eq!(
        (nothing.macro_mean(), nothing.mean_over_present(), nothing.weighted_mean()),
        (None, None, Some(0.0))
    );

    let single = ConfusionMatrix::from_labels(&[0, 0], &[0, 0], 3).unwrap();
    assert_eq!(single.cohen_kappa(KappaWeights::Equal), None);
    assert_eq!(single.matthews_correlation(), 0.0);
    assert!(single.adjusted_balanced_accuracy().is_nan());
    let wrong = ConfusionMatrix::from_labels(&[0, 0], &[0, 1], 3).unwrap();
    assert_eq!(wrong.adjusted_balanced_accuracy(), f64::NEG_INFINITY);
    assert_eq!(wrong.average(Average::Macro, MacroOver::Seen).recall, 0.25);
    assert_eq!(wrong.average(Average::Micro, MacroOver::All).precision, 0.5);
    assert_eq!(wrong.normalised(Normalise::Truth).row(2).sum(), 0.0);
    assert_eq!(wrong.normalised(Normalise::Prediction).column(1).sum(), 1.0);
    assert_eq!(wrong.normalised(Normalise::All).sum(), 1.0);
    assert_eq!(wrong.hamming_loss(), 0.5);
}

#[test]
fn bad_scores_are_errors_that_name_the_place() {
    let bad = array![[0.5, 0.5], [0.5, f64::NAN]];
    assert!(matches!(
        roc_auc_one_vs_rest(&[0, 1], bad.view()),
        Err(EvalError::NotFinite { row: 1, column: 1, .. })
    ));
    assert!(matches!(roc_auc(&[true], &[0.1, 0.2]), Err(EvalError::LengthMismatch { .. })));
    assert!(matches!(roc_auc(&[], &[]), Err(EvalError::Empty { .. })));
    assert!(matches!(roc_auc(&[true], &[f64::INFINITY]), Err(EvalError::NotFinite { .. })));
    let fine = array![[0.5, 0.5]];
    assert!(matches!(log_loss(&[2], fine.view()), Err(EvalError::LabelOutOfRange { label: 2, .. })));
    assert!(matches!(log_loss(&[0, 1], fine.view()), Err(EvalError::LengthMismatch { .. })));
    assert!(matches!(log_loss(&[0], array![[1.5, -0.5]].view()), Err(EvalError::NotProbability { .. })));
    assert!(matches!(
        brier_score(&[0], array![[0.5, 0.4]].view()),
        Err(EvalError::ProbabilitySum { row: 0, .. })
    ));
    // A softmax in single precision is near enough to 1.
    let single = array![[0.333_333_34_f32, 0.333_333_34, 0.333_333_34]];
    assert_relative_eq!(log_loss(&[1], single.view()).unwrap(), 3.0_f64.ln(), max_relative = 1e-6);
    assert!(matches!(
        top_k_accuracy(&[0], fine.view(), 0, ScoreTies::default()),
        Err(EvalError::Parameter { name: "k", .. })
    ));
    assert_eq!(top_k_accuracy(&[0], fine.view(), 99, ScoreTies::default()).unwrap(), 1.0);
    // A certain mistake costs 52 bits, not infinity.
    assert_relative_eq!(
        log_loss(&[1], array![[1.0, 0.0]].view()).unwrap(),
        52.0 * 2.0_f64.ln(),
        max_relative = 1e-12
    );
    let matrix = ConfusionMatrix::from_labels(&[0], &[0], 1).unwrap();
    assert!(matches!(matrix.f_beta(0, f64::NAN), Err(EvalError::Parameter { name: "beta", .. })));
}

#[test]
fn calibration_counts_by_hand() {
    let confidences = [0.15, 0.2, 0.55, 0.6, 0.95, 1.0];
    let right = [false, true, true, false, true, true];
    let uniform = Calibration::new(&confidences, &right, 5, Binning::Uniform).unwrap();
    // Closed above: 0.2 and 0.6 belong below their edge.
    let counts: Vec<u64> = uniform.bins.iter().map(|bin| bin.count).collect();
    assert_eq!(counts, [2, 2, 2]);
    assert_relative_eq!(uniform.bins[0].confidence, 0.175);
    assert_eq!(uniform.bins[2].accuracy, 1.0);
    assert_relative_eq!(uniform.expected_error(), (0.325 + 0.075 + 0.025) / 3.0, max_relative = 1e-12);
    assert_relative_eq!(uniform.maximum_error(), 0.325, max_relative = 1e-12);
    let equal = Calibration::new(&confidences, &right, 2, Binning::EqualCount).unwrap();
    assert_eq!(equal.bins.iter().map(|bin| bin.count).collect::<Vec<_>>(), [3, 3]);
    assert!(matches!(
        Calibration::new(&[1.2], &[true], 5, Binning::Uniform),
        Err(EvalError::NotProbability { .. })
    ));
    assert!(matches!(
        Calibration::new(&[f64::NAN], &[true], 5, Binning::Uniform),
        Err(EvalError::NotProbability { .. })
    ));
    assert!(matches!(
        Calibration::new(&[0.5], &[true], 0, Binning::Uniform),
        Err(EvalError::Parameter { .. })
    ));
    assert!(matches!(Calibration::new(&[], &[], 5, Binning::Uniform), Err(EvalError::Empty { .. })));
}

#[test]
fn tags_are_measured_each_and_together() {
    let truth = array![[true, false, false], [true, true, false], [false, true, false]];
    let scores = array![[0.9, 0.6, 0.2], [0.8, 0.7, 0.1], [0.3, 0.4, 0.6]];
    let tagging = Tagging::new(truth.view(), scores.view()).unwrap();
    // Tag 1: positives 0.7 and 0.4, negative 0.6. Tag 2: no clip has it.
    assert_eq!(tagging.roc_auc().unwrap().values, [Some(1.0), Some(0.5), None]);
    assert_eq!(tagging.roc_auc().unwrap().mean_over_present(), Some(0.75));
    let precisions = tagging.average_precision().unwrap();
    assert_relative_eq!(precisions.values[1].unwrap(), 0.5 + 0.5 * 2.0 / 3.0, max_relative = 1e-12);
    assert_eq!(precisions.values[2], Some(0.0));
    let at = tagging.at_threshold(0.5).unwrap();
    assert_eq!((at.tags[1].precision, at.tags[1].recall), (0.5, 0.5));
    assert_relative_eq!(at.micro_average.precision, 3.0 / 5.0);
    assert_relative_eq!(at.hamming_loss, 3.0 / 9.0);
    assert_relative_eq!(at.subset_accuracy, 1.0 / 3.0);
    assert!(matches!(
        Tagging::new(truth.view(), array![[0.5]].view()),
        Err(EvalError::LengthMismatch { .. })
    ));
    assert!(matches!(tagging.at_threshold(f64::NAN), Err(EvalError::Parameter { .. })));
    assert!(tagging.roc_auc_micro().unwrap().is_some() && tagging.average_precision_micro().unwrap() > 0.0);
}

#[test]
fn segments_join_by_every_rule_and_ties_are_stated() {
    // Clip 0 has three segments, clip 1 one, in mixed order.
    let segments = array![[0.6, 0.3, 0.1], [0.0, 0.9, 0.1], [0.5, 0.4, 0.1], [0.45, 0.45, 0.1]];
    let clip_of = [0, 1, 0, 0];
    let join = |rule| clip_verdicts(segments.view(), &clip_of, 2, rule, VoteTies::default()).unwrap();
    assert_relative_eq!(join(ClipRule::Sum).scores[(0, 0)], 1.55, max_relative = 1e-12);
    assert_relative_eq!(join(ClipRule::Mean).scores[(0, 1)], 1.15 / 3.0, max_relative = 1e-12);
    assert_eq!(join(ClipRule::Maximum).scores.row(0).to_vec(), [0.6, 0.45, 0.1]);
    let product = join(ClipRule::Product).scores;
    assert_relative_eq!(
        product[(0, 0)] / product[(0, 1)],
        0.6 * 0.5 * 0.45 / (0.3 * 0.4 * 0.45),
        max_relative = 1e-12
    );
    assert_relative_eq!(product.row(0).sum(), 1.0, max_relative = 1e-12);
    // The tie within the last segment goes to the lower class.
    assert_eq!(join(ClipRule::MajorityVote).scores.row(0).to_vec(), [1.0, 0.0, 0.0]);
    assert_eq!(join(ClipRule::Sum).labels, [0, 1]);

    // One vote each: the larger sum decides, or the lower class.
    let tied = array![[0.51, 0.49], [0.1, 0.9]];
    let label =
        |ties| clip_verdicts(tied.view(), &[0, 0], 1, ClipRule::MajorityVote, ties).unwrap().labels[0];
    assert_eq!((label(VoteTies::LargerSum), label(VoteTies::LowerClass)), (1, 0));
    // Every class is excluded by one segment: none is preferred. Thousands of segments do not underflow.
    let none = clip_verdicts(
        array![[1.0, 0.0], [0.0, 1.0]].view(),
        &[0, 0],
        1,
        ClipRule::Product,
        VoteTies::default(),
    );
    assert_eq!(none.unwrap().scores.row(0).to_vec(), [0.5, 0.5]);
    let many = Array2::from_shape_fn((5000, 2), |(_, class)| if class == 0 { 0.49 } else { 0.51 });
    let long = clip_verdicts(many.view(), &vec![0; 5000], 1, ClipRule::Product, VoteTies::default()).unwrap();
    assert_eq!(long.labels, [1]);

    let refused = |scores: Array2<f64>, clip_of: &[usize], clips, rule| {
        clip_verdicts(scores.view(), clip_of, clips, rule, VoteTies::default()).unwrap_err()
    };
    assert!(matches!(refused(array![[1.0]], &[0], 2, ClipRule::Sum), EvalError::NoSegment { clip: 1 }));
    assert!(matches!(
        refused(array![[1.0]], &[3], 2, ClipRule::Sum),
        EvalError::LabelOutOfRange { label: 3, .. }
    ));
    assert!(matches!(refused(array![[1.0]], &[0, 0], 1, ClipRule::Sum), EvalError::LengthMismatch { .. }));
    assert!(matches!(refused(array![[f64::NAN]], &[0], 1, ClipRule::Sum), EvalError::NotFinite { .. }));
    assert!(matches!(refused(array![[-1.0]], &[0], 1, ClipRule::Product), EvalError::Parameter { .. }));
}
