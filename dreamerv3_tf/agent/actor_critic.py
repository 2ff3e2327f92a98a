"""Policy and value: what they learn from imagined and from replayed states.

index        0            1            2      …      H
state        s0 (replay)  s1           s2            sH
action       a0           a1           a2            aH (unused)
reward       –            r1           r2            rH     head at the state
return       R0           R1           …      R(H−1)
loss         l0           l1           …      l(H−1)
"""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from dreamerv3_tf.nn.heads import Actor, RealHead, sum_event

from .imagination import Imagined
from .returns import Normalizer, lambda_return


class Judged(NamedTuple):
    """Predictions along imagined sequences, each float32 `[N, H + 1]`, with a gradient
    only where the actor learns through the dynamics.

    Attributes:
        reward: reward units.
        cont: probability of going on, with the discount where the head has it.
        value: reward units.
        slow: prediction of the slow critic, reward units.
    """

    reward: Any
    cont: Any
    value: Any
    slow: Any


class Learned(NamedTuple):
    """What one look at imagined sequences gives.

    Attributes:
        losses: `policy` and `value`, float32 `[N, H]`.
        ret: λ-returns, float32 `[N, H]`, reward units.
        metrics: float32 `[]` each.
    """

    losses: dict[str, Any]
    ret: Any
    metrics: dict[str, Any]


