"""Checks of functions, distributions and layers."""

from __future__ import annotations

import re

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from dreamerv3_tf.nn import decoder, dists, encoder, functions, layers, norms
from dreamerv3_tf.spaces import Space

from .ledger import Ledger
from .recording import Recording

tfd = tfp.distributions


def check_functions(data: Recording, ledger: Ledger) -> None:
    x = tf.constant(data["x"])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = functions.symlog(x)
    ledger.close("symlog", y, data["symlog"])
    ledger.close("symlog_grad", tape.gradient(y, x), data["symlog_grad"])
    ledger.relative("symexp", functions.symexp(data["x_for_symexp"]), data["symexp"])
    for key, name in (("silu", "silu"), ("gelu_tanh", "gelu")):
        ledger.close(key, layers.ACTS[name](x), data[key])
    ledger.close("sigmoid", tf.sigmoid(x), data["sigmoid"])
    for key in (key for key in data if key.startswith("bins/")):
        bins = dists.symexp_bins(int(key.split("/")[1]))
        ledger.close(key, bins, data[key])
        ledger.close(f"{key} antisymmetric", bins + bins[::-1], 0 * bins, 0.0)


def check_distributions(data: Recording, ledger: Ledger) -> None:
    for unimix in sorted(set(re.findall(r"cat/unimix([\d.]+)/", " ".join(data)))):
        check_onehot(data, f"cat/unimix{unimix}", float(unimix), ledger)
    check_twohot(data, ledger)
    check_continuous(data, ledger)
    logits = tf.constant(data["cat/logits"])
    index = tfd.Categorical(logits).log_prob(data["cat/event_index"])
    ledger.close("cat/logp_of_index", index, data["cat/logp_of_index"])
    with tf.GradientTape() as tape:
        kl = tf.constant(data["free_nats/kl"])
        tape.watch(kl)
        out = tf.maximum(kl, 1.0)
    ledger.close("free_nats/out", out, data["free_nats/out"])
    away = np.abs(data["free_nats/kl"] - 1) > 1e-6  # at the kink any slope will do
    grad = tf.boolean_mask(tape.gradient(out, kl), away)
    ledger.close("free_nats/grad", grad, data["free_nats/grad"][away])


def check_onehot(data: Recording, prefix: str, unimix: float, ledger: Ledger) -> None:
    a, b = tf.constant(data["cat/logits"]), tf.constant(data["cat/logits_other"])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([a, b])
        one, two = dists.OneHot(a, unimix), dists.OneHot(b, unimix)
        entropy, kl = one.entropy(), tfd.kl_divergence(one, two)
        sample = one.pick(None)
        through = tf.reduce_sum(sample * data[f"{prefix}/st_weights"])
    logs = tf.nn.log_softmax(one.logits_parameter())
    values = {
        "probs": one.probs_parameter(),
        "log_probs": logs,
        "logits_out": one.logits_parameter(),
        "entropy": entropy,
        "kl_to_other": kl,
        "kl_from_other": tfd.kl_divergence(two, one),
        "pred_argmax": dists.Categorical(a, unimix).pick(None),
        "grad_entropy_sum": tape.gradient(entropy, a),
        "grad_kl_wrt_self": tape.gradient(kl, a),
        "grad_kl_wrt_other": tape.gradient(kl, b),
        "st_sample": sample,
        "st_grad": tape.gradient(through, a),
    }
    for name, value in values.items():
        ledger.close(f"{prefix}/{name}", value, data[f"{prefix}/{name}"])
    total = f"cat/agg_sum_over_last_batch_axis/kl_{prefix.split('/')[1]}"
    if total in data:
        pair = (tfd.Independent(dist, 1) for dist in (one, two))
        ledger.close(total, tfd.kl_divergence(*pair), data[total])


def check_twohot(data: Recording, ledger: Ledger) -> None:
    for prefix in ("twohot", "twohot_even"):
        logits = tf.constant(data[f"{prefix}/logits"])
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(logits)
            dist = dists.TwoHot(logits, data[f"{prefix}/bins"])
            loss, pred = -dist.log_prob(data[f"{prefix}/targets"]), dist.mean()
        ledger.close(f"{prefix}/loss", loss, data[f"{prefix}/loss"])
        ledger.close(f"{prefix}/pred", pred, data[f"{prefix}/pred"])
        name = f"{prefix}/grad_loss_wrt_logits"
        if name in data:
            ledger.close(name, tape.gradient(loss, logits), data[name])
            want = data[f"{prefix}/grad_pred_wrt_logits_first_rows"]
            got = tf.convert_to_tensor(tape.gradient(pred, logits))[: len(want)]
            ledger.relative(f"{prefix}/grad_pred", got, want)


