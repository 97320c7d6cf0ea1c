"""Writes the ONNX-ML fixtures: small seeded models, the rows they are asked, and what ONNX Runtime answers.

Needs (pip): scikit-learn skl2onnx onnx onnxruntime onnxmltools xgboost lightgbm numpy. Run it in this folder.
"""

import json
import warnings

import numpy as np
import onnx
import onnxruntime as ort
from lightgbm import LGBMClassifier, LGBMRegressor
from onnx import TensorProto, helper
from onnxmltools import convert_lightgbm, convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType as MlFloat
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC, SVR, LinearSVC, NuSVC
from xgboost import XGBClassifier, XGBRegressor

warnings.filterwarnings("ignore")
K = 6
random = np.random.default_rng(7)
X = random.normal(size=(120, K)).astype(np.float32)
score = X @ np.array([1.0, -2.0, 0.5, 0.0, 1.5, -0.5])
binary = (score + 0.3 * random.normal(size=120) > 0).astype(np.int64)
three = np.digitize(score, [-1.5, 1.5]).astype(np.int64)
number = (score + X[:, 0] * X[:, 1]).astype(np.float32)
holes = X.copy()
holes[random.random(X.shape) < 0.15] = np.nan
ROWS, HOLED = X[:13], np.concatenate([holes[:10], X[10:13]])
index = []


def plain(array):
    """A tensor as JSON: NaN as null, numbers as the shortest text that reads back."""
    array = np.asarray(array)
    flat = array.reshape(-1).tolist()
    flat = [None if isinstance(v, float) and not np.isfinite(v) else v for v in flat]
    return {"shape": list(array.shape), "values": flat}


def save(name, model, inputs):
    """Writes a model and one line of the index: its inputs and every output that ONNX Runtime gives."""
    # Documentation and producer are of no use here.
    model.doc_string = ""
    path = f"{name}.onnx"
    onnx.save(model, path)
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    outputs = {}
    for described, value in zip(session.get_outputs(), session.run(None, inputs)):
        if isinstance(value, list):  # a zip map: one dictionary per row
            keys = list(value[0])
            value = np.array([[row[key] for key in keys] for row in value], dtype=np.float32)
        outputs[described.name] = plain(value)
    index.append({"name": name, "inputs": {k: plain(v) for k, v in inputs.items()}, "outputs": outputs})


def sk(name, estimator, target, rows=ROWS, train=None):
    estimator.fit(X if train is None else train, target)
    kind = [("X", FloatTensorType([None, K]))]
    both = hasattr(estimator, "predict_proba")
    for suffix, zipmap in [("", True), ("_plain", False)]:
        # The option exists for classifiers alone; a regressor's two exports are the same.
        options = {"zipmap": zipmap} if both else None
        options = {id(estimator): options} if options else None
        save(name + suffix, to_onnx(estimator, initial_types=kind, options=options), {"X": rows})


def boosted(name, estimator, target, convert, rows=ROWS):
    estimator.fit(holes, target)
    kind = [("X", MlFloat([None, K]))]
    for suffix, zipmap in [("", True), ("_plain", False)]:
        extra = {"zipmap": zipmap} if convert is convert_lightgbm else {}
        save(name + suffix, convert(estimator, initial_types=kind, **extra), {"X": rows})


# The fourteen exports, each with its default options and with the zip map off.
sk("linreg", LinearRegression(), number)
sk("logreg", LogisticRegression(), binary)
sk("mlp", MLPClassifier((8, 8), max_iter=60, random_state=1), binary)
sk("rf", RandomForestClassifier(10, max_depth=4, random_state=1), three)
boosted("lgbm", LGBMClassifier(n_estimators=10, max_depth=4, num_leaves=8, verbose=-1), binary, convert_lightgbm, HOLED)
sk("scaler_logreg", make_pipeline(StandardScaler(), LogisticRegression()), three)
sk("imputer_rf", make_pipeline(SimpleImputer(), RandomForestClassifier(8, max_depth=3, random_state=1)), binary, HOLED, holes)
sk("rfr", RandomForestRegressor(8, max_depth=4, random_state=1), number)
sk("gbc", GradientBoostingClassifier(n_estimators=10, max_depth=3, random_state=1), binary)
sk("hgbc", HistGradientBoostingClassifier(max_iter=8, max_depth=3, random_state=1), binary, HOLED, holes)
sk("svc", SVC(probability=True, random_state=1), three)
boosted("xgbc", XGBClassifier(n_estimators=8, max_depth=3), binary, convert_xgboost, HOLED)
boosted("xgbr", XGBRegressor(n_estimators=8, max_depth=3), number, convert_xgboost, HOLED)
boosted("lgbmr", LGBMRegressor(n_estimators=10, max_depth=4, num_leaves=8, verbose=-1), number, convert_lightgbm, HOLED)