class ActorCritic:
    """Actor, critic, slow critic, and their losses.

    Args:
        actor: features → action distributions.
        critic: features → distribution of the return.
        slow: a second critic that follows the first one slowly.
        return_norm: scale of the returns.
        value_norm: scale of the critic's outputs.
        advantage_norm: scale of the advantages.
        horizon: discount horizon in agent steps.
        discount_in_cont: the continue head carries the discount.
        lam: λ of the returns.
        entropy: factor on the entropy of the policy.
        actor_gradient: of continuous actions; `reinforce`, or `dynamics`: the
            gradient of the returns through the world model. Discrete ones have no
            such path, and learn by REINFORCE either way.
        slow_rate: share of the critic in the slow critic, at each of its updates.
        slow_first: that share at the first update.
        slow_every: train steps between its updates.
        slow_regularizer: factor on the loss towards the slow critic.
        slow_bootstrap: bootstrap from the slow critic.
    """

    def __init__(
        self,
        actor: Actor,
        critic: RealHead,
        slow: RealHead,
        return_norm: Normalizer,
        value_norm: Normalizer,
        advantage_norm: Normalizer,
        *,
        horizon: float,
        discount_in_cont: bool = True,
        lam: float = 0.95,
        actor_gradient: str = "reinforce",
        entropy: float = 3e-4,
        slow_rate: float = 0.02,
        slow_first: float | None = None,
        slow_every: int = 1,
        slow_regularizer: float = 1.0,
        slow_bootstrap: bool = False,
    ):
        self.actor, self.critic, self.slow = actor, critic, slow
        self.return_norm, self.value_norm = return_norm, value_norm
        self.advantage_norm = advantage_norm
        self.discount = 1 - 1 / horizon
        self.imagined_discount = 1.0 if discount_in_cont else self.discount
        self.lam, self.entropy = lam, entropy
        self.through = {
            key
            for key, space in actor.spaces.items()
            if actor_gradient == "dynamics" and not space.discrete
        }
        self.slow_rate, self.slow_every = slow_rate, slow_every
        self.slow_first = slow_rate if slow_first is None else slow_first
        self.slow_regularizer, self.slow_bootstrap = slow_regularizer, slow_bootstrap

    def build(self, feat_width: int):
        """Makes the weights; the slow critic starts as a copy."""
        for head in (self.actor, self.critic, self.slow):
            head.build((None, feat_width))
        self.copy_critic(1.0)

    def copy_critic(self, rate):
        """`slow ← rate · critic + (1 − rate) · slow`."""
        for slow, fast in zip(self.slow.weights, self.critic.weights, strict=True):
            slow.assign(rate * fast.value + (1 - rate) * slow.value)

    def follow_critic(self, updates):
        """Moves the slow critic after train step number `updates`, counted from 1: at
        the first one, and at each `slow_every`th from there."""
        due = tf.equal((updates - 1) % self.slow_every, 0)
        rate = tf.where(due, self.slow_rate, 0.0)
        if self.slow_first != self.slow_rate:
            rate = tf.where(tf.equal(updates, 1), self.slow_first, rate)
        self.copy_critic(rate)

    def imagined_losses(
        self, imagined: Imagined, feat, judged: Judged, value, training
    ):
        """Losses of actor and critic on imagined sequences (eqs. 4 to 8).

        `policy_i = w_i (−ln π(a_i|s_i) sg(A_i) − η H[π(·|s_i)])`, with
        `A = (R − v) / S`; for actions through the dynamics `−A_i` in place of the
        first term. `value_i = w_i (CE(R_i) + CE(slow_i))`; the weight `w` is
        the probability of still going on, `v` what the returns bootstrap from.

        Args:
            imagined: the rollout.
            feat: its features `[H + 1, N, F]`, with the gradient that may flow.
            judged: predictions along it.
            value: prediction of the critic on `feat`, batch shape `[H + 1, N]`.
            training: whether the normalisers learn.
        """
        disc = self.imagined_discount
        weight = tf.math.cumprod(judged.cont * disc, axis=1) / disc
        weight = tf.stop_gradient(weight)
        boot = judged.slow if self.slow_bootstrap else judged.value
        slow = self._normed(judged.slow)  # before the returns move the average
        ret = lambda_return(judged.reward, judged.cont * disc, boot, 1.0, self.lam)
        if training:
            self.return_norm.update(ret)
        offset, scale = self.return_norm.stats()
        advantage = (ret - boot[:, :-1]) / scale
        if training:
            self.advantage_norm.update(advantage)
        shift, spread = self.advantage_norm.stats()
        gain = (advantage - shift) / spread
        policy = self.actor(feat, imagined.allowed)
        logp, entropies = self._policy_terms(policy, imagined.action)
        bonus = self.entropy * tf.add_n(list(entropies.values()))
        gain = self._gains(gain, logp) + bonus[:, :-1]
        losses = {"policy": -weight[:, :-1] * gain}
        if training:
            self.value_norm.update(ret)
        losses["value"] = weight[:, :-1] * self._critic_loss(value, ret, slow)
        metrics = self._metrics(judged, ret, (ret - offset) / scale, advantage, weight)
        metrics.update(self._entropy_metrics(entropies))
        return Learned(losses, ret, metrics)

    def _gains(self, advantage, logp: list):
        """What the actor raises besides the entropy, `[N, H]`."""
        gains = [advantage] if self.through else []
        if logp:
            gains.append(tf.add_n(logp)[:, :-1] * tf.stop_gradient(advantage))
        return tf.add_n(gains)

    def _policy_terms(self, policy: dict, action: dict):
        """Log-probabilities `[N, H + 1]` of the actions that learn by REINFORCE, and
        entropies of all by entry."""
        logps, entropies = [], {}
        for key, dist in policy.items():
            space = self.actor.spaces[key]
            entropies[key] = tf.transpose(sum_event(dist.entropy(), space))
            if key not in self.through:
                taken = tf.stop_gradient(action[key])
                logps.append(tf.transpose(sum_event(dist.log_prob(taken), space)))
        return logps, entropies

    def _critic_loss(self, value, ret, slow):
        """Cross-entropy to returns and to the slow critic, `[N, H]`; `value` is time
        first and, like `slow`, one step longer than `ret`."""
        ret = tf.pad(self._normed(ret), [(0, 0), (0, 1)])
        losses = [-value.log_prob(tf.transpose(target)) for target in (ret, slow)]
        both = losses[0] + self.slow_regularizer * losses[1]
        return tf.transpose(both)[:, :-1]

    def _normed(self, value):
        """Reward units → units of the critic's outputs."""
        offset, scale = self.value_norm.stats()
        return (value - offset) / scale

    def replay_loss(self, value, slow, boot, reward, is_last, is_terminal, training):
        """Loss of the critic on replayed states, float32 `[B, T − 1]`.

        Real rewards, bootstrapped from the imagined return of each state; cut at
        episode ends. Source: Hafner et al. 2025, Methods (critic learning).

        Args:
            value: prediction of the critic, batch shape `[B, T]`.
            slow: output of the slow critic, before `value_norm`, `[B, T]`.
            boot: imagined return of each state, `[B, T]`.
            reward: `[B, T]`.
            is_last: bool `[B, T]`.
            is_terminal: bool `[B, T]`.
            training: whether the normaliser learns.

        Returns:
            The loss, and the returns that it aims at, `[B, T − 1]`.
        """
        last = tf.cast(is_last, tf.float32)
        live = (1 - tf.cast(is_terminal, tf.float32)) * self.discount
        ret = lambda_return(reward, live, boot, 1 - last, self.lam)
        if training:
            self.value_norm.update(ret)
        target = tf.pad(self._normed(ret), [(0, 0), (0, 1)])
        both = value.log_prob(target) + self.slow_regularizer * value.log_prob(slow)
        return -((1 - last) * both)[:, :-1], ret

    def _metrics(self, judged: Judged, ret, normed, advantage, weight):
        mean = tf.reduce_mean
        values = {
            "adv": mean(advantage),
            "adv_std": tf.math.reduce_std(advantage),
            "adv_mag": mean(tf.abs(advantage)),
            "rew": mean(judged.reward),
            "con": mean(judged.cont),
            "ret": mean(normed),
            "val": mean(judged.value),
            "tar": mean(self._normed(ret)),
            "weight": mean(weight),
            "slowval": mean(judged.slow),
            "ret_min": tf.reduce_min(normed),
            "ret_max": tf.reduce_max(normed),
            "ret_rate": mean(tf.cast(tf.abs(normed) >= 1, tf.float32)),
        }
        return {f"behavior/{name}": value for name, value in values.items()}

    def _entropy_metrics(self, entropies: dict):
        metrics = {}
        for key, entropy in entropies.items():
            mean = tf.reduce_mean(entropy[:, :-1])
            low, high = self.actor.entropy_bounds(key)
            metrics[f"behavior/ent/{key}"] = mean
            metrics[f"behavior/rand/{key}"] = (mean - low) / (high - low)
        return metrics
