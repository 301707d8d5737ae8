"""The names of all metrics, and what each one says."""

from __future__ import annotations

from stream.metrics import Described

_PARTITION = ("partition",)
_ARM = ("partition", "arm")
_WINDOW = ("window",)
_EITHER = ("partition", "window")
_BASELINE = ("baseline", "window")
_AVERAGE = ("average", "window")
_CLASS = ("class", "window")
_BIN = ("bin", "window")


LABELS = ("stream", "learner")
"""What all of them carry."""
METRICS = tuple(
    Described(f"driftline_{name}", text, labels)
    for name, text, labels in (
        ("samples_total", "Samples shown to the model.", _PARTITION),
        ("labelled_total", "Samples whose label has come.", _PARTITION),
        ("scored_total", "Labelled samples that had a guess to score.", _PARTITION),
        ("correct_total", "Scored guesses that equalled the label.", _PARTITION),
        ("not_finite_total", "Scored guesses that were not finite.", _PARTITION),
        ("absolute_error_total", "Sum of absolute errors of scored guesses.", _PARTITION),
        ("squared_error_total", "Sum of squared errors of scored guesses.", _PARTITION),
        (
            "baseline_error_total",
            "Sum of a baseline's errors over the scored: 0 or 1 for a class, else absolute.",
            ("partition", "baseline"),
        ),
        ("drifts_total", "Drifts for the worse that the detector saw.", _PARTITION),
        ("improvements_total", "Changes for the better that the detector saw.", _PARTITION),
        ("resets_total", "Models replaced by a fresh one.", _PARTITION),
        (
            "actions_total",
            "What policies did, resets too, and what detectors warned of, by kind.",
            ("kind",),
        ),
        ("marks_total", "True drifts that the source has marked.", _PARTITION),
        ("dead_total", "Records refused and filed as dead letters.", ("partition", "reason")),
        ("expired_total", "Samples given up whose label never came.", _PARTITION),
        (
            "late_features_total",
            "Values ignored, as their feature or category came too late for the model.",
            _PARTITION,
        ),
        ("repeated_total", "Labels that brought their features once more.", _PARTITION),
        ("outgrown_total", "Models replaced as they outgrew their ceiling.", _PARTITION),
        (
            "arm_scored_total",
            "Guesses of one of several models that were scored.",
            _ARM,
        ),
        ("arm_correct_total", "Those of them that equalled the label.", _ARM),
        ("arm_absolute_error_total", "Sum of its absolute errors.", _ARM),
        (
            "refused_total",
            "Messages this monitor could not read as outcomes, or whose header it could not.",
            (),
        ),
        ("monitor_records_in_total", "Messages of outcomes that this monitor has read.", ()),
        ("monitor_records_out_total", "Those of them that the figures account for.", ()),
        (
            "learner_cpu_seconds_total",
            "Processor time of the process that learns the partition, since it started.",
            _PARTITION,
        ),
        (
            "checkpoints_refused_total",
            "Checkpoints damaged, forged or otherwise of no use, since the learner started.",
            _PARTITION,
        ),
        (
            "checkpoints_failed_total",
            "Checkpoints that could not be written, since the learner started.",
            _PARTITION,
        ),
        (
            "prequential_accuracy_ratio",
            "Share of right guesses among the last scored, all, or fading; 0 to 1.",
            _WINDOW,
        ),
        ("prequential_mae", "Mean absolute error, in the label's unit.", _WINDOW),
        ("prequential_rmse", "Root of the mean squared error, in the label's unit.", _WINDOW),
        (
            "baseline_accuracy_ratio",
            "Share of right guesses of a baseline over the same rows; 0 to 1.",
            _BASELINE,
        ),
        ("baseline_mae", "Mean absolute error of a baseline over the same rows.", _BASELINE),
        (
            "prequential_precision_ratio",
            "Precision, averaged over classes plainly (macro) or by support (weighted).",
            _AVERAGE,
        ),
        ("prequential_recall_ratio", "Recall, averaged as precision is.", _AVERAGE),
        ("prequential_f1_ratio", "F1, averaged as precision is.", _AVERAGE),
        ("class_precision_ratio", "Precision of one of the ten commonest classes.", _CLASS),
        ("class_recall_ratio", "Recall of one of the ten commonest classes.", _CLASS),
        ("class_f1_ratio", "F1 of one of the ten commonest classes.", _CLASS),
        (
            "confusion_rows",
            "Rows by label and guess, the ten commonest classes and other.",
            ("label", "guess", "window"),
        ),
        ("prequential_kappa", "Cohen's kappa; 1 at best, 0 as by chance.", _WINDOW),
        (
            "prequential_baseline_kappa",
            "Kappa-M against the majority class, kappa-T against no change; 0 is as good.",
            _BASELINE,
        ),
        ("prequential_balanced_accuracy_ratio", "Recall, averaged over the labels.", _WINDOW),
        ("prequential_mcc", "Matthews correlation of two classes; -1 to 1.", _WINDOW),
        (
            "prequential_roc_auc_ratio",
            "Area under the ROC curve, of two classes or of anomaly scores; not over all.",
            _WINDOW,
        ),
        (
            "prequential_log_loss",
            "Mean negative log of the label's probability, in nats; not over all.",
            _WINDOW,
        ),
        (
            "prequential_brier_score_ratio",
            "Mean squared error of the probability, of two classes; not over all.",
            _WINDOW,
        ),
        (
            "prequential_calibration_error_ratio",
            "Mean distance of probability and share of right guesses; not over all.",
            _WINDOW,
        ),
        ("calibration_rows", "Rows by the probability of the guess; not over all.", _BIN),
        ("calibration_correct", "Those of them whose guess was right.", _BIN),
        ("prequential_r2", "R squared; 1 at best, 0 as the mean label; not over all.", _WINDOW),
        (
            "prequential_smape_ratio",
            "Symmetric mean absolute percentage error as a ratio, 0 to 2; not over all.",
            _WINDOW,
        ),
        (
            "prequential_wape_ratio",
            "Sum of absolute errors by sum of absolute labels; not over all.",
            _WINDOW,
        ),
        (
            "prequential_rmsle",
            "Root of the mean squared log error, where nothing is below 0; not over all.",
            _WINDOW,
        ),
        ("prequential_medae", "Median absolute error; not over all.", _WINDOW),
        (
            "prequential_accuracy_variance",
            "Variance of accuracy over ten equal blocks of a window; not over all.",
            _WINDOW,
        ),
        ("prequential_accuracy_stddev", "Root of that variance; not over all.", _WINDOW),
        (
            "prequential_mae_variance",
            "Variance of the mean absolute error over ten equal blocks; not over all.",
            _WINDOW,
        ),
        ("prequential_mae_stddev", "Root of that variance; not over all.", _WINDOW),
        (
            "prequential_average_precision_ratio",
            "Average precision of anomaly scores; not over all.",
            _WINDOW,
        ),
        (
            "anomaly_score_mean",
            "Mean score of what was normal or an anomaly; not over all.",
            ("truth", "window"),
        ),
        ("anomalies_ratio", "Share of anomalies among the labels; not over all.", _WINDOW),
        (
            "arm_fading_error",
            "Fading mean of an arm's errors, 0 or 1 for a class, else absolute.",
            _ARM,
        ),
        ("arm_serving", "1 for the arm whose guesses are served, else 0.", _ARM),
        ("window_scored", "Scored rows in a window.", _EITHER),
        ("window_correct", "Right guesses in a window.", _EITHER),
        ("window_absolute_error", "Sum of absolute errors in a window.", _EITHER),
        ("window_squared_error", "Sum of squared errors in a window.", _EITHER),
        ("window_not_finite", "Guesses in a window that were not finite.", _EITHER),
        ("monitor_records_in_progress", "Messages that wait for the end of their turn.", ()),
        (
            "model_info",
            "1; the labels say which model and policy are at work.",
            ("model", "policy"),
        ),
        ("pending_samples", "Samples that wait for their label.", _PARTITION),
        ("lag_records", "Records of the samples that no outcome accounts for yet.", _PARTITION),
        (
            "lag_seconds",
            "Event time from the last sample learned to the newest; none without event time.",
            _PARTITION,
        ),
        (
            "learner_memory_bytes",
            "Resident size of the process that learns the partition.",
            _PARTITION,
        ),
        ("model_bytes", "Size of the newest checkpoint.", _PARTITION),
        ("model_parameters", "Numbers that its model held.", _PARTITION),
        (
            "checkpoint_timestamp_seconds",
            "When the newest checkpoint was written; a restart replays what came since.",
            _PARTITION,
        ),
        ("predict_seconds", "Time to guess a sample, lately.", _PARTITION),
        ("learn_seconds", "Time to learn a sample, lately.", _PARTITION),
        ("turn_seconds", "Time to compute the last turn.", _PARTITION),
        ("commit_seconds", "Time the commit before took.", _PARTITION),
        (
            "learner_paused",
            "1 where the breaker has paused the learner: most records are refused; else 0.",
            _PARTITION,
        ),
        ("samples_per_second", "Samples learned a second, over the last 10 s.", ()),
        ("last_outcome_timestamp_seconds", "When the newest outcomes came.", _PARTITION),
    )
)
"""Every metric, in the order of the page, with labels beyond `LABELS`."""