# Further families.
def one(name, estimator, target=None, rows=ROWS, train=None, options=None):
    estimator.fit(X if train is None else train, target)
    kind = [("X", FloatTensorType([None, K]))]
    options = {id(estimator): options} if options else None
    opsets = {"": 18, "ai.onnx.ml": 3}
    save(name, to_onnx(estimator, initial_types=kind, options=options, target_opset=opsets), {"X": rows})


flat = {"zipmap": False}
one("x_logreg_ovr", LogisticRegression(C=0.3), three, options=flat)
one("x_svc_binary", SVC(kernel="poly", degree=2, probability=True, random_state=1), binary, options=flat)
one("x_svc_sigmoid", SVC(kernel="sigmoid", random_state=1), three, options=flat)
one("x_svc_linear", SVC(kernel="linear", random_state=1), binary, options=flat)
one("x_nusvc", NuSVC(nu=0.2, probability=True, random_state=1), three, options=flat)
one("x_linear_svc", LinearSVC(), three)
one("x_svr", SVR(kernel="rbf"), number)
one("x_svr_poly", SVR(kernel="poly", degree=3, coef0=0.5), number)
one("x_gbr", GradientBoostingRegressor(n_estimators=8, max_depth=3, random_state=1), number)
one("x_gbc3", GradientBoostingClassifier(n_estimators=4, max_depth=2, random_state=1), three, options=flat)
one("x_rfr2", RandomForestRegressor(5, max_depth=3, random_state=1), np.stack([number, score], 1))
one("x_mlp3", MLPClassifier((6,), activation="tanh", max_iter=60, random_state=1), three, options=flat)
one("x_isolation", IsolationForest(n_estimators=5, max_samples=16, random_state=1))
one("x_scale", make_pipeline(MinMaxScaler(), Normalizer("l2")))
one("x_robust", make_pipeline(RobustScaler(), MaxAbsScaler(), Normalizer("l1")))
one("x_max", Normalizer("max"))
one("x_binarizer", Binarizer(threshold=0.25))
one("x_poly", make_pipeline(PolynomialFeatures(2), LinearRegression()), number)
one("x_kbins", make_pipeline(KBinsDiscretizer(4, encode="ordinal"), LogisticRegression()), binary, options=None)
one("x_kbins_hot", KBinsDiscretizer(3, encode="onehot-dense"))
boosted3 = LGBMClassifier(n_estimators=5, max_depth=3, num_leaves=6, verbose=-1).fit(holes, three)
save("x_lgbm3", convert_lightgbm(boosted3, initial_types=[("X", MlFloat([None, K]))], zipmap=False), {"X": HOLED})
boosted3 = XGBClassifier(n_estimators=4, max_depth=3).fit(holes, three)
save("x_xgbc3", convert_xgboost(boosted3, initial_types=[("X", MlFloat([None, K]))]), {"X": HOLED})
boosted3 = XGBRegressor(n_estimators=5, max_depth=3, objective="count:poisson").fit(holes, np.abs(number))
save("x_xgb_poisson", convert_xgboost(boosted3, initial_types=[("X", MlFloat([None, K]))]), {"X": HOLED})

# Text, whole numbers and several inputs.
colours = np.array(["red", "green", "blue", "amber"])
colour = colours[random.integers(0, 4, 120)].reshape(-1, 1)
size = np.array(["s", "m", "l"])[random.integers(0, 3, 120)].reshape(-1, 1)
count = random.integers(0, 5, (120, 1)).astype(np.int64)
named = np.where(three == 0, "low", np.where(three == 1, "middle", "high"))


class Frame:
    """Columns by name, as a column transformer wants them."""


import pandas as pd  # noqa: E402

