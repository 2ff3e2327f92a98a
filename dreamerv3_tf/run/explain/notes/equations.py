"""Equations of the algorithm as plain text, for terminals.

Time runs as in the code: reward, continue and value belong to the state that an action
leads to. The papers number their equations differently, so what stands behind one is
the part of the method that it is from, and no number. Source: Hafner et al. 2023, 2025.
"""

from __future__ import annotations

CELL = "h_t = f(h_{t-1}, z_{t-1}, a_{t-1})   (world model)"
POSTERIOR = "z_t ~ q(z_t | h_t, x_t)   (world model)"
PRIOR = "ẑ_t ~ p(ẑ_t | h_t)   (world model)"
LATENTS = "z_t ~ q(z_t | h_t, x_t), ẑ_t ~ p(ẑ_t | h_t)   (world model)"
UNIMIX = "p = (1 - unimix) softmax(logits) + unimix / classes   (world model)"
DECODER = "x̂_t ~ p(x̂_t | h_t, z_t)   (world model)"
REWARD = "r̂_t ~ p(r̂_t | h_t, z_t)   (world model)"
CONT = "ĉ_t ~ p(ĉ_t | h_t, z_t)   (world model)"
MASK = "m̂_t ~ p(m̂_t | h_t, z_t)   (ours)"
PREDICTION = "L_pred = -ln p(x|h,z) - ln p(r|h,z) - ln p(c|h,z)   (world model)"
MODEL = "L = β_pred L_pred + β_dyn L_dyn + β_rep L_rep   (world model)"
DYN = "L_dyn = max(free, KL[sg(q(z|h,x)) || p(z|h)])   (world model)"
REP = "L_rep = max(free, KL[q(z|h,x) || sg(p(z|h))])   (world model)"
KL = "L_dyn, L_rep = max(free, KL[q(z|h,x) || p(z|h)])   (world model)"
SYMLOG = "symlog(x) = sign(x) ln(1 + |x|)   (robust predictions)"
SYMLOG_LOSS = "L = Σ (ŷ - symlog(y))²   (robust predictions)"
TWOHOT = (
    "L = -twohot(y)ᵀ ln p,  ŷ = pᵀ b,  b = symexp(-20 ... 20)   (robust predictions)"
)
ZEROS = "p = softmax(outscale W s): uniform, so ŷ = 0, for outscale 0"
LAYER = "y = act(norm(W x + b))   (all networks)"
INIT = "W ~ N(0, 1 / fan) at the start   (all networks)"
IMAGINE = "s_{t+1} ~ p(s_{t+1} | s_t, a_t),  a_t ~ π(a_t | s_t),  t < H   (imagination)"
WEIGHT = "w_t = Π_{j ≤ t} γ c_j weighs imagined steps   (imagination)"
DISCOUNT = "γ = 1 - 1 / horizon   (critic learning)"
RETURN = "R_t = r_{t+1} + γ c_{t+1} ((1-λ) v_{t+1} + λ R_{t+1})   (critic learning)"
CRITIC = "L_v = -w_t (ln p(R_t | s_t) + reg ln p(v_slow | s_t))   (critic learning)"
REPLAYED = "L = L_v(imagined) + β_repval L_v(replayed)   (critic learning)"
SLOW = "θ_slow ← (1 - rate) θ_slow + rate θ   (critic learning)"
ACTOR = "L_π = -w_t (A_t ln π(a_t | s_t) + η H[π(. | s_t)])   (actor learning)"
DYNAMICS = (
    "L_π = -w_t (R_t / S + η H[π(. | s_t)]), through the model   (actor learning)"
)
ADVANTAGE = "A_t = (R_t - v_t) / max(limit, S)   (actor learning)"
SCALE = "S = average of Per(R, high) - Per(R, low)   (actor learning)"
NORMAL = "π(a | s) = N(tanh μ, σ²),  min_std ≤ σ ≤ max_std   (actor)"
MIXED = "π(a | s) = (1 - unimix) softmax(logits) + unimix / actions   (actor)"
STEP = "θ ← θ - lr_t m   (optimizer)"
RATE = "lr_t = lr min(1, (t - 1) / warmup)   (optimizer)"
RMS = "v ← β2 v + (1-β2) g²,  g ← g / (sqrt(v) + eps)   (optimizer)"
MOMENTUM = "m ← β1 m + (1-β1) g   (optimizer)"
LAPROP = (
    "RMS, then momentum (laprop); or both of the same gradient (adam)   (optimizer)"
)
AGC = "g ← g / max(1, |g| / (agc |θ|)) of each tensor   (optimizer)"
CLIP = "g ← g min(1, clip / |g|) of all together   (optimizer)"
RATIO = "train steps = agent steps · train_ratio / (batch_size · batch_length)"
DRAWN = "batch: sequences drawn from the last capacity steps   (replay)"
