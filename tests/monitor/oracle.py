"""What every figure should be, by scikit-learn, River and NumPy alone, from rows of a CSV file.

Nothing of ours is imported here. A figure is given as (metric, labels): value, as a scrape
shows it, without the labels that all metrics share.
"""

import csv
import io
import math
from collections import Counter, defaultdict

import numpy as np
from river import metrics as river
from sklearn import metrics

SCORED, NOT_FINITE = "0", "3"


def rows_of(text):
    """Return the rows of what `driftline outcomes` has written, by partition."""
    parts = defaultdict(list)
    for row in csv.DictReader(io.StringIO(text)):
        parts[row.get("partition", "0")].append(row)
    for rows in parts.values():
        with_baselines(rows)
    return list(parts.values())


def with_baselines(rows):
    """Note beside each row what no change and the majority so far would have guessed."""
    seen, last = Counter(), None
    for row in rows:
        row["last"] = last
        row["most"] = max(seen, key=seen.get) if seen else None  # of a tie the first to appear
        last = row["y"]
        seen[last] += 1


def expected(parts, windows, task):
    """Return every figure of every window, and of all."""
    parts = [[row for row in rows if row["flag"] in (SCORED, NOT_FINITE)] for rows in parts]
    every = {str(n): [rows[-n:] for rows in parts] for n in windows} | {"all": parts}
    found = {}
    if task == "classification":
        labels = Counter(row["y"] for rows in parts for row in finite(rows))
        known = {
            row[name] for rows in parts for row in finite(rows) for name in ("y", "y_pred")
        }
        top = sorted(known, key=lambda label: (-labels[label], label))[:10]
        positive = max(known) if len(known) == 2 else None
    for window, kept in every.items():
        rows = [row for part in kept for row in part]
        if task == "classification":
            figures = of_classes(rows, top, positive)
            if window != "all":
                figures |= of_probabilities(rows, positive)
                figures |= of_blocks(kept, "accuracy", right)
        elif window == "all":
            figures = {}
        elif task == "regression":
            figures = of_numbers(rows) | of_blocks(kept, "mae", error)
        else:
            figures = of_anomalies(rows)
        found |= {
            (f"driftline_{name}", frozenset({**dict(labels), "window": window}.items())): value
            for (name, *labels), value in figures.items()
        }
    return found


def finite(rows):
    """Return the rows whose guess was finite."""
    return [row for row in rows if row["flag"] == SCORED]


def right(row):
    """Return whether a guess was right."""
    return row["flag"] == SCORED and row["y"] == row["y_pred"]


def error(row):
    """Return the absolute error of a guess, None where it was not finite."""
    return None if row["flag"] != SCORED else abs(float(row["y_pred"]) - float(row["y"]))


def of_classes(rows, top, positive):
    """Return the figures that follow from labels, guesses and baselines."""
    if not rows:
        return {}
    found = {}
    accuracy = sum(map(right, rows)) / len(rows)
    for baseline, guess in (("majority", "most"), ("no_change", "last")):
        floor = sum(row[guess] == row["y"] for row in rows) / len(rows)
        if floor < 1:
            kappa = (accuracy - floor) / (1 - floor)
            found["prequential_baseline_kappa", ("baseline", baseline)] = kappa
    rows = finite(rows)
    if not rows:
        return found
    y, guess = [row["y"] for row in rows], [row["y_pred"] for row in rows]
    cohen = river.CohenKappa()
    for label, guessed in zip(y, guess, strict=True):
        cohen.update(label, guessed)
    found["prequential_kappa",] = cohen.get()
    if len({*y, *guess}) > 1:
        kappa = metrics.cohen_kappa_score(y, guess)
        assert math.isclose(cohen.get(), kappa, rel_tol=1e-12, abs_tol=1e-14)
    present = sorted(set(y))
    recalls = metrics.recall_score(y, guess, labels=present, average=None, zero_division=0)
    found["prequential_balanced_accuracy_ratio",] = recalls.mean()
    if positive is not None:
        # Of one class alone scikit-learn warns, and gives 0 as River does.
        both = len({*y, *guess}) > 1
        found["prequential_mcc",] = metrics.matthews_corrcoef(y, guess) if both else 0.0
    both = {
        "precision": metrics.precision_score,
        "recall": metrics.recall_score,
        "f1": metrics.f1_score,
    }
    for name, score in both.items():
        for average in ("macro", "weighted"):
            value = score(y, guess, average=average, zero_division=0)
            found[f"prequential_{name}_ratio", ("average", average)] = value
        shown = [label for label in top if label in {*y, *guess}]
        values = score(y, guess, labels=shown, average=None, zero_division=0)
        for label, value in zip(shown, values, strict=True):
            found[f"class_{name}_ratio", ("class", label)] = value
    names = [[label if label in top else "other" for label in each] for each in (y, guess)]
    for (label, guessed), count in Counter(zip(*names, strict=True)).items():
        found["confusion_rows", ("label", label), ("guess", guessed)] = count
    return found


