#!/usr/bin/env python3
"""Writes metrics.safetensors beside this script: results of scikit-image, scikit-learn, SciPy and NumPy.

    python3 -m venv venv && venv/bin/pip install scikit-image scikit-learn
    venv/bin/python tests/golden/make_metrics_golden.py

Inputs come from a seeded NumPy generator, so running it again changes nothing.
"""

import json
import pathlib
import struct

import numpy as np
from scipy.stats import norm
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import mutual_info_score, roc_auc_score

NAMES = {np.dtype("float32"): "F32", np.dtype("float64"): "F64", np.dtype("int64"): "I64"}


def write_safetensors(path, tensors):
    header, blobs, offset = {}, [], 0
    for name, array in tensors.items():
        array = np.ascontiguousarray(array)
        blob = array.tobytes()
        header[name] = {
            "dtype": NAMES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + len(blob)],
        }
        offset += len(blob)
        blobs.append(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def image_quality():
    random = np.random.default_rng(1)
    images = random.uniform(0, 1, (3, 24, 17)).round(3)
    images[1] = np.linspace(0, 1, 24)[:, None] * np.ones(17)  # smooth
    noisy = np.clip(images + 0.1 * random.standard_normal(images.shape), 0, 1).round(3)
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1}
    similar = [structural_similarity(a, b, **options) for a, b in zip(images, noisy)]
    return {
        "images": images.reshape(3, -1),
        "noisy": noisy.reshape(3, -1),
        "ssim": np.array(similar),
        "ssim_of_planes": np.array([structural_similarity(images, noisy, channel_axis=0, **options)]),
        "psnr": np.array([peak_signal_noise_ratio(a, b, data_range=1) for a, b in zip(images, noisy)]),
    }


def scores():
    random = np.random.default_rng(2)
    values = random.integers(0, 12, 40) / 4 + 0.5  # with ties
    labels = (values + random.uniform(-2, 2, 40) > 2).astype(np.int64)
    levels = np.array([0, 0.1, 0.25, 0.5, 0.9, 0.987, 1])
    return {
        "scores": values,
        "score_labels": labels,
        "auc": np.array([roc_auc_score(labels, values)]),
        "levels": levels,
        "quantiles": np.quantile(values, levels),
    }


def components():
    random = np.random.default_rng(3)
    data = random.standard_normal((30, 6)) @ random.standard_normal((6, 6)) + 3
    pca = PCA(3, svd_solver="full").fit(data)
    rebuilt = pca.inverse_transform(pca.transform(data))
    return {
        "pca_data": data,
        "pca_components": pca.components_,
        "pca_mean": pca.mean_,
        "pca_variances": pca.explained_variance_,
        "pca_ratios": pca.explained_variance_ratio_,
        "pca_error": np.array([np.mean((data - rebuilt) ** 2)]),
    }


def classes():
    random = np.random.default_rng(4)
    labels = random.integers(0, 3, 80)
    data = random.standard_normal((80, 4)) + 0.8 * random.standard_normal((3, 4))[labels]
    l2 = 0.01
    model = LogisticRegression(C=1 / (l2 * 80), tol=1e-10, max_iter=10000).fit(data, labels)
    return {
        "classes_data": data,
        "classes_labels": labels,
        "classes_weight": model.coef_,
        "classes_bias": model.intercept_,
        "classes_accuracy": np.array([model.score(data, labels)]),
    }


def factors():
    random = np.random.default_rng(5)
    factors = np.stack([random.integers(0, 4, 500), random.integers(0, 3, 500)], axis=1)
    codes = np.stack(
        [
            factors[:, 0] + 0.3 * random.standard_normal(500),
            factors[:, 0] - 2 * factors[:, 1] + 0.5 * random.standard_normal(500),
            random.standard_normal(500),
        ],
        axis=1,
    )
    # As in disentanglement_lib: bins of np.histogram, the largest value in the last one.
    bins = [np.digitize(code, np.histogram(code, 20)[1][:-1]) for code in codes.T]
    information = np.array([[mutual_info_score(f, b) for f in factors.T] for b in bins])
    entropy = np.array([mutual_info_score(f, f) for f in factors.T])
    ordered = np.sort(information, axis=0)
    return {
        "factors": factors,
        "codes": codes,
        "mutual_information": information,
        "gap": np.array([np.mean((ordered[-1] - ordered[-2]) / entropy)]),
    }


def quantiles_of_the_normal():
    p = np.array([1e-300, 1e-20, 1e-5, 0.001, 0.02425, 0.1, 0.3, 0.5, 0.6, 0.9, 0.97575, 0.999, 1 - 1e-12])
    return {"normal_p": p, "normal_x": norm.ppf(p)}


if __name__ == "__main__":
    tensors = {}
    for part in (image_quality, scores, components, classes, factors, quantiles_of_the_normal):
        tensors.update(part())
    write_safetensors(pathlib.Path(__file__).with_name("metrics.safetensors"), tensors)
