"""Notes of the section `agent`: the algorithm."""

from __future__ import annotations

from dreamerv3_tf.run.explain.notes import equations as eq
from dreamerv3_tf.run.explain.notes.note import BOTH, NEW, OLD, OURS, Note

NETS: dict[str, Note] = {
    "agent.deter": Note("Remembers in so many recurrent units.", eq.CELL, BOTH),
    "agent.hidden": Note("Widens the layers of the world model.", eq.CELL, BOTH),
    "agent.stoch": Note("Describes a moment by so many choices.", eq.LATENTS, OLD),
    "agent.classes": Note("Lets each choice be one of so many.", eq.LATENTS, BOTH),
    "agent.blocks": Note(
        "Splits the recurrent units into groups: less computation for each unit.",
        eq.CELL,
    ),
    "agent.units": Note("Widens all heads and vector networks.", eq.LAYER, BOTH),
    "agent.depth": Note("Widens all image networks.", eq.LAYER, BOTH),
    "agent.act": Note("Makes layers nonlinear.", eq.LAYER, BOTH),
    "agent.norm": Note(
        "Keeps what layers compute at one scale (rms), or also centred (layer).",
        eq.LAYER,
        BOTH,
    ),
    "agent.norm_eps": Note("Keeps tiny activations from being blown up.", eq.LAYER),
    "agent.norm_bias": Note("Gives layers in front of a norm a bias.", eq.LAYER),
    "agent.init": Note("Sets the scale of weights at the start.", eq.INIT),
    "agent.out_init": Note(
        "Sets the scale of the last layers, before outscale.", eq.INIT
    ),
    "agent.cell": Note(
        "Remembers with a block-diagonal GRU, or a dense one with normed gates.",
        eq.CELL,
    ),
    "agent.initial": Note("Begins episodes with zeros or learned latents.", eq.CELL),
    "agent.image_net": Note(
        "Shrinks pictures by pooling, or by convolutions that skip pixels.", eq.LAYER
    ),
    "agent.dyn_layers": Note("Puts more layers into a step of the memory.", eq.CELL),
    "agent.prior_layers": Note("Predicts latents with more layers.", eq.PRIOR),
    "agent.post_layers": Note("Infers latents with more layers.", eq.POSTERIOR),
    "agent.encoder.layers": Note("Reads vectors with more layers.", eq.POSTERIOR),
    "agent.encoder.units": Note("Widens the reading of vectors.", eq.POSTERIOR),
    "agent.encoder.mults": Note(
        "Widens single stages of the image encoder.", eq.POSTERIOR
    ),
    "agent.encoder.kernel": Note("Reads larger patches of pictures.", eq.POSTERIOR),
    "agent.encoder.symlog": Note(
        "Squashes vectors, so that large numbers do not drown small ones.",
        eq.SYMLOG,
    ),
    "agent.decoder.layers": Note("Predicts vectors with more layers.", eq.DECODER),
    "agent.decoder.units": Note("Widens the prediction of vectors.", eq.DECODER),
    "agent.decoder.mults": Note(
        "Widens single stages of the image decoder.", eq.DECODER
    ),
    "agent.decoder.kernel": Note("Draws larger patches of pictures.", eq.DECODER),
    "agent.decoder.blocks": Note(
        "Splits the first image layer into groups.", eq.DECODER
    ),
    "agent.decoder.grid_norm": Note("Norms the first image layer.", eq.DECODER),
    "agent.decoder.output": Note("Bounds pixels to 0...1, or does not.", eq.DECODER),
    "agent.decoder.symlog": Note(
        "Predicts squashed vectors, so that large numbers do not drown small ones.",
        eq.SYMLOG_LOSS,
    ),
    "agent.decoder.tolerance": Note(
        "Ignores squared errors of vectors below this.", eq.SYMLOG_LOSS
    ),
    "agent.reward.layers": Note("Predicts rewards with more layers.", eq.REWARD, OLD),
    "agent.cont.layers": Note("Predicts ends with more layers.", eq.CONT, OLD),
    "agent.mask.layers": Note(
        "Predicts allowed actions with more layers.", eq.MASK, OURS
    ),
    "agent.actor.layers": Note("Chooses actions with more layers.", eq.ACTOR, OLD),
    "agent.critic.layers": Note("Judges states with more layers.", eq.CRITIC, OLD),
}

