"""Asks a server everything that the clients of Triton and KServe can ask: see oip-clients, which installs them.

One line for every check; ends with 1 when one fails.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import pathlib
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import traceback

import numpy as np

# Both bring the same messages of gRPC, and a process takes them once: KServe's client has one of its own.
AS_KSERVE = "--kserve" in sys.argv
if AS_KSERVE:
    import grpc
    import httpx
    import kserve
    from kserve.inference_client import InferenceGRPCClient, InferenceRESTClient, RESTConfig
    from kserve.protocol.infer_type import RequestedOutput

    HTTP, GRPC = None, None
else:
    import tritonclient.grpc as GRPC
    import tritonclient.grpc.aio as triton_grpc_aio
    import tritonclient.http as HTTP
    import tritonclient.http.aio as triton_http_aio
    from tritonclient.utils import InferenceServerException

TESTDATA = pathlib.Path(__file__).resolve().parent.parent / "noops-serve" / "testdata"
NUMBERS = TESTDATA / "tree" / "xgb_binary_logistic"
COLOURS = TESTDATA / "tree" / "xgb_categories"
CONTRACT = TESTDATA / "protocol" / "xgb_categories.contract.json"
STATUS_OF = {
    400: "INVALID_ARGUMENT",
    404: "NOT_FOUND",
    501: "UNIMPLEMENTED",
    504: "DEADLINE_EXCEEDED",
}
WAIT = 20


class Sample:
    """Rows with the scores that the library which trained the model gives them."""

    def __init__(self, stem, keeps):
        text = json.loads(stem.with_suffix(".expected.json").read_text())
        rows = np.array(text["rows"], dtype=np.float64)
        kept = keeps(rows)
        self.rows = rows[kept].astype(np.float32)
        self.scores = np.array(text["scores"], dtype=np.float32)[kept]
        want(len(self.rows) >= 4, "there are rows to ask for")

    def whole(self):
        """The rows without a missing value, which JSON can hold."""
        kept = np.isfinite(self.rows).all(axis=1)
        want(kept.sum() >= 4, "there are rows without missing values")
        return self.rows[kept], self.scores[kept]


def want(holds, what):
    if not holds:
        raise AssertionError(what)


def same(got, expected):
    want(got == expected, f"{got!r} instead of {expected!r}")


def close(got, expected):
    want(got is not None, "the output is missing")
    got = np.asarray(got)
    same(got.shape, expected.shape)
    off = np.abs(got - expected).max()
    want(off < 1e-5, f"a score is off by {off}")


def refusal(client, ask, code, *words):
    """The error of a call, which has the status of its transport and says what is wrong."""
    try:
        ask()
    except InferenceServerException as error:
        refused(error, code if client is HTTP else STATUS_OF[code], *words)
    else:
        raise AssertionError("it was not refused")


def refused(error, code, *words):
    same(error.status(), str(code) if isinstance(code, int) else f"StatusCode.{code}")
    for word in words:
        want(word in error.message(), f"`{word}` is not in `{error.message()}`")


class Asked:
    """What is asked of one running server."""

    def __init__(self, address):
        self.address = address
        self.numbers = Sample(NUMBERS, lambda rows: np.full(len(rows), True))
        column = lambda rows: rows[:, 0]
        self.colours = Sample(
            COLOURS, lambda rows: np.isin(column(rows), np.arange(8)) & (np.arange(len(rows)) > 0)
        )
        contract = json.loads(CONTRACT.read_text())
        self.names = [rule["feature"]["name"] for rule in contract["rules"]]
        self.words = contract["rules"][0]["feature"]["category"]["categories"]


class Triton(Asked):
    """What the clients of Triton ask. The transport comes as the module of its client."""

    def __init__(self, address):
        super().__init__(address)
        self.clients = {
            HTTP: HTTP.InferenceServerClient(address, concurrency=4),
            GRPC: GRPC.InferenceServerClient(address),
        }

    def close(self):
        for client in self.clients.values():
            client.close()

    # Questions.

    def matrix(self, api, rows, name="input", datatype="FP32", **how):
        tensor = api.InferInput(name, list(rows.shape), datatype)
        tensor.set_data_from_numpy(rows, **how)
        return [tensor]

    def columns(self, api, rows, **how):
        codes = rows[:, 0].astype(int)
        words = np.array([self.words[code].encode() for code in codes], dtype=np.object_)
        tensors = [api.InferInput(self.names[0], [len(rows)], "BYTES")]
        tensors[0].set_data_from_numpy(words, **how)
        for place, name in enumerate(self.names[1:], 1):
            column = np.ascontiguousarray(rows[:, place : place + 1])
            tensors.append(api.InferInput(name, list(column.shape), "FP32"))
            tensors[-1].set_data_from_numpy(column, **how)
        return tensors

    def ask(self, api, rows=None, model="numbers", **how):
        rows = self.numbers.rows if rows is None else rows
        return self.clients[api].infer(model, self.matrix(api, rows), **how)

    # Checks of both transports.

    def health(self, api):
        client = self.clients[api]
        want(client.is_server_live(), "not live")
        want(client.is_server_ready(), "not ready")
        for model in ("numbers", "colours"):
            want(client.is_model_ready(model), f"{model} is not ready")
        want(client.is_model_ready("numbers", "1"), "version 1 is not ready")

    def health_of_nothing(self, api):
        client = self.clients[api]
        want(not client.is_model_ready("nothing"), "a model that is not there is ready")

    def server_metadata(self, api):
        told = self.clients[api].get_server_metadata(**self.as_json(api))
        same(told["name"], "noops-serve")
        wanted = {"binary_tensor_data", "model_configuration", "model_repository", "schedule_policy", "statistics"}
        same(set(told["extensions"]), wanted)

    def model_metadata(self, api):
        told = self.clients[api].get_model_metadata("numbers", **self.as_json(api))
        same((told["name"], told["versions"]), ("numbers", ["1"]))
        same(self.described(told["inputs"]), [("input", "FP32", [-1, 5])])
        same(self.described(told["outputs"]), [("output", "FP32", [-1, 1])])
        told = self.clients[api].get_model_metadata("colours", **self.as_json(api))
        numbers = [(name, "FP32", [-1]) for name in self.names[1:]]
        same(self.described(told["inputs"]), [(self.names[0], "BYTES", [-1]), *numbers])

    def described(self, tensors):
        return [(t["name"], t["datatype"], [int(size) for size in t["shape"]]) for t in tensors]

    def config(self, api):
        told = self.clients[api].get_model_config("numbers", **self.as_json(api))
        told = told.get("config", told)
        same(told["name"], "numbers")
        want(int(told["max_batch_size"]) > 0, "no batches")
        given = told["input"][0]
        same((given["name"], given["data_type"], [int(d) for d in given["dims"]]), ("input", "TYPE_FP32", [5]))
        told = self.clients[api].get_model_config("colours", **self.as_json(api))
        same(told.get("config", told)["input"][0]["data_type"], "TYPE_STRING")

    def statistics(self, api):
        before = self.counted(api)
        self.ask(api)
        after = self.counted(api)
        same(after["rows"] - before["rows"], len(self.numbers.rows))
        same(after["success"] - before["success"], 1)
        same(after["fail"] - before["fail"], 0)
        everything = self.clients[api].get_inference_statistics(**self.as_json(api))
        same({model["name"] for model in everything["model_stats"]}, {"numbers", "colours"})
        ask = lambda: self.clients[api].get_inference_statistics("nothing")
        refusal(api, ask, 404, "nothing")

    def counted(self, api):
        told = self.clients[api].get_inference_statistics("numbers", **self.as_json(api))
        (only,) = told["model_stats"]
        number = lambda value: int(value.get("count", 0))
        stats = only["inference_stats"]
        return {
            "rows": int(only.get("inference_count", 0)),
            "success": number(stats["success"]),
            "fail": number(stats.get("fail", {})),
        }

    def repository(self, api):
        client = self.clients[api]
        same(self.index(api)["numbers"], "READY")
        client.unload_model("numbers")
        same(self.index(api)["numbers"], "UNAVAILABLE")
        want(not client.is_model_ready("numbers"), "it is ready after it was unloaded")
        refusal(api, lambda: self.ask(api), 404, "numbers")
        client.load_model("numbers")
        same(self.index(api)["numbers"], "READY")
        close(self.ask(api).as_numpy("output"), self.numbers.scores)

    def index(self, api):
        told = self.clients[api].get_model_repository_index(**self.as_json(api))
        told = told if api is HTTP else told["models"]
        want({model["name"] for model in told} >= {"numbers", "colours"}, "a model is missing")
        return {model["name"]: model["state"] for model in told}

    def repository_refusals(self, api):
        client = self.clients[api]
        refusal(api, lambda: client.load_model("nothing"), 404, "nothing")
        refusal(api, lambda: client.unload_model("nothing"), 404, "nothing")
        refusal(api, lambda: client.load_model("../numbers"), 404 if api is HTTP else 400)
        refusal(api, lambda: client.load_model("rubbish"), 400, "rubbish")
        refusal(api, lambda: client.load_model("numbers", config="{}"), 501, "config")
        # Put there by the host: who does not have the file cannot bring it back.
        status = 403 if api is HTTP else "PERMISSION_DENIED"
        try:
            client.unload_model("colours")
        except InferenceServerException as error:
            refused(error, status, "colours")
        else:
            raise AssertionError("it was not refused")

    def infer_rows(self, api):
        result = self.ask(api)
        close(result.as_numpy("output"), self.numbers.scores)

    def infer_one_row(self, api):
        for row, score in zip(self.numbers.rows[:6], self.numbers.scores):
            close(self.ask(api, row[None, :]).as_numpy("output"), score[None, :])

    def infer_many_rows(self, api):
        rows, scores = np.tile(self.numbers.rows, (200, 1)), np.tile(self.numbers.scores, (200, 1))
        close(self.ask(api, rows).as_numpy("output"), scores)

    def infer_no_rows(self, api):
        empty = np.zeros((0, 5), dtype=np.float32)
        same(self.ask(api, empty).as_numpy("output").shape, (0, 1))

    def infer_columns(self, api):
        result = self.clients[api].infer("colours", self.columns(api, self.colours.rows))
        close(result.as_numpy("output"), self.colours.scores)

    def infer_other_numbers(self, api):
        rows = np.array([[0, 1, -1, 2, 0], [1, 0, 0, -2, 1]])
        expected = self.ask(api, rows.astype(np.float32)).as_numpy("output")
        for datatype, kind in [("FP64", np.float64), ("INT8", np.int8), ("INT32", np.int32), ("INT64", np.int64)]:
            tensors = self.matrix(api, rows.astype(kind), datatype=datatype)
            close(self.clients[api].infer("numbers", tensors).as_numpy("output"), expected)

    def infer_named(self, api):
        outputs = [api.InferRequestedOutput("output")]
        result = self.ask(api, outputs=outputs, request_id="q-17")
        response = result.get_response() if api is HTTP else result.get_response(as_json=True)
        same((response["id"], response["model_name"]), ("q-17", "numbers"))
        close(result.as_numpy("output"), self.numbers.scores)

    def infer_version(self, api):
        tensors = self.columns(api, self.colours.rows)
        result = self.clients[api].infer("colours", tensors, model_version="1")
        close(result.as_numpy("output"), self.colours.scores)
        ask = lambda: self.clients[api].infer("colours", tensors, model_version="9")
        refusal(api, ask, 404, "colours", "9")

    def infer_parameters(self, api):
        unit = {"unit": "customer-1", "anything": True}
        result = self.ask(api, priority=1, timeout=WAIT * 1_000_000, parameters=unit)
        close(result.as_numpy("output"), self.numbers.scores)
        refusal(api, lambda: self.ask(api, parameters={"unit": 1}), 400, "unit")
        refusal(api, lambda: self.ask(api, timeout=-1), 400, "timeout")

    def infer_too_late(self, api):
        # A microsecond is over before so many rows are read.
        rows = np.tile(self.numbers.rows, (200, 1))
        refusal(api, lambda: self.ask(api, rows, timeout=1), 504)

    def infer_compressed(self, api):
        if api is HTTP:
            for name in ("gzip", "deflate"):
                how = {"request_compression_algorithm": name, "response_compression_algorithm": name}
                close(self.ask(api, **how).as_numpy("output"), self.numbers.scores)
        else:
            for name in ("gzip", "deflate"):
                refusal(api, lambda: self.ask(api, compression_algorithm=name), 501, name)

    def unknown_names(self, api):
        refusal(api, lambda: self.ask(api, model="nothing"), 404, "nothing")
        tensors = self.matrix(api, self.numbers.rows, name="outside")
        refusal(api, lambda: self.clients[api].infer("numbers", tensors), 400, "outside")
        outputs = [api.InferRequestedOutput("more")]
        refusal(api, lambda: self.ask(api, outputs=outputs), 400, "more", "output")
        client = self.clients[api]
        refusal(api, lambda: client.get_model_metadata("nothing"), 404, "nothing")
        refusal(api, lambda: client.get_model_config("nothing"), 404, "nothing")

    def wrong_shapes(self, api):
        client = self.clients[api]
        narrow = self.matrix(api, np.zeros((2, 4), dtype=np.float32))
        refusal(api, lambda: client.infer("numbers", narrow), 400, "[rows, 5]")
        lying = self.matrix(api, np.zeros((2, 5), dtype=np.float32))
        lying[0].set_shape([3, 5])
        refusal(api, lambda: client.infer("numbers", lying), 400, "input")
        uneven = self.columns(api, self.colours.rows)
        uneven[2] = self.columns(api, self.colours.rows[:2])[2]
        refusal(api, lambda: client.infer("colours", uneven), 400, self.names[2], "rows")
        missing = self.columns(api, self.colours.rows)[:-1]
        refusal(api, lambda: client.infer("colours", missing), 400, self.names[-1], "missing")
        twice = self.columns(api, self.colours.rows)
        twice.append(twice[1])
        refusal(api, lambda: client.infer("colours", twice), 400, self.names[1], "twice")

    def wrong_types(self, api):
        client = self.clients[api]
        half = self.matrix(api, self.numbers.rows[4:].astype(np.float16), datatype="FP16")
        refusal(api, lambda: client.infer("numbers", half), 400, "FP16")
        swapped = self.columns(api, self.colours.rows)
        numbers = np.zeros(len(self.colours.rows), dtype=np.float32)
        swapped[0] = self.matrix(api, numbers, name=self.names[0])[0]
        refusal(api, lambda: client.infer("colours", swapped), 400, self.names[0], "BYTES")
        words = self.columns(api, self.colours.rows)
        texts = np.array([b"many"] * len(numbers), dtype=np.object_)
        words[1] = self.matrix(api, texts, name=self.names[1], datatype="BYTES")[0]
        refusal(api, lambda: client.infer("colours", words), 400, self.names[1], "numbers")

    def wrong_values(self, api):
        client = self.clients[api]
        unknown = self.columns(api, self.colours.rows[:3])
        words = np.array([b"amber", b"blue", b"octarine"], dtype=np.object_)
        unknown[0].set_data_from_numpy(words)
        refusal(api, lambda: client.infer("colours", unknown), 400, "row 2", self.names[0])
        broken = self.columns(api, self.colours.rows[:1])
        broken[0].set_data_from_numpy(np.array([b"\xff\xfe"], dtype=np.object_))
        refusal(api, lambda: client.infer("colours", broken), 400, self.names[0], "UTF-8")

    def classification(self, api):
        outputs = [api.InferRequestedOutput("output", class_count=1)]
        refusal(api, lambda: self.ask(api, outputs=outputs), 501, "classification")

    def other_extensions(self, api):
        client = self.clients[api]
        refusal(api, client.get_trace_settings, 501)
        refusal(api, client.get_log_settings, 501)
        status = 404 if api is HTTP else 501
        refusal(api, client.get_system_shared_memory_status, status)
        refusal(api, client.get_cuda_shared_memory_status, status)

    def as_json(self, api):
        return {} if api is HTTP else {"as_json": True}

    # Checks of HTTP alone.

    def http_json(self, api):
        rows, scores = self.numbers.whole()
        tensors = self.matrix(HTTP, rows, binary_data=False)
        outputs = [HTTP.InferRequestedOutput("output", binary_data=False)]
        result = self.clients[HTTP].infer("numbers", tensors, outputs=outputs)
        want("data" in result.get_response()["outputs"][0], "the output is no JSON")
        close(result.as_numpy("output"), scores)

    def http_json_columns(self, api):
        rows, scores = self.colours.whole()
        tensors = self.columns(HTTP, rows, binary_data=False)
        outputs = [HTTP.InferRequestedOutput("output", binary_data=True)]
        result = self.clients[HTTP].infer("colours", tensors, outputs=outputs)
        close(result.as_numpy("output"), scores)

    def http_json_nan(self, api):
        rows = np.full((1, 5), np.nan, dtype=np.float32)
        tensors = self.matrix(HTTP, rows, binary_data=False)
        refusal(HTTP, lambda: self.clients[HTTP].infer("numbers", tensors), 400, "NaN", "binary")

    def http_too_large(self, api):
        rows = np.zeros((4_000_000, 5), dtype=np.float32)
        refusal(HTTP, lambda: self.ask(HTTP, rows), 413, "bytes")
        close(self.ask(HTTP).as_numpy("output"), self.numbers.scores)

    def http_async(self, api):
        asked = [self.clients[HTTP].async_infer("numbers", self.matrix(HTTP, row[None, :])) for row in self.numbers.rows]
        for handle, score in zip(asked, self.numbers.scores):
            close(handle.get_result(timeout=WAIT).as_numpy("output"), score[None, :])
        handle = self.clients[HTTP].async_infer("nothing", self.matrix(HTTP, self.numbers.rows))
        refusal(HTTP, lambda: handle.get_result(timeout=WAIT), 404, "nothing")

    def http_aio(self, api):
        async def run():
            async with triton_http_aio.InferenceServerClient(self.address) as client:
                want(await client.is_server_ready(), "not ready")
                asked = [client.infer("numbers", self.matrix(HTTP, row[None, :])) for row in self.numbers.rows]
                return await asyncio.gather(*asked)

        for result, score in zip(asyncio.run(run()), self.numbers.scores):
            close(result.as_numpy("output"), score[None, :])

    # Checks of gRPC alone.

    def grpc_async(self, api):
        came = queue.Queue()
        client = self.clients[GRPC]
        for place, row in enumerate(self.numbers.rows):
            told = lambda result, error, place=place: came.put((place, result, error))
            client.async_infer("numbers", self.matrix(GRPC, row[None, :]), told)
        seen = set()
        for _ in self.numbers.rows:
            place, result, error = came.get(timeout=WAIT)
            want(error is None, f"{error}")
            close(result.as_numpy("output"), self.numbers.scores[place][None, :])
            seen.add(place)
        same(len(seen), len(self.numbers.rows))
        client.async_infer("nothing", self.matrix(GRPC, self.numbers.rows), lambda result, error: came.put(error))
        refused(came.get(timeout=WAIT), "NOT_FOUND", "nothing")

    def grpc_client_timeout(self, api):
        result = self.ask(GRPC, client_timeout=WAIT)
        close(result.as_numpy("output"), self.numbers.scores)

    def grpc_aio(self, api):
        async def run():
            async with triton_grpc_aio.InferenceServerClient(self.address) as client:
                want(await client.is_server_ready(), "not ready")
                asked = [client.infer("numbers", self.matrix(GRPC, row[None, :])) for row in self.numbers.rows]
                return await asyncio.gather(*asked)

        for result, score in zip(asyncio.run(run()), self.numbers.scores):
            close(result.as_numpy("output"), score[None, :])

    @contextlib.contextmanager
    def stream(self, **how):
        came = queue.Queue()
        with GRPC.InferenceServerClient(self.address) as client:
            client.start_stream(lambda result, error: came.put((result, error)), **how)
            yield client, lambda: came.get(timeout=WAIT)
            client.stop_stream()

    def grpc_stream(self, api):
        with self.stream() as (client, answer):
            for place, row in enumerate(self.numbers.rows):
                client.async_stream_infer("numbers", self.matrix(GRPC, row[None, :]), request_id=f"q-{place}")
            for place, score in enumerate(self.numbers.scores):
                result, error = answer()
                want(error is None, f"{error}")
                same(result.get_response().id, f"q-{place}")
                close(result.as_numpy("output"), score[None, :])

    def grpc_stream_error(self, api):
        rows = self.numbers.rows
        with self.stream() as (client, answer):
            client.async_stream_infer("numbers", self.matrix(GRPC, rows))
            client.async_stream_infer("nothing", self.matrix(GRPC, rows))
            client.async_stream_infer("numbers", self.matrix(GRPC, rows[:, :3].copy()))
            client.async_stream_infer("numbers", self.matrix(GRPC, rows))
            told = [answer() for _ in range(4)]
        same([error is None for _, error in told], [True, False, False, True])
        want("nothing" in told[1][1].message(), f"{told[1][1]}")
        want("[rows, 5]" in told[2][1].message(), f"{told[2][1]}")
        close(told[3][0].as_numpy("output"), self.numbers.scores)

    def grpc_stream_status(self, api):
        with self.stream(headers={"triton_grpc_error": "true"}) as (client, answer):
            client.async_stream_infer("nothing", self.matrix(GRPC, self.numbers.rows))
            _, error = answer()
        refused(error, "NOT_FOUND", "nothing")

    def grpc_stream_final(self, api):
        with self.stream() as (client, answer):
            tensors = self.matrix(GRPC, self.numbers.rows)
            client.async_stream_infer("numbers", tensors, enable_empty_final_response=True)
            result, error = answer()
        want(error is None, f"{error}")
        want(result.get_response().parameters["triton_final_response"].bool_param, "the end is not marked")


class KServe(Asked):
    """What the clients of KServe ask."""

    def rest(self):
        async def run():
            async with InferenceRESTClient(RESTConfig(protocol="v2")) as client:
                url = f"http://{self.address}"
                want(await client.is_server_live(url), "not live")
                want(await client.is_server_ready(url), "not ready")
                want(await client.is_model_ready(url, "numbers"), "the model is not ready")
                want(not await client.is_model_ready(url, "nothing"), "a model that is not there is ready")
                rows, scores = self.numbers.whole()
                asked = self.question(rows, binary=False)
                self.answer(await client.infer(url, asked, "numbers"), scores, "k-1")
                asked = self.question(self.numbers.rows, binary=True)
                self.answer(await client.infer(url, asked, "numbers"), self.numbers.scores, "k-1")
                rows, scores = self.colours.whole()
                asked = self.columns(rows)
                self.answer(await client.infer(url, asked, "colours"), scores, "k-2")

        asyncio.run(run())

    def rest_errors(self):
        async def run():
            async with InferenceRESTClient(RESTConfig(protocol="v2")) as client:
                url = f"http://{self.address}"
                narrow = np.zeros((1, 4), dtype=np.float32)
                for model, rows, code, word in [
                    ("nothing", self.numbers.rows, 404, "nothing"),
                    ("numbers", narrow, 400, "[rows, 5]"),
                ]:
                    asked = self.question(rows, binary=True, model=model)
                    try:
                        await client.infer(url, asked, model)
                    except httpx.HTTPStatusError as error:
                        same(error.response.status_code, code)
                        want(word in str(error), f"`{word}` is not in `{error}`")
                    else:
                        raise AssertionError(f"{model} was not refused")

        asyncio.run(run())

    def grpc(self):
        async def run():
            async with InferenceGRPCClient(self.address) as client:
                want(await client.is_server_live(), "not live")
                want(await client.is_server_ready(), "not ready")
                want(await client.is_model_ready("numbers"), "the model is not ready")
                rows, scores = self.numbers.whole()
                for binary in (False, True):
                    asked = self.question(rows, binary)
                    self.answer(await client.infer(asked), scores, "k-1")
                rows, scores = self.colours.whole()
                self.answer(await client.infer(self.columns(rows)), scores, "k-2")

        asyncio.run(run())

    def grpc_errors(self):
        async def run():
            async with InferenceGRPCClient(self.address) as client:
                want(not await client.is_model_ready("nothing"), "a model that is not there is ready")
                narrow = np.zeros((1, 4), dtype=np.float32)
                for model, rows, code, word in [
                    ("nothing", self.numbers.rows, grpc.StatusCode.NOT_FOUND, "nothing"),
                    ("numbers", narrow, grpc.StatusCode.INVALID_ARGUMENT, "[rows, 5]"),
                ]:
                    asked = self.question(rows, binary=True, model=model)
                    try:
                        await client.infer(asked)
                    except grpc.RpcError as error:
                        same(error.code(), code)
                        want(word in error.details(), f"`{word}` is not in `{error.details()}`")
                    else:
                        raise AssertionError(f"{model} was not refused")

        asyncio.run(run())

    def question(self, rows, binary, model="numbers"):
        if binary:
            tensor = kserve.InferInput("input", list(rows.shape), "FP32")
            tensor.set_data_from_numpy(rows, binary_data=True)
        else:
            tensor = kserve.InferInput("input", list(rows.shape), "FP32", data=rows.flatten().tolist())
        outputs = [RequestedOutput("output", parameters={"binary_data": binary})]
        return kserve.InferRequest(model, [tensor], request_id="k-1", request_outputs=outputs)

    def columns(self, rows):
        words = [self.words[int(code)] for code in rows[:, 0]]
        tensors = [kserve.InferInput(self.names[0], [len(rows)], "BYTES", data=words)]
        for place, name in enumerate(self.names[1:], 1):
            values = rows[:, place].tolist()
            tensors.append(kserve.InferInput(name, [len(rows)], "FP32", data=values))
        return kserve.InferRequest("colours", tensors, request_id="k-2")

    def answer(self, response, scores, id):
        same(response.id, id)
        (output,) = response.outputs
        same(output.name, "output")
        close(output.as_numpy(), scores)


BOTH = [
    (Triton.health, "live, ready, and its models ready"),
    (Triton.health_of_nothing, "a model that is not there is not ready"),
    (Triton.server_metadata, "server metadata"),
    (Triton.model_metadata, "model metadata"),
    (Triton.config, "model configuration"),
    (Triton.statistics, "statistics count the rows and requests of an inference"),
    (Triton.infer_rows, "scores of rows as bytes, missing values among them"),
    (Triton.infer_one_row, "scores of single rows"),
    (Triton.infer_many_rows, "scores of thousands of rows"),
    (Triton.infer_no_rows, "no rows have no scores"),
    (Triton.infer_columns, "scores of features with texts among them"),
    (Triton.infer_other_numbers, "numbers of other types"),
    (Triton.infer_named, "the id and the outputs that were asked for"),
    (Triton.infer_version, "a version by its number"),
    (Triton.infer_parameters, "timeout, priority and other parameters"),
    (Triton.infer_too_late, "a timeout that is over"),
    (Triton.unknown_names, "models and tensors that are not there"),
    (Triton.wrong_shapes, "shapes that are wrong"),
    (Triton.wrong_types, "types that are wrong"),
    (Triton.wrong_values, "values outside the contract"),
    (Triton.classification, "classification is refused by its name"),
    (Triton.other_extensions, "trace, log and shared memory are refused"),
]
HTTP_ONLY = [
    (Triton.http_json, "numbers as JSON, both ways"),
    (Triton.http_json_columns, "texts as JSON, scores as bytes"),
    (Triton.http_json_nan, "NaN as JSON is refused, and the message says what to do"),
    (Triton.http_too_large, "a body that is too large is refused, and the next is not"),
    (Triton.http_async, "async_infer"),
    (Triton.http_aio, "the asyncio client, many at once"),
    (Triton.infer_compressed, "gzip and deflate"),
]
GRPC_ONLY = [
    (Triton.grpc_async, "async_infer"),
    (Triton.grpc_client_timeout, "a deadline of the client"),
    (Triton.grpc_aio, "the asyncio client, many at once"),
    (Triton.grpc_stream, "a stream of requests, answered in order"),
    (Triton.grpc_stream_error, "errors inside a stream, which goes on"),
    (Triton.grpc_stream_status, "an error as the status of a stream, where asked for"),
    (Triton.grpc_stream_final, "the end of an answer is marked, where asked for"),
    (Triton.infer_compressed, "gzip and deflate are refused by their names"),
]
REPOSITORY = [
    (Triton.repository, "unload and load, with the index"),
    (Triton.repository_refusals, "what cannot be loaded or unloaded"),
]
KSERVE = [
    (KServe.rest, "REST: health and inference, JSON and bytes"),
    (KServe.rest_errors, "REST: errors"),
    (KServe.grpc, "gRPC: health and inference, typed and raw"),
    (KServe.grpc_errors, "gRPC: errors"),
]


def triton_plan():
    for name, api, checks in [
        ("triton http", HTTP, BOTH + HTTP_ONLY),
        ("triton grpc", GRPC, BOTH + GRPC_ONLY),
        # Last: a model that is loaded again has another version.
        ("triton http", HTTP, REPOSITORY),
        ("triton grpc", GRPC, REPOSITORY),
    ]:
        for check, told in checks:
            yield f"{name}: {told}", api, check


class Serving:
    """The example `serve` with a folder of one model and, under a contract, a model of its own."""

    def __init__(self, binary, folder):
        shutil.copy(NUMBERS.with_suffix(".json"), folder / "numbers.json")
        colours = COLOURS.with_suffix(".json")
        command = [binary, "--bind", "127.0.0.1:0", "--repository", folder]
        command += ["--name", f"colours={colours}", "--contract", CONTRACT]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        # A server that hangs is ended, and everything that waits for it with it.
        self.guard = threading.Timer(150, self.process.kill)
        self.guard.daemon = True
        self.guard.start()
        line = self.process.stdout.readline()
        if not line.startswith("serving http://"):
            self.end()
            sys.exit(f"the server said `{line.strip()}` and does not serve")
        self.address = line.removeprefix("serving http://").split(": ")[0]
        # It was no model at the start, and is none now.
        (folder / "rubbish.json").write_text("{}")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        told, _ = self.process.communicate(timeout=30)
        same(self.process.returncode, 0)
        want(told.startswith("stopped: ") and " 0 cut off" in told, f"it said `{told.strip()}`")

    def end(self):
        self.guard.cancel()
        self.process.kill()
        self.process.communicate()


def tried(name, check):
    """Whether a check holds, with one line."""
    try:
        check()
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in where if frame.filename == __file__ and frame.name not in HELPERS]
        told = " ".join(f"{type(error).__name__}: {error}".split())
        print(f"FAILED  {name}: {told} (line {lines[-1]})", flush=True)
        return False
    print(f"ok      {name}", flush=True)
    return True


HELPERS = {"want", "same", "close", "refused", "refusal", "<lambda>"}


def main():
    parser = argparse.ArgumentParser(description="Checks a server with the clients of Triton and KServe.")
    parser.add_argument("binary", nargs="?", help="the example `serve`")
    parser.add_argument("--kserve", metavar="ADDRESS", help="ask as the clients of KServe what listens there already")
    arguments = parser.parse_args()
    if arguments.kserve:
        # The client logs every error that it raises.
        logging.disable(logging.CRITICAL)
        checks = KServe(arguments.kserve)
        failures = sum(not tried(f"kserve: {told}", lambda: check(checks)) for check, told in KSERVE)
        sys.exit(failures)
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        serving = Serving(pathlib.Path(arguments.binary).resolve(), pathlib.Path(folder))
        try:
            command = [sys.executable, "-B", __file__, "--kserve", serving.address]
            failures += subprocess.run(command, timeout=WAIT * 3).returncode
            checks = Triton(serving.address)
            for name, api, check in triton_plan():
                failures += not tried(name, lambda: check(checks, api))
            checks.close()
            failures += not tried("serve: ends with 0 when it is told to stop", serving.stop)
        finally:
            serving.end()
    if failures:
        sys.exit(f"{failures} checks failed")


main()