frame = pd.DataFrame({"colour": colour[:, 0], "size": size[:, 0], "count": count[:, 0], "amount": X[:, 0]})
parts = ColumnTransformer(
    [
        ("hot", OneHotEncoder(handle_unknown="ignore"), ["colour", "count"]),
        ("rank", OrdinalEncoder(categories=[["s", "m", "l"]]), ["size"]),
        ("scale", StandardScaler(), ["amount"]),
    ]
)
pipeline = make_pipeline(parts, LogisticRegression()).fit(frame, named)
kinds = [
    ("colour", StringTensorType([None, 1])),
    ("size", StringTensorType([None, 1])),
    ("count", Int64TensorType([None, 1])),
    ("amount", FloatTensorType([None, 1])),
]
asked = {"colour": colour[:9], "size": size[:9], "count": count[:9], "amount": X[:9, :1]}
asked["colour"] = asked["colour"].astype(object)
asked["size"] = asked["size"].astype(object)
save("t_mixed", to_onnx(pipeline, initial_types=kinds, options={"zipmap": False}), asked)
save("t_mixed_zipmap", to_onnx(pipeline, initial_types=kinds), asked)
texts = np.concatenate([colour, size], 1)
hot = OneHotEncoder(sparse_output=False).fit(texts)
save("t_hot", to_onnx(hot, initial_types=[("X", StringTensorType([None, 2]))]), {"X": texts[:8].astype(object)})
rank = make_pipeline(OrdinalEncoder(), RandomForestRegressor(4, max_depth=3, random_state=1)).fit(texts, number)
save("t_rank", to_onnx(rank, initial_types=[("X", StringTensorType([None, 2]))]), {"X": texts[:8].astype(object)})

# Single operators, for what the exporters above do not write.
F, I, S, B, D = TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING, TensorProto.BOOL, TensorProto.DOUBLE


def small(name, nodes, output, kind=F, width=K, inputs=None, initializers=(), ml=3, opset=17, rows=None):
    described = inputs or [helper.make_tensor_value_info("X", F, [None, width])]
    shown = [helper.make_tensor_value_info(output, kind, None)]
    # The labels of a classifier; but where both of two classes have weights, ONNX Runtime answers 0 and 1 whatever the labels are.
    if any("L" in node.output for node in nodes) and "classify_2" not in name:
        shown.append(helper.make_tensor_value_info("L", I, None))
    graph = helper.make_graph(nodes, name, described, shown, list(initializers))
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", ml)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    save(name, model, rows or {"X": ROWS[:5, :width]})


def ml(kind, inputs, outputs, **attributes):
    return helper.make_node(kind, inputs, outputs, domain="ai.onnx.ml", **attributes)


node = helper.make_node


def const(name, values, kind=I, shape=None):
    values = np.asarray(values)
    return helper.make_tensor(name, kind, values.shape if shape is None else shape, values.reshape(-1).tolist())


for kernel in ["LINEAR", "POLY", "RBF", "SIGMOID"]:
    small(
        f"o_svm_{kernel.lower()}",
        [
            ml("SVMRegressor", ["X"], ["Y"], coefficients=[0.5, -0.25, 1.0], kernel_params=[0.3, 0.5, 2.0],
               kernel_type=kernel, n_supports=3, rho=[0.1], support_vectors=X[:3].reshape(-1).tolist())
        ],
        "Y",
    )
