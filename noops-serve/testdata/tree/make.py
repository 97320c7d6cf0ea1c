"""Writes the models, rows and expected predictions of the tests of tree ensembles.

pip install xgboost-cpu==3.2.0 lightgbm==4.7.0 numpy==2.4.6
"""

import json
import pathlib

import lightgbm as lgb
import numpy as np
import xgboost as xgb

HERE = pathlib.Path(__file__).parent
RNG = np.random.default_rng(7)
ROWS, FEATURES, TESTED = 600, 5, 24


def data(categories=0, missing=0.1):
    x = RNG.normal(size=(ROWS, FEATURES)).astype(np.float32)
    x[RNG.random(x.shape) < missing] = np.nan
    x[RNG.random(x.shape) < 0.05] = 0.0
    if categories:
        x[:, 0] = RNG.integers(0, categories, size=ROWS)
        x[::17, 0] = np.nan
    z = np.nan_to_num(x)
    signal = z[:, 1] * 2 + np.sin(z[:, 2] * 3) + z[:, 3] * z[:, 4] + 0.1 * RNG.normal(size=ROWS)
    if categories:
        signal += np.where(np.isin(z[:, 0], [1, 3, 4, 7, 40]), 1.5, -0.5)
    return x, signal


def tested(x, categories=0):
    rows = x[:TESTED].copy()
    rows[0, :] = np.nan
    rows[1, :] = 0.0
    rows[2, :] = 1e30
    rows[3, :] = -1e30
    if categories:
        rows[2, 0], rows[3, 0], rows[4, 0] = categories + 5, -3, 2.5
    return rows


def expect(name, rows, scores):
    scores = np.asarray(scores, dtype=np.float64).reshape(len(rows), -1)
    text = lambda v: None if np.isnan(v) else float(v)
    out = {
        "rows": [[text(v) for v in row] for row in rows],
        "scores": [[float(v) for v in row] for row in scores],
    }
    (HERE / f"{name}.expected.json").write_text(json.dumps(out, separators=(",", ":")) + "\n")


def target(objective, signal):
    if objective.startswith("binary") or objective in ("reg:logistic", "cross_entropy", "cross_entropy_lambda"):
        return (signal > 0).astype(np.float32)
    if objective.startswith("multi"):
        return np.digitize(signal, [-1, 1]).astype(np.float32)
    if objective in ("count:poisson", "reg:gamma", "reg:tweedie", "survival:cox", "poisson", "gamma", "tweedie"):
        return np.exp(signal / 4).astype(np.float32) + 0.1
    if objective in ("rank:pairwise", "lambdarank"):
        return np.digitize(signal, [-1, 1]).astype(np.float32)
    return signal.astype(np.float32)


def xgboost_model(name, objective, rounds=3, categories=0, ubj=False, label=None, **more):
    x, signal = data(categories)
    y = target(objective, signal) if label is None else label(signal)
    types = ["c"] + ["q"] * (FEATURES - 1) if categories else None
    train = xgb.DMatrix(x, y, feature_types=types, enable_categorical=bool(categories))
    if objective.startswith("rank"):
        train.set_group([20] * (ROWS // 20))
    params = {"objective": objective, "max_depth": 3, "eta": 0.4, "seed": 7, "nthread": 1, "tree_method": "hist", **more}
    booster = xgb.train(params, train, rounds)
    rows = tested(x, categories)
    booster.save_model(HERE / f"{name}.{'ubj' if ubj else 'json'}")
    if categories:
        rows[3, 0] = 0  # negative categories are refused by the Python package
    expect(name, rows, booster.predict(xgb.DMatrix(rows, feature_types=types, enable_categorical=bool(categories))))


def lightgbm_model(name, objective, rounds=3, categories=0, **more):
    x, signal = data(categories)
    y = target(objective, signal)
    group = [20] * (ROWS // 20) if objective == "lambdarank" else None
    train = lgb.Dataset(x, y, group=group, categorical_feature=[0] if categories else [], params={"verbose": -1})
    params = {"objective": objective, "num_leaves": 8, "learning_rate": 0.3, "seed": 7, "num_threads": 1,
              "deterministic": True, "verbose": -1, "min_data_in_leaf": 5, **more}
    booster = lgb.train(params, train, rounds)
    text = booster.model_to_string().split("\nfeature_importances:")[0]
    (HERE / f"{name}.txt").write_text(text + "\n")
    rows = tested(x, categories)
    expect(name, rows, booster.predict(rows))


for objective in ("reg:squarederror", "reg:absoluteerror", "reg:logistic", "binary:logistic", "binary:logitraw",
                  "binary:hinge", "count:poisson", "reg:gamma", "reg:tweedie", "survival:cox", "rank:pairwise"):
    xgboost_model("xgb_" + objective.replace(":", "_"), objective, rounds=4)
xgboost_model("xgb_softprob", "multi:softprob", num_class=3)
xgboost_model("xgb_softmax", "multi:softmax", num_class=3, ubj=True)
xgboost_model("xgb_ubj", "binary:logistic", max_depth=5, rounds=4, ubj=True)
xgboost_model("xgb_deep", "reg:squarederror", rounds=2, max_depth=11, ubj=True)
xgboost_model("xgb_dart", "reg:squarederror", rounds=8, booster="dart", rate_drop=0.4, one_drop=1)
xgboost_model("xgb_forest", "binary:logistic", rounds=2, num_parallel_tree=4, subsample=0.6, colsample_bynode=0.6)
xgboost_model("xgb_categories", "reg:squarederror", categories=8, max_cat_to_onehot=1)
xgboost_model("xgb_onehot", "binary:logistic", categories=4, max_cat_to_onehot=9, ubj=True)
xgboost_model("xgb_pruned", "reg:squarederror", tree_method="exact", gamma=20.0, max_depth=5)
xgboost_model("xgb_base", "count:poisson", base_score=2.5, rounds=2)
xgboost_model("xgb_targets", "reg:squarederror", rounds=3, label=lambda s: np.stack([s, -2 * s + 1], axis=1))

for objective in ("regression", "regression_l1", "quantile", "binary", "poisson", "gamma", "tweedie",
                  "cross_entropy", "cross_entropy_lambda", "lambdarank"):
    lightgbm_model("lgb_" + objective, objective, rounds=4)
lightgbm_model("lgb_multiclass", "multiclass", num_class=3)
lightgbm_model("lgb_multiclassova", "multiclassova", num_class=3, sigmoid=1.7)
lightgbm_model("lgb_sqrt", "regression", reg_sqrt=True)
lightgbm_model("lgb_forest", "regression", boosting="rf", bagging_freq=1, bagging_fraction=0.6)
lightgbm_model("lgb_forest_classes", "multiclass", num_class=3, boosting="rf", bagging_freq=1, bagging_fraction=0.6)
lightgbm_model("lgb_dart", "binary", rounds=8, boosting="dart", drop_rate=0.4)
lightgbm_model("lgb_categories", "binary", categories=48, min_data_per_group=5, cat_smooth=1)
lightgbm_model("lgb_zero", "regression", zero_as_missing=True)
lightgbm_model("lgb_none", "regression", use_missing=False)
lightgbm_model("lgb_deep", "regression", num_leaves=31, min_data_in_leaf=2)
