"""Writes tritonclient.json: requests as NVIDIA Triton's own HTTP client makes them, and what they hold.

Needs tritonclient[http] and numpy. Run here: python3 tritonclient.py
"""
import base64
import json

import numpy as np
import tritonclient.http as client
from tritonclient.http._utils import _get_inference_request

rng = np.random.default_rng(1)
cases = []
for datatype in ["BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64", "BF16"]:
    shape = (2, 4)
    dtype = np.float32 if datatype == "BF16" else client.triton_to_np_dtype(datatype)
    if datatype == "BOOL":
        a = rng.integers(0, 2, shape).astype(bool)
    elif "INT" in datatype:
        i = np.iinfo(dtype)
        a = rng.integers(i.min, i.max, shape, dtype=dtype, endpoint=True)
        a.flat[:2] = i.min, i.max
    else:
        a = (rng.standard_normal(shape) * 10.0 ** rng.integers(-4, 4, shape)).astype(dtype)
    for binary in [True, False]:
        if datatype in ("FP16", "BF16") and not binary:
            continue  # the client refuses: they have no JSON form
        x = client.InferInput("x", list(shape), datatype)
        x.set_data_from_numpy(a, binary_data=binary)
        outputs = None if binary else [client.InferRequestedOutput("y", binary_data=False)]
        body, length = _get_inference_request([x], "id-7", outputs, 0, False, False, 0, 1000, {"custom": 1})
        raw = a.tobytes()
        if datatype == "BF16":
            raw = (a.view(np.uint32) >> 16).astype(np.uint16).tobytes()  # the client cuts the lower half off
        cases.append({
            "datatype": datatype,
            "length": -1 if length is None else length,
            "body": base64.b64encode(body).decode(),
            "data": base64.b64encode(raw).decode(),
        })
with open("tritonclient.json", "w") as f:
    json.dump(cases, f, indent=0)
    f.write("\n")
