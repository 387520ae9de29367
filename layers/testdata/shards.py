"""Checks a folder with shards of safetensors against the format's documentation, with Python's own library alone.

The argument is the folder. The tensors' names, in the order of the shards and of the bytes in them, go to the standard
output in JSON, with a digest of the numbers.
"""

import hashlib
import json
import os
import re
import struct
import sys

folder = sys.argv[1]
with open(os.path.join(folder, "model.safetensors.index.json")) as f:
    index = json.load(f)
assert index.keys() == {"metadata", "weight_map"}, index.keys()
assert not os.path.exists(os.path.join(folder, "model.safetensors"))
shards = sorted(set(index["weight_map"].values()))
assert shards == sorted(n for n in os.listdir(folder) if n.endswith(".safetensors")), shards
sizes = {"F32": 4, "F16": 2, "BF16": 2}
total, tensors = 0, {}
for i, shard in enumerate(shards):
    assert shard == f"model-{i + 1:05d}-of-{len(shards):05d}.safetensors", shard
    with open(os.path.join(folder, shard), "rb") as f:
        data = f.read()
    (n,) = struct.unpack("<Q", data[:8])
    assert data[8:9] == b"{" and n % 8 == 0, (data[8:9], n)
    pairs = json.loads(data[8 : 8 + n], object_pairs_hook=lambda p: p)
    header = {name: dict(entry) for name, entry in pairs}
    assert len(header) == len(pairs), "a name twice"
    assert header.pop("__metadata__") == {"format": "pt"}
    end = 0
    for name, entry in sorted(header.items(), key=lambda e: e[1]["data_offsets"]):
        assert index["weight_map"][name] == shard, name
        lo, hi = entry["data_offsets"]
        numbers = 1
        for d in entry["shape"]:
            numbers *= d
        assert lo == end and hi - lo == numbers * sizes[entry["dtype"]], (name, entry)
        end = hi
        assert name not in tensors, name
        tensors[name] = hashlib.sha256(data[8 + n + lo : 8 + n + hi]).hexdigest()
    assert len(data) == 8 + n + end, (len(data), n, end)
    total += end
assert tensors.keys() == index["weight_map"].keys()
assert index["metadata"] == {"total_size": total}, (index["metadata"], total)
json.dump(tensors, sys.stdout)
