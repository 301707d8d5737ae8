// What figures and events are called, made by `python -m tools.names`
// from monitor/names.py, where they are to be changed.

export const NAMES = {
  "accuracy": "Accuracy",
  "mae": "Mean absolute error",
  "rmse": "Root mean squared error",
  "majority": "Commonest class",
  "no_change": "Last label again",
  "anomaly_score": "Anomalies score",
  "normal_score": "Others score",
  "kappa": "Cohen's κ",
  "kappa_m": "κ against the commonest class",
  "kappa_t": "κ against the last label",
  "balanced_accuracy": "Balanced accuracy",
  "mcc": "Matthews correlation",
  "roc_auc": "ROC AUC",
  "log_loss": "Log loss",
  "brier_score": "Brier score",
  "calibration_error": "Calibration error",
  "r2": "R²",
  "smape": "SMAPE",
  "wape": "WAPE",
  "rmsle": "RMSLE",
  "medae": "Median absolute error",
  "average_precision": "Average precision",
  "anomalies": "Share of anomalies",
  "accuracy_variance": "Variance of accuracy",
  "accuracy_stddev": "Deviation of accuracy",
  "mae_variance": "Variance of the error",
  "mae_stddev": "Deviation of the error"
};

export const OF_NUMBERS = {
  "majority": "Mean so far"
};

export const EVENTS = {
  "true": "True drift",
  "heard": "Alarm",
  "done": "Action",
  "drift": "Drift detected",
  "improvement": "Better",
  "warning": "Warning",
  "calm": "Calm"
};