HEADS: dict[str, Note] = {
    "agent.bins": Note(
        "Predicts rewards and returns as classes, which survive any scale, or as one "
        "number.",
        eq.TWOHOT,
    ),
    "agent.reward.bins": Note("Predicts rewards in finer steps.", eq.TWOHOT),
    "agent.critic.bins": Note("Predicts returns in finer steps.", eq.TWOHOT),
    "agent.reward.outscale": Note(
        "Begins with predictions of 0 (0), or at random.", eq.ZEROS
    ),
    "agent.critic.outscale": Note(
        "Begins with values of 0 (0), or at random.", eq.ZEROS
    ),
    "agent.cont.outscale": Note("Begins surer about ends the higher it is.", eq.ZEROS),
    "agent.mask.outscale": Note(
        "Begins surer about masks the higher it is.", eq.ZEROS, OURS
    ),
    "agent.actor.outscale": Note(
        "Begins with a policy the more random the smaller it is.", eq.ZEROS
    ),
    "agent.actor.unimix": Note(
        "Keeps a share of discrete actions random, so that none dies out.",
        eq.MIXED,
        NEW,
    ),
    "agent.actor.min_std": Note("Keeps continuous actions this random.", eq.NORMAL),
    "agent.actor.max_std": Note(
        "Lets continuous actions be no more random.", eq.NORMAL
    ),
}

LOSSES: dict[str, Note] = {
    "agent.unimix": Note(
        "Keeps latents from certainty, where the KL would explode.", eq.UNIMIX, NEW
    ),
    "agent.free_nats": Note(
        "Stops training the KL below this, so that latents stay informative.",
        eq.KL,
        NEW,
    ),
    "agent.reward_grad": Note("Lets rewards shape the latents.", eq.PREDICTION),
    "agent.rec_grad": Note("Lets observations shape the latents.", eq.PREDICTION),
    "agent.scales.rec": Note("Weighs the reconstruction of inputs.", eq.MODEL, BOTH),
    "agent.scales.rew": Note("Weighs the prediction of rewards.", eq.PREDICTION),
    "agent.scales.con": Note("Weighs the prediction of ends.", eq.PREDICTION),
    "agent.scales.mask": Note(
        "Weighs the prediction of allowed actions.", eq.MASK, OURS
    ),
    "agent.scales.dyn": Note(
        "Pulls predicted latents toward the inferred ones.", eq.DYN, BOTH
    ),
    "agent.scales.rep": Note(
        "Pulls inferred latents toward predictable ones.", eq.REP, BOTH
    ),
    "agent.scales.policy": Note("Weighs the actor's loss.", eq.ACTOR, NEW),
    "agent.scales.value": Note("Weighs the critic's loss.", eq.CRITIC, NEW),
    "agent.scales.repval": Note(
        "Weighs what the critic learns from replayed steps.", eq.REPLAYED, NEW
    ),
}

