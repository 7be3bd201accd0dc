#!/usr/bin/env python3
"""Writes the .npy files and golden.npz of this folder with NumPy (1.24), seedless and fixed.

Usage: python3 golden.py   (run in this folder)
"""
import numpy as np

base = np.arange(12).reshape(2, 3, 2)
arrays = {
    "f4": (base - 5).astype("<f4") / 4, "f8_big": (base - 5).astype(">f8") / 4,
    "f2": (base - 5).astype("<f2") / 4, "i8": base.astype("<i8") - 6, "i2_big": (base - 6).astype(">i2"),
    "u1": base.astype("u1") * 20, "bool": base % 3 == 0,
    "fortran": np.asfortranarray((base - 5).astype("<f4") / 4), "scalar": np.float32(2.5),
    "empty": np.zeros((0, 3), "<i4"),
}
for name, a in arrays.items():
    np.save(name + ".npy", a)
with open("f4_v2.npy", "wb") as f:
    np.lib.format.write_array(f, arrays["f4"], version=(2, 0))
np.savez_compressed("golden.npz", f4=arrays["f4"], i8=arrays["i8"])
np.savez("stored.npz", f4=arrays["f4"])