def of_probabilities(rows, positive):
    """Return the figures of the rows that have probabilities."""
    rows = [row for row in rows if row["p_true"]]
    if not rows:
        return {}
    found = {}
    p_true = np.array([float(row["p_true"]) for row in rows])
    p_pred = np.array([float(row["p_pred"]) for row in rows])
    hits = np.array([right(row) for row in rows])
    both = np.column_stack([1 - p_true, p_true])
    found["prequential_log_loss",] = metrics.log_loss([1] * len(rows), both, labels=[0, 1])
    places = np.minimum(np.floor(p_pred * 10), 9).astype(int)
    distance = 0.0
    for n in range(10):
        inside = places == n
        name = ("bin", f"{n / 10:.1f}-{(n + 1) / 10:.1f}")
        found["calibration_rows", name] = inside.sum()
        found["calibration_correct", name] = hits[inside].sum()
        if inside.any():
            distance += inside.mean() * abs(hits[inside].mean() - p_pred[inside].mean())
    found["prequential_calibration_error_ratio",] = distance
    if positive is not None:
        truth = [row["y"] == positive for row in rows]
        score = [
            p if row["y_pred"] == positive else 1 - p
            for p, row in zip(p_pred, rows, strict=True)
        ]
        by_label = [p if label else 1 - p for p, label in zip(p_true, truth, strict=True)]
        brier = metrics.brier_score_loss(truth, by_label, labels=[False, True])
        found["prequential_brier_score_ratio",] = brier
        if len(set(truth)) == 2:
            found["prequential_roc_auc_ratio",] = metrics.roc_auc_score(truth, score)
    return found


def of_numbers(rows):
    """Return the figures of a regressor."""
    rows = finite(rows)
    if not rows:
        return {}
    y = np.array([float(row["y"]) for row in rows])
    guess = np.array([float(row["y_pred"]) for row in rows])
    smape = river.SMAPE()
    for label, guessed in zip(y.tolist(), guess.tolist(), strict=True):
        smape.update(label, guessed)
    found = {("prequential_smape_ratio",): smape.get() / 100}
    found["prequential_medae",] = metrics.median_absolute_error(y, guess)
    if len(set(y)) > 1:
        found["prequential_r2",] = metrics.r2_score(y, guess)
    if np.abs(y).sum():
        found["prequential_wape_ratio",] = np.abs(y - guess).sum() / np.abs(y).sum()
    if y.min() >= 0 and guess.min() >= 0:
        found["prequential_rmsle",] = metrics.root_mean_squared_log_error(y, guess)
    return found


def of_blocks(parts, name, measure):
    """Return how a figure varies over the tenths of a window."""
    means = []
    for k in range(10):
        tenths = [part[k * len(part) // 10 : (k + 1) * len(part) // 10] for part in parts]
        values = [measure(row) for tenth in tenths for row in tenth]
        values = [value for value in values if value is not None]
        if not values:
            return {}
        means.append(np.mean(values))
    return {
        (f"prequential_{name}_variance",): np.var(means),
        (f"prequential_{name}_stddev",): np.std(means),
    }


def of_anomalies(rows):
    """Return the figures of scores of anomalies."""
    if not rows:
        return {}
    truth = [row["y"] == "true" for row in rows]
    found = {("anomalies_ratio",): np.mean(truth)}
    rows = finite(rows)
    truth = np.array([row["y"] == "true" for row in rows])
    score = np.array([float(row["y_pred"]) for row in rows])
    for kind, name in ((False, "normal"), (True, "anomaly")):
        if (truth == kind).any():
            found["anomaly_score_mean", ("truth", name)] = score[truth == kind].mean()
    if truth.any():
        precision = metrics.average_precision_score(truth, score)
        found["prequential_average_precision_ratio",] = precision
        if not truth.all():
            found["prequential_roc_auc_ratio",] = metrics.roc_auc_score(truth, score)
    return found
