"""Writes safetensors files (8 bytes of header length, a JSON header, raw little-endian floats) for
the golden numbers of the networks, so that their generators need nothing but PyTorch."""
import json
import os
import struct


def write(path, tensors):
    """tensors: name -> torch tensor; all become float32, in the order given."""
    header, blobs, offset = {}, [], 0
    for name, tensor in tensors.items():
        tensor = tensor.detach().float().contiguous()
        blob = tensor.numpy().astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape) or [1],
                        "data_offsets": [offset, offset + len(blob)]}
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % 64)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))
