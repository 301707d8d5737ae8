"""The dashboard of the model: by class, by probability, by error, and after a drift."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from tools.dashboards.parts import (
    HALF,
    RATIO,
    SHORT,
    THIRD,
    board,
    curve,
    grid,
    of,
    rate,
    total,
    variables,
)

WHO = "{{stream}}/{{learner}}"
_WINDOW = 'window="$window"'


def _of(name: str, more: str = "") -> str:
    return of(name, ",".join(filter(None, (_WINDOW, more))))


def _line(title: str, says: str, unit: str, name: str, **how: object) -> object:
    return curve(title, says, unit, (WHO, _of(name)), span=THIRD, **how)  # type: ignore[arg-type]


def _recovery() -> list[object]:
    accuracy, mae = _of("prequential_accuracy_ratio"), _of("prequential_mae")
    return [
        curve(
            "Accuracy below its best of an hour",
            "How far accuracy has fallen since its best of the last hour: it rises at a drift "
            "and is back at 0 once the model has recovered.",
            RATIO,
            (WHO, f"max_over_time({accuracy}[1h]) - {accuracy}"),
            least=0,
            alert="DriftlineAccuracyDropped",
        ),
        curve(
            "Error above its best of an hour",
            "The same for numbers, in the label's unit.",
            SHORT,
            (WHO, f"{mae} - min_over_time({mae}[1h])"),
            least=0,
            alert="DriftlineErrorRose",
        ),
    ]


def _classes() -> list[object]:
    def by_class(title: str, says: str, name: str) -> object:
        legend = f"{WHO} {{{{class}}}}"
        return curve(title, says, RATIO, (legend, _of(name)), span=THIRD, most=1, least=0)

    matrix = {"columnField": "guess", "rowField": "label", "valueField": "Value"}
    counted = f"sum by (label, guess) ({_of('confusion_rows')})"
    return [
        by_class(
            "Precision by class",
            "Of what was guessed so, how much was.",
            "class_precision_ratio",
        ),
        by_class(
            "Recall by class", "Of what was so, how much was guessed.", "class_recall_ratio"
        ),
        by_class("F1 by class", "The harmonic mean of the two.", "class_f1_ratio"),
        grid(
            "Confusion",
            "Rows of the window by label (down) and guess (across): the ten commonest classes "
            "and other, of all that is chosen above.",
            SHORT,
            ("", counted),
            changes=[("groupingToMatrix", matrix)],
            height=10,
        ),
        curve(
            "Averaged over classes",
            "Plainly (macro), or by how often each comes (weighted).",
            RATIO,
            (f"{WHO} precision, {{{{average}}}}", _of("prequential_precision_ratio")),
            (f"{WHO} recall, {{{{average}}}}", _of("prequential_recall_ratio")),
            (f"{WHO} F1, {{{{average}}}}", _of("prequential_f1_ratio")),
            height=10,
            most=1,
        ),
    ]


def _chance() -> list[object]:
    return [
        curve(
            "Kappas",
            "Cohen's kappa: 0 as by chance. Kappa-M is against the majority class, kappa-T "
            "against no change: 0 is as good as they are.",
            SHORT,
            (f"{WHO} kappa", _of("prequential_kappa")),
            (f"{WHO} against {{{{baseline}}}}", _of("prequential_baseline_kappa")),
            span=THIRD,
            most=1,
        ),
        _line(
            "Balanced accuracy",
            "Recall, averaged over the labels.",
            RATIO,
            "prequential_balanced_accuracy_ratio",
            most=1,
        ),
        _line(
            "Matthews' correlation",
            "Of two classes; -1 to 1.",
            SHORT,
            "prequential_mcc",
            most=1,
        ),
    ]


def _probabilities() -> list[object]:
    right, rows = _of("calibration_correct"), _of("calibration_rows")
    return [
        _line(
            "Log loss",
            "Mean negative log of the label's probability, in nats.",
            SHORT,
            "prequential_log_loss",
            least=0,
        ),
        _line(
            "Area under the ROC curve",
            "Of two classes, or of anomaly scores.",
            RATIO,
            "prequential_roc_auc_ratio",
            most=1,
        ),
        curve(
            "Calibration error and Brier score",
            "Mean distance of probability and share of right guesses; of two classes the mean "
            "squared error of the probability.",
            RATIO,
            (f"{WHO} calibration error", _of("prequential_calibration_error_ratio")),
            (f"{WHO} Brier score", _of("prequential_brier_score_ratio")),
            span=THIRD,
            least=0,
        ),
        grid(
            "Calibration",
            "Share of right guesses by the probability the model gave them: sound where the "
            "share lies within its bin.",
            RATIO,
            ("", f"sum by (bin) ({right}) / (sum by (bin) ({rows}) > 0)"),
        ),
        curve(
            "How sure the model is",
            "Rows of the window by the probability of the guess.",
            SHORT,
            ("{{bin}}", f"sum by (bin) ({rows})"),
            bars=True,
        ),
    ]


def _numbers() -> list[object]:
    return [
        curve(
            "Errors",
            "Mean absolute, root mean squared and median error, in the label's unit.",
            SHORT,
            (f"{WHO} mean", _of("prequential_mae")),
            (f"{WHO} root mean square", _of("prequential_rmse")),
            (f"{WHO} median", _of("prequential_medae")),
            span=THIRD,
            least=0,
        ),
        _line("R²", "1 at best, 0 as the mean label.", SHORT, "prequential_r2", most=1),
        curve(
            "Relative errors",
            "Symmetric percentage error, 0 to 2; sum of errors by sum of labels.",
            RATIO,
            (f"{WHO} symmetric", _of("prequential_smape_ratio")),
            (f"{WHO} weighted", _of("prequential_wape_ratio")),
            span=THIRD,
            least=0,
        ),
    ]


def _stability() -> list[object]:
    return [
        curve(
            "How much accuracy varies",
            "Standard deviation over the ten equal blocks of the window.",
            RATIO,
            (WHO, _of("prequential_accuracy_stddev")),
            least=0,
        ),
        curve(
            "How much the error varies",
            "The same of the mean absolute error, in the label's unit.",
            SHORT,
            (WHO, _of("prequential_mae_stddev")),
            least=0,
        ),
    ]


def _arms() -> list[object]:
    by = "stream, learner, arm"
    fading = f"avg by ({by}) ({of('arm_fading_error')})"
    return [
        curve(
            "Champion and challengers",
            "Fading mean of each model's errors, 0 or 1 for a class, else absolute: the lowest "
            "does best of late.",
            SHORT,
            (f"{WHO} {{{{arm}}}}", fading),
            least=0,
        ),
        curve(
            "Who serves",
            "In how many partitions each of several models gives the guesses.",
            SHORT,
            (f"{WHO} {{{{arm}}}}", total("arm_serving", by=by)),
            least=0,
        ),
        curve(
            "Accuracy of each",
            "Right guesses by all guesses between two points.",
            RATIO,
            (
                f"{WHO} {{{{arm}}}}",
                f"{rate('arm_correct_total', by=by)} / ({rate('arm_scored_total', by=by)} > 0)",
            ),
            span=HALF,
            most=1,
        ),
        curve(
            "Numbers in the model",
            "How many numbers the model held when it was last saved.",
            SHORT,
            (WHO, total("model_parameters")),
            least=0,
        ),
    ]


def _anomalies() -> list[object]:
    return [
        _line(
            "Average precision",
            "Of the scores, against labels that came.",
            RATIO,
            "prequential_average_precision_ratio",
            most=1,
        ),
        curve(
            "Mean score",
            "Of what was normal and of what was not: far apart is good.",
            SHORT,
            (f"{WHO} {{{{truth}}}}", _of("anomaly_score_mean")),
            span=THIRD,
        ),
        _line(
            "Share of anomalies",
            "Among the labels of the window.",
            RATIO,
            "anomalies_ratio",
            least=0,
        ),
    ]


def quality() -> Dashboard:
    """Return the dashboard."""
    return board(
        "driftline-quality",
        "driftline: Model quality",
        "What the model gets wrong, how sure it is, and how fast it recovers after a drift.",
        variables("driftline_samples_total", windows=True),
        [
            ("Recovery after a drift", _recovery()),
            ("By class", _classes()),
            ("Against chance", _chance()),
            ("Probabilities", _probabilities()),
            ("Numbers", _numbers()),
            ("Stability", _stability()),
            ("Models side by side", _arms()),
            ("Anomalies", _anomalies()),
        ],
    )