BEHAVIOR: dict[str, Note] = {
    "agent.slow_critic.first": Note("Starts the slow critic as a copy (1).", eq.SLOW),
    "agent.slow_critic.rate": Note(
        "Lets the slow critic follow faster the higher it is.", eq.SLOW, BOTH
    ),
    "agent.slow_critic.every": Note(
        "Updates the slow critic every so many train steps.", eq.SLOW
    ),
    "agent.slow_critic.regularizer": Note(
        "Holds the critic to its slow copy, against runaway values.", eq.CRITIC, BOTH
    ),
    "agent.slow_critic.bootstrap": Note(
        "Computes returns with the slow critic: steadier, but older.", eq.RETURN
    ),
    "agent.imag_length": Note(
        "Imagines so many steps ahead; more see further and cost more.",
        eq.IMAGINE,
        BOTH,
    ),
    "agent.imag_last": Note(
        "Imagines from the last steps of a sequence only: cheaper; 0 is from all.",
        eq.IMAGINE,
    ),
    "agent.horizon": Note(
        "Values rewards about this many steps away; more is far-sighted.",
        eq.DISCOUNT,
        BOTH,
    ),
    "agent.discount_in_cont": Note(
        "Hides the discount in the chance to go on, or keeps it apart.", eq.RETURN
    ),
    "agent.first_cont": Note(
        "Predicts whether imagination begins at an end, or knows it from replay.",
        eq.WEIGHT,
    ),
    "agent.imagined_cont": Note(
        "Imagines on with a chance, or with yes or no.", eq.WEIGHT
    ),
    "agent.lam": Note(
        "Trusts imagined rewards the longer the nearer it is to 1, else the critic.",
        eq.RETURN,
        BOTH,
    ),
    "agent.actor_gradient": Note(
        "Learns continuous actions by trial, or through the world model.", eq.DYNAMICS
    ),
    "agent.entropy": Note(
        "Explores more the higher it is, and earns less in the end.", eq.ACTOR, BOTH
    ),
    "agent.replay_critic": Note("Trains the critic on real steps too.", eq.REPLAYED),
    "agent.replay_critic_grad": Note(
        "Lets the critic's loss on replayed steps shape the latents.", eq.REPLAYED
    ),
    "agent.actor_critic_grads": Note(
        "Lets losses of actor and critic shape the latents.", eq.ACTOR
    ),
    "agent.return_norm.kind": Note(
        "Scales returns by percentiles, so that one entropy fits all tasks.",
        eq.ADVANTAGE,
        BOTH,
    ),
    "agent.return_norm.rate": Note(
        "Follows new returns faster the higher it is.", eq.SCALE, BOTH
    ),
    "agent.return_norm.limit": Note(
        "Never blows up returns smaller than this.", eq.ADVANTAGE, BOTH
    ),
    "agent.return_norm.low": Note(
        "Leaves returns below this percentile out of the scale.", eq.SCALE, BOTH
    ),
    "agent.return_norm.high": Note(
        "Leaves returns above this percentile out of the scale.", eq.SCALE, BOTH
    ),
    "agent.*_norm.debias": Note("Corrects averages for their start at 0.", eq.SCALE),
    "agent.value_norm.*": Note(
        "Scales the critic's targets as return_norm does the returns.", eq.CRITIC
    ),
    "agent.advantage_norm.*": Note(
        "Scales advantages as return_norm does the returns.", eq.ADVANTAGE
    ),
}

OPTIMIZER: dict[str, Note] = {
    "agent.updates": Note(
        "Updates all weights at once, or the model and then actor and critic.", eq.STEP
    ),
    "agent.optimizer.kind": Note(
        "Evens out gradients before it averages them, or at the same time.",
        eq.LAPROP,
        NEW,
    ),
    "agent.optimizer.lr": Note(
        "Moves weights further in each update: faster, and less stable.", eq.STEP, BOTH
    ),
    "agent.optimizer.agc": Note(
        "Caps each gradient at a share of its weights' norm.", eq.AGC, NEW
    ),
    "agent.optimizer.clip": Note(
        "Caps the norm of all gradients together.", eq.CLIP, OLD
    ),
    "agent.optimizer.eps": Note(
        "Slows weights whose gradients are smaller than this.", eq.RMS, BOTH
    ),
    "agent.optimizer.beta1": Note(
        "Averages updates over more steps the nearer to 1.", eq.MOMENTUM
    ),
    "agent.optimizer.beta2": Note(
        "Averages squared gradients over more the nearer to 1.", eq.RMS
    ),
    "agent.optimizer.momentum": Note(
        "Averages updates, or takes each as it comes.", eq.MOMENTUM
    ),
    "agent.optimizer.nesterov": Note("Looks a step of momentum ahead.", eq.MOMENTUM),
    "agent.optimizer.weight_decay": Note("Pulls weights to 0.", eq.STEP),
    "agent.optimizer.schedule": Note("Lowers the rate later, or does not.", eq.RATE),
    "agent.optimizer.warmup": Note("Begins slowly, over so many train steps.", eq.RATE),
    "agent.optimizer.anneal": Note("Lowers the rate until this train step.", eq.RATE),
    "agent.optimizer.max_loss_scale": Note("Bounds the factor on float16 losses."),
    "agent.*_optimizer.lr": Note("Learns this part faster, in turn.", eq.STEP, OLD),
    "agent.*_optimizer.clip": Note("Caps the gradient of this part.", eq.CLIP, OLD),
    "agent.*_optimizer.eps": Note("Slows weights of tiny gradients.", eq.RMS, OLD),
}

NOTES: dict[str, Note] = {**NETS, **HEADS, **LOSSES, **BEHAVIOR, **OPTIMIZER}
"""Notes by full name of the setting or pattern."""
