"""Forecasts of statsforecast for `millrace evaluate forecasts --compare statsforecast`.

stdin:  {"series": [[units, ...], ...], "horizon": 28, "season": 7}
stdout: {"version": "...", "models": [{"name": "AutoETS", "seconds": 1.2, "cpu_seconds": 2.3, "quantiles": [[...], ...], "means": [[...], ...]}, ...]}
Quantiles are 0.1 to 0.9 of each period, period after period, a list a series; negative ones are cut at zero.
"""
import json
import os
import sys
import time

os.environ.setdefault("NIXTLA_ID_AS_COL", "1")

try:
    import numpy as np
    import pandas as pd
    import statsforecast
    from statsforecast import StatsForecast
    from statsforecast.models import AutoCES, AutoETS, SeasonalNaive, Theta
except ImportError as error:
    sys.exit(f"absent: {error}")

request = json.load(sys.stdin)
series, horizon, season = request["series"], request["horizon"], request["season"]
frame = pd.DataFrame({
    "unique_id": np.repeat(np.arange(len(series)), [len(one) for one in series]),
    "ds": np.concatenate([np.arange(1, len(one) + 1) for one in series]),
    "y": np.concatenate([np.asarray(one, dtype=np.float64) for one in series]),
})
LEVELS = [80, 60, 40, 20]


def cpu_seconds():
    """Of this process and of its workers that have ended."""
    return sum(os.times()[:4])


def forecasts_of(model):
    name = model.alias
    began, spent = time.perf_counter(), cpu_seconds()
    runner = StatsForecast(models=[model], freq=1, n_jobs=os.cpu_count() or 1, fallback_model=SeasonalNaive(season_length=season))
    found = runner.forecast(df=frame, h=horizon, level=LEVELS).sort_values(["unique_id", "ds"])
    seconds, spent = time.perf_counter() - began, cpu_seconds() - spent
    columns = [f"{name}-lo-{level}" for level in LEVELS] + [name] + [f"{name}-hi-{level}" for level in reversed(LEVELS)]
    values = np.clip(np.nan_to_num(found[columns].to_numpy(dtype=np.float64)), 0, None)
    # Interval bounds of a model may cross its mean by rounding, and a quantile never does.
    values = np.maximum.accumulate(values, axis=1).reshape(len(series), horizon, len(columns))
    return {"name": name, "seconds": seconds, "cpu_seconds": spent, "values": values, "means": values[:, :, len(LEVELS)]}


models = [forecasts_of(make(season_length=season)) for make in (AutoETS, Theta, AutoCES, SeasonalNaive)]
mixed = models[:3]
models.append({
    "name": "mean of AutoETS, Theta and CES", "seconds": sum(one["seconds"] for one in mixed),
    "cpu_seconds": sum(one["cpu_seconds"] for one in mixed),
    "values": np.mean([one["values"] for one in mixed], axis=0), "means": np.mean([one["means"] for one in mixed], axis=0),
})
json.dump({
    "version": statsforecast.__version__,
    "models": [{
        "name": one["name"], "seconds": one["seconds"], "cpu_seconds": one["cpu_seconds"],
        "quantiles": np.round(one["values"], 4).reshape(len(series), -1).tolist(), "means": np.round(one["means"], 4).tolist(),
    } for one in models],
}, sys.stdout)