def check_continuous(data: Recording, ledger: Ledger) -> None:
    logit, target = (
        tf.constant(data["binary/logit"]),
        tf.constant(data["binary/target"]),
    )
    with tf.GradientTape() as tape:
        tape.watch(logit)
        loss = dists.binary_loss(logit, target)
    ledger.close("binary/loss", loss, data["binary/loss"])
    ledger.close("binary/grad", tape.gradient(loss, logit), data["binary/grad_loss"])
    ledger.close("binary/prob1", tf.sigmoid(logit), data["binary/prob1"])
    ledger.close("binary/pred", logit > 0, data["binary/pred"])
    normal = tfd.Normal(data["normal/mean"], data["normal/stddev"])
    other = tfd.Normal(data["normal/other_mean"], data["normal/other_stddev"])
    logp, entropy = normal.log_prob(data["normal/event"]), normal.entropy()
    ledger.close("normal/logp", logp, data["normal/logp"])
    ledger.close("normal/entropy", entropy, data["normal/entropy"])
    ledger.close(
        "normal/kl", tfd.kl_divergence(normal, other), data["normal/kl_to_other"]
    )
    ledger.close("normal/agg1_logp", tf.reduce_sum(logp, -1), data["normal/agg1_logp"])
    both = tf.reduce_sum(entropy, -1)
    ledger.close("normal/agg1_entropy", both, data["normal/agg1_entropy"])
    prefix = "bounded_normal"
    bounded = dists.BoundedNormal(
        data[f"{prefix}/raw_mean"], data[f"{prefix}/raw_stddev"]
    )
    ledger.close(f"{prefix}/mean", bounded.loc, data[f"{prefix}/mean"])
    ledger.close(f"{prefix}/stddev", bounded.scale, data[f"{prefix}/stddev"])
    for name, bound in zip(("minent", "maxent"), bounded.bounds, strict=True):
        want = data[f"{prefix}/{name}"]
        each = np.full(want.shape, dists.normal_entropy(bound))
        ledger.close(f"{prefix}/{name}", each, want)
    logp = tf.reduce_sum(bounded.log_prob(data[f"{prefix}/event"]), -1)
    ledger.close(f"{prefix}/logp", logp, data[f"{prefix}/logp_summed"])
    entropy = tf.reduce_sum(bounded.entropy(), -1)
    ledger.close(f"{prefix}/entropy", entropy, data[f"{prefix}/entropy_summed"])
    mean, target = tf.constant(data["mse/mean"]), data["mse/target"]
    ledger.close("mse/loss", tf.square(mean - target), data["mse/loss"])
    single = Space(np.dtype(np.float32), ())
    each = decoder.vector_loss(mean, target, single)
    ledger.close("mse/symlog_loss", each, data["mse/symlog_loss"])
    whole = decoder.vector_loss(mean, target, Space(np.dtype(np.float32), (4,)))
    ledger.close("mse/symlog_loss_agg1", whole, data["mse/symlog_loss_agg1"])


def check_layers(data: Recording, ledger: Ledger) -> None:
    for name in sorted({key.split("/")[0] for key in data if "/param/" in key}):
        check_layer(name, data.part(name), ledger)
    x = tf.constant(data["maxpool/x"])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y: tf.Tensor = tf.identity(layers.max_pool(x))
        loss = tf.reduce_sum(tf.multiply(y, data["maxpool/w"]))
    ledger.close("maxpool/y", y, data["maxpool/y"])
    want = data["maxpool/grad_of_sum_yw/x"]
    ledger.close("maxpool/grad", tape.gradient(loss, x), want)
    ledger.close("upsample/y", layers.upsample(data["upsample/x"]), data["upsample/y"])
    check_concat(data, ledger)


def check_layer(name: str, data: Recording, ledger: Ledger) -> None:
    params = {key: data[f"param/{key}"] for key in data.part("param")}
    layer = make_layer(name, params)
    x = tf.constant(data["x"])
    layer.build(x.shape)
    weights = {weight.name: weight for weight in layer.weights}
    for key, value in params.items():
        weights[key].assign(value)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reshape(layer(x), data["y"].shape)
        loss = tf.reduce_sum(y * data["w"])
    ledger.close(f"{name}/y", y, data["y"])
    sources = {"x": x, **{key: weights[key].value for key in params}}
    for key, gradient in tape.gradient(loss, sources).items():
        ledger.relative(f"{name}/grad/{key}", gradient, data[f"grad_of_sum_yw/{key}"])


def make_layer(name: str, params: dict) -> keras.layers.Layer:
    """The layer of this project that a recorded one corresponds to."""
    kernel = params.get("kernel", np.zeros(1))
    if name.startswith("conv"):
        stride = 2 if "stride2" in name else 1
        flip = "transposed" in name
        return layers.Conv(kernel.shape[-1], kernel.shape[0], stride, flip)
    if name.startswith("rmsnorm"):
        return norms.RMSNorm()
    if name.startswith("layernorm"):
        return norms.LayerNorm()
    if name.startswith("blocklinear"):
        return layers.BlockLinear(params["bias"].size, len(kernel))
    if name.startswith("mlp"):
        return layers.MLP(1, params["bias"].size)
    return layers.Linear(params["bias"].size)


def check_concat(data: Recording, ledger: Ledger) -> None:
    """Dict entries side by side; the widths tell the classes of the discrete ones."""
    values = {
        key.removesuffix("_allow_nonfinite"): data[f"dictconcat/in/{key}"]
        for key in data.part("dictconcat/in")
    }
    want = data["dictconcat/out_symlog"]
    for first in range(1, 12):
        for second in range(1, 12):
            counts = {"a": first, "d": second}
            spaces = {
                key: Space(x.dtype, x.shape[1:], 0, counts[key])
                if np.issubdtype(x.dtype, np.integer)
                else Space(x.dtype, x.shape[1:])
                for key, x in values.items()
            }
            fits = all(values[k].max() < n for k, n in counts.items())
            if not fits or encoder.vector_width(spaces) != want.shape[-1]:
                continue
            tensors = {key: tf.constant(x) for key, x in values.items()}
            got = encoder.encode_vectors(tensors, spaces, tf.float32, squash=True)
            if np.allclose(got, want, atol=1e-4):
                ledger.close("dictconcat", got, want)
                return
    ledger.close("dictconcat has no fitting number of classes", np.inf, 0.0)


CHECKS = {
    "functions": check_functions,
    "distributions": check_distributions,
    "layers": check_layers,
}
"""What to do with a file, by its name without suffix."""
