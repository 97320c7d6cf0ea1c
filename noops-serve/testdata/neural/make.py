"""Writes the neural ONNX models of this folder and prints what ONNX Runtime answers: `python make.py`, with onnx and onnxruntime."""

import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

ROWS = np.array([[0.5, -1, 2], [1, 0.25, -0.75], [0, 0, 0], [3, -2, 1]], "f")


def perceptron(name, batch, label):
    """3 inputs, 5 hidden units, a softmax over 2; `batch` is a name, a number or None."""
    random = np.random.RandomState(0)
    weights = {
        "w0": random.randn(3, 5).astype("f") * 0.5,
        "b0": random.randn(5).astype("f") * 0.5,
        "w1": random.randn(5, 2).astype("f") * 0.5,
        "b1": random.randn(2).astype("f") * 0.5,
    }
    nodes = [
        helper.make_node("Gemm", ["x", "w0", "b0"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Gemm", ["r", "w1", "b1"], ["z"]),
        helper.make_node("Softmax", ["z"], ["p"], axis=1),
    ]
    outputs = [helper.make_tensor_value_info("p", TensorProto.FLOAT, [batch, 2])]
    if label:
        nodes.append(helper.make_node("ArgMax", ["p"], ["label"], axis=1, keepdims=0))
        outputs.insert(0, helper.make_tensor_value_info("label", TensorProto.INT64, [batch]))
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 3])]
    parameters = [numpy_helper.from_array(array, key) for key, array in weights.items()]
    graph = helper.make_graph(nodes, "perceptron", inputs, outputs, parameters)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    path = pathlib.Path(__file__).with_name(name)
    onnx.save(model, path)
    session = onnxruntime.InferenceSession(path)
    print(name, session.run(["p"], {"x": ROWS})[0].tolist())


perceptron("mlp_open.onnx", "N", label=True)
perceptron("mlp_fixed.onnx", 4, label=False)
perceptron("mlp_unnamed.onnx", None, label=False)