for post in ["NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "PROBIT"]:
    coefficients = (X[:3] * (0.02 if post == "PROBIT" else 1)).reshape(-1).tolist()
    small(
        f"o_linear_{post.lower()}",
        [ml("LinearClassifier", ["X"], ["L", "Y"], coefficients=coefficients, intercepts=[0.5, 0.4, 0.6],
            classlabels_ints=[3, 5, 9], post_transform=post, multi_class=0)],
        "Y",
    )
    small(
        f"o_regress_{post.lower()}",
        [ml("LinearRegressor", ["X"], ["Y"], coefficients=coefficients, intercepts=[0.5, 0.4, 0.6], targets=3,
            post_transform=post)],
        "Y",
    )
tree = dict(
    nodes_treeids=[0, 0, 0, 0, 0, 1, 1, 1], nodes_nodeids=[0, 1, 2, 3, 4, 0, 1, 2],
    nodes_featureids=[0, 1, 0, 0, 0, 2, 0, 0], nodes_values=[0.1, -0.3, 0, 0, 0, 0.2, 0, 0],
    nodes_modes=["BRANCH_LT", "BRANCH_GTE", "LEAF", "LEAF", "LEAF", "BRANCH_GT", "LEAF", "LEAF"],
    nodes_truenodeids=[1, 2, 0, 0, 0, 1, 0, 0], nodes_falsenodeids=[4, 3, 0, 0, 0, 2, 0, 0],
    nodes_missing_value_tracks_true=[1, 0, 0, 0, 0, 1, 0, 0],
)
at = [0, 0, 0, 1, 1]
for how in ["SUM", "AVERAGE", "MIN", "MAX"]:
    small(
        f"o_tree_{how.lower()}",
        [ml("TreeEnsembleRegressor", ["X"], ["Y"], **tree, target_treeids=[0, 0, 0, 1, 1, 1, 1],
            target_nodeids=[2, 3, 4, 1, 1, 2, 2], target_ids=[0, 1, 0, 1, 0, 0, 1], n_targets=2,
            target_weights=[1.0, -2.0, 0.5, 0.25, 0.75, 3.0, -1.0],
            base_values=[0.125, -0.5], aggregate_function=how)],
        "Y", rows={"X": HOLED[:9]},
    )
for post in ["NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"]:
    for classes, ids in [(2, [0, 0, 0, 0, 0]), (2, [0, 1, 0, 1, 0]), (3, [0, 1, 2, 1, 0])]:
        binary_case = "one" if ids == [0] * 5 else str(classes)
        weights = [1.0, -2.0, 0.5, 0.25, 3.0]
        small(
            f"o_classify_{binary_case}_{post.lower()}",
            [ml("TreeEnsembleClassifier", ["X"], ["L", "Y"], **tree, class_treeids=at, class_nodeids=[2, 3, 4, 1, 2],
                class_ids=ids, class_weights=weights, classlabels_int64s=list(range(10, 10 + classes)),
                post_transform=post)],
            "Y", rows={"X": HOLED[:9]},
        )
small(
    "o_tree5",
    [ml("TreeEnsemble", ["X"], ["Y"], n_targets=2, aggregate_function=1, post_transform=0, tree_roots=[0],
        nodes_modes=helper.make_tensor("nodes_modes", TensorProto.UINT8, (3,), [0, 0, 0]),
        nodes_featureids=[0, 0, 0], nodes_splits=const("nodes_splits", [0.5, 1.2, -0.2], F),
        nodes_truenodeids=[1, 0, 1], nodes_trueleafs=[0, 1, 1], nodes_falsenodeids=[2, 2, 3], nodes_falseleafs=[0, 1, 1],
        leaf_targetids=[0, 1, 0, 0], leaf_weights=const("leaf_weights", [5.23, 12.12, -12.23, 7.21], F))],
    "Y", ml=5,
)
small(
    "o_tree5_member",
    [ml("TreeEnsemble", ["X"], ["Y"], n_targets=4, aggregate_function=1, post_transform=0, tree_roots=[0],
        membership_values=const("m", [1.2, 3.7, 8.0, 9.0, float("nan"), 12.0, 7.0, float("nan")], F),
        nodes_modes=helper.make_tensor("nodes_modes", TensorProto.UINT8, (3,), [0, 6, 6]),
        nodes_featureids=[0, 0, 0], nodes_splits=const("nodes_splits", [11.0, 232344.0, float("nan")], F),
        nodes_truenodeids=[1, 0, 1], nodes_trueleafs=[0, 1, 1], nodes_falsenodeids=[2, 2, 3], nodes_falseleafs=[1, 0, 1],
        leaf_targetids=[0, 1, 2, 3], leaf_weights=const("w", [1.0, 10.0, 1000.0, 100.0], F))],
    "Y", ml=5, width=1,
    rows={"X": np.array([[1.2], [3.4], [-0.12], [1.66], [4.14], [1.77], [8.0], [9.0], [12.0], [7.0]], np.float32)},
)
columns = [helper.make_tensor_value_info("A", I, [None, 2]), helper.make_tensor_value_info("T", S, [None, 1])]
rows2 = {"A": count[:6].repeat(2, 1), "T": colour[:6].astype(object)}
small(
    "o_features",
    [
        ml("LabelEncoder", ["T"], ["N"], keys_strings=["red", "green"], values_int64s=[7, 8], default_int64=-3),
        ml("LabelEncoder", ["A"], ["M"], keys_int64s=[0, 1, 2], values_floats=[0.5, 1.5, 2.5], default_float=-1.0),
        ml("CategoryMapper", ["T"], ["C"], cats_int64s=[4, 5], cats_strings=["blue", "amber"], default_int64=-1),
        ml("OneHotEncoder", ["T"], ["O3"], cats_strings=["red", "blue"], zeros=1),
        node("Constant", [], ["flat"], value=const("f", [0, 2])),
        node("Reshape", ["O3", "flat"], ["O"]),
        ml("ArrayFeatureExtractor", ["A", "second"], ["E"]),
        node("Constant", [], ["second"], value=const("s", [1])),
        node("Cast", ["N"], ["Nf"], to=F),
        node("Cast", ["C"], ["Cf"], to=F),
        ml("FeatureVectorizer", ["Nf", "M", "Cf", "O"], ["V"], inputdimensions=[1, 2, 1, 2]),
        node("Cast", ["E"], ["Ef"], to=F),
        node("Concat", ["V", "Ef"], ["Y"], axis=1),
    ][:6]
    + [
        node("Constant", [], ["second"], value=const("s", [1])),
        ml("ArrayFeatureExtractor", ["A", "second"], ["E"]),
        node("Cast", ["N"], ["Nf"], to=F),
        node("Cast", ["C"], ["Cf"], to=F),
        ml("FeatureVectorizer", ["Nf", "M", "Cf", "O"], ["V"], inputdimensions=[1, 2, 1, 2]),
        node("Cast", ["E"], ["Ef"], to=F),
        node("Concat", ["V", "Ef"], ["Y"], axis=1),
    ],
    "Y", inputs=columns, rows=rows2,
)
small(
    "o_imputer",
    [ml("Imputer", ["X"], ["A"], imputed_value_floats=[float(i) for i in range(K)], replaced_value_float=float("nan")),
     ml("Scaler", ["A"], ["Bx"], offset=[0.5], scale=[2.0]), ml("Binarizer", ["Bx"], ["C"], threshold=0.5),
     ml("Normalizer", ["Bx"], ["N"], norm="L2"), node("Add", ["C", "N"], ["Y"])],
    "Y", rows={"X": HOLED[:7]},
)
# General operators in one chain each.
small(
    "o_arithmetic",
    [node("Abs", ["X"], ["a"]), node("Sqrt", ["a"], ["b"]), node("Exp", ["X"], ["c"]), node("Neg", ["c"], ["d"]),
     node("Pow", ["a", "two"], ["e"]), node("Add", ["b", "d"], ["f"]), node("Sub", ["f", "e"], ["g"]),
     node("Mul", ["g", "row"], ["h"]), node("Div", ["h", "two"], ["i"]), node("Tanh", ["i"], ["j"]),
     node("Sigmoid", ["j"], ["k"]), node("Relu", ["X"], ["l"]), node("Max", ["k", "l", "half"], ["m"]),
     node("Min", ["m", "two"], ["n"]), node("Floor", ["i"], ["o"]), node("Add", ["n", "o"], ["p"]),
     node("Log", ["c"], ["q"]), node("Sum", ["p", "q", "half"], ["r"]), node("Clip", ["r", "low", "high"], ["s"]),
     node("Reciprocal", ["c"], ["t"]), node("Ceil", ["t"], ["u"]), node("Sign", ["X"], ["v"]),
     node("Softplus", ["X"], ["x"]), node("Sum", ["s", "u", "v", "x"], ["y"]), node("LeakyRelu", ["y"], ["z"], alpha=0.1),
     node("Elu", ["z"], ["Y"], alpha=0.5)],
    "Y", initializers=[const("two", 2.0, F, ()), const("half", [0.5], F), const("row", np.linspace(1, 2, K), F),
                       const("low", -2.5, F, ()), const("high", 3.5, F, ())],
)
small(
    "o_compare",
    [node("Less", ["X", "zero"], ["a"]), node("Greater", ["X", "one"], ["b"]), node("Or", ["a", "b"], ["c"]),
     node("Not", ["c"], ["d"]), node("LessOrEqual", ["X", "one"], ["e"]), node("GreaterOrEqual", ["X", "zero"], ["f"]),
     node("And", ["e", "f"], ["g"]), node("Equal", ["d", "g"], ["h"]), node("Xor", ["h", "a"], ["i"]),
     node("IsNaN", ["X"], ["j"]), node("Or", ["i", "j"], ["k"]), node("Where", ["k", "X", "one"], ["l"]),
     node("Cast", ["d"], ["m"], to=F), node("Add", ["l", "m"], ["Y"])],
    "Y", initializers=[const("zero", 0.0, F, ()), const("one", 0.5, F, ())], rows={"X": HOLED[:6]},
)
small(
    "o_shapes",
    [node("Shape", ["X"], ["shape"]), node("Gather", ["shape", "zero"], ["n"], axis=0),
     node("Unsqueeze", ["n", "zeros"], ["n1"]), node("Concat", ["n1", "minus"], ["target"], axis=0),
     node("Reshape", ["X", "split"], ["cube"]), node("Transpose", ["cube"], ["turned"], perm=[0, 2, 1]),
     node("Flatten", ["turned"], ["flat"], axis=1), node("Reshape", ["flat", "target"], ["back"]),
     node("Gather", ["back", "picks"], ["picked"], axis=1), node("Slice", ["back", "from", "to", "axes"], ["sliced"]),
     node("Concat", ["picked", "sliced"], ["joined"], axis=-1), node("Unsqueeze", ["joined", "ones"], ["wide"]),
     node("Squeeze", ["wide", "ones"], ["narrow"]), node("ConstantOfShape", ["target2"], ["filled"], value=const("v", [1.5], F)),
     node("Add", ["narrow", "filled"], ["sum"]), node("Identity", ["sum"], ["Y"])],
    "Y",
    initializers=[const("zero", 0, I, ()), const("zeros", [0]), const("ones", [1]), const("minus", [-1]),
                  const("split", [-1, 2, 3]), const("picks", [5, 0, 3]), const("from", [1]), const("to", [4]),
                  const("axes", [1]), const("target2", [1, 6])],
)
small(
    "o_reduce",
    [node("ReduceSum", ["X", "last"], ["a"], keepdims=1), node("ReduceMean", ["X"], ["b"], axes=[1], keepdims=1),
     node("ReduceMax", ["X"], ["c"], axes=[-1], keepdims=1), node("ReduceMin", ["X"], ["d"], axes=[1], keepdims=1),
     node("ReduceSumSquare", ["X"], ["s"], axes=[1], keepdims=1), node("ReduceL2", ["X"], ["t"], axes=[1], keepdims=1),
     node("Softmax", ["X"], ["e"], axis=1), node("ArgMax", ["X"], ["f"], axis=1, keepdims=1),
     node("ArgMin", ["X"], ["f2"], axis=1, keepdims=1), node("Cast", ["f2"], ["g2"], to=F),
     node("Cast", ["f"], ["g"], to=F), node("TopK", ["X", "two"], ["top", "where"], axis=1),
     node("Cast", ["where"], ["i"], to=F), node("LogSoftmax", ["X"], ["ls"], axis=1),
     node("ReduceProd", ["X"], ["p"], axes=[1], keepdims=1),
     node("Concat", ["a", "b", "c", "d", "s", "t", "e", "g", "g2", "top", "i", "ls", "p"], ["Y"], axis=1)],
    "Y", initializers=[const("last", [1]), const("two", [2])],
)
small(
    "o_matrix",
    [node("MatMul", ["X", "w"], ["a"]), node("Gemm", ["a", "v", "c"], ["b"], alpha=0.5, beta=2.0, transB=1),
     node("Cast", ["b"], ["d"], to=D), node("Add", ["d", "e"], ["f"]), node("Cast", ["f"], ["Y"], to=F)],
    "Y",
    initializers=[const("w", X[:K, :4], F), const("v", X[:3, :4], F), const("c", X[0, :3], F),
                  const("e", [[1e-9, 2.0, 3.0]], D)],
)
groups = {"x": "further", "t": "text", "o": "operators"}
for group in ["exports", *groups.values()]:
    entries = [entry for entry in index if groups.get(entry["name"].split("_")[0], "exports") == group]
    with open(f"{group}.json", "w", encoding="utf-8") as file:
        lines = ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in entries)
        file.write("[\n" + lines + "\n]\n")
