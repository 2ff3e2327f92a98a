"""Runs beside published scores: the data, the protocol, the gate."""

import json
import subprocess
import sys

import numpy as np
import pytest

TASK = "dmc_walker_walk"
BUDGET = 500_000


@pytest.fixture(scope="module")
def tools(root):
    """The tool and its parts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root / "tools"))
        import compare
        import curves
        from curves import comparison, gate, published, runs

        # Other tools have packages too: these must be ours.
        parts = (comparison, gate, published, runs)
        assert all(part.__package__ == "curves" for part in parts)
        yield compare, curves


def write_run(folder, points, *, task=TASK, seed=0, facts=None, settings=""):
    """A run with scores at frames, `[(frames, score), ...]`."""
    folder.mkdir(parents=True)
    rows = [{"step": x, **(facts or {}), "episode/score": y} for x, y in points]
    lines = [json.dumps(row) + "\n" for row in rows]
    for name in ("scores.jsonl", "metrics.jsonl"):
        (folder / name).write_text("".join(lines))
    text = f"task: {task}\nseed: {seed}\n{settings}"
    (folder / "config.yaml").write_text(text)
    return folder


def constant(score, frames=BUDGET, step=5000):
    return [(x, score) for x in range(step, frames + 1, step)]


def run_compare(tools, capsys, *arguments) -> tuple[int, str]:
    status = tools[0].main([str(argument) for argument in arguments])
    shown = capsys.readouterr()
    return status, shown.out + shown.err


# The data


def means_of_suite(tools, suite) -> np.ndarray:
    """Final published score of each task, on the suite's scale."""
    found = tools[1].published.references(suite)
    known = [(x, x.methods["dreamerv3"].final) for x in found]
    return np.array([x.normalise(final.mean) for x, final in known])


@pytest.mark.parametrize(
    ("suite", "tasks", "mean", "median"),
    [
        # Hafner et al. 2025, tables of the suites.
        ("dmc_proprio", 18, 754, 871),
        ("dmc_vision", 20, 786, 861),
        ("atari100k", 26, 1.25, 0.49),
    ],
)
def test_the_published_scores_give_the_tables_of_the_paper(
    tools, suite, tasks, mean, median
):
    found = means_of_suite(tools, suite)
    assert len(found) == tasks
    np.testing.assert_allclose(found.mean(), mean, rtol=0.005)
    np.testing.assert_allclose(np.median(found), median, rtol=0.01)


def test_the_capped_and_the_ranged_suites_give_the_paper_too(tools):
    # DMLab: human mean capped 71.4 %; ProcGen: normalised mean 66.0 %.
    capped = np.minimum(means_of_suite(tools, "dmlab30"), 1)
    ranged = means_of_suite(tools, "procgen")
    assert (len(capped), len(ranged)) == (30, 16)
    np.testing.assert_allclose(capped.mean(), 0.714, atol=0.001)
    np.testing.assert_allclose(ranged.mean(), 0.660, atol=0.001)


def test_human_normalisation_by_hand(tools):
    # Pong: random -20.7, human 14.6. (-3.05 + 20.7) / 35.3 = 0.5.
    reference = tools[1].published.find("atari100k_pong")
    assert reference.normalise(-20.7) == 0
    assert reference.normalise(14.6) == 1
    np.testing.assert_allclose(reference.normalise(-3.05), 0.5)


@pytest.mark.parametrize(
    ("task", "suite", "budget"),
    [
        ("dmc_walker_walk", "dmc_proprio", 500_000),
        ("dmc_vision_walker_walk", "dmc_vision", 1_000_000),
        ("atari_pong", "atari57", 200_000_000),
        ("atari100k_pong", "atari100k", 400_000),
        ("minecraft_diamond", "minecraft_diamond", 100_000_000),
    ],
)
def test_our_tasks_find_their_published_suite(tools, task, suite, budget):
    reference = tools[1].published.find(task)
    assert (reference.suite, reference.budget) == (suite, budget)


def test_every_task_of_ours_that_is_published_finds_its_scores(tools):
    from dreamerv3_tf.envs import atari, atari100k, dmc, dmc_vision, procgen

    ours = {
        "atari": atari.GAMES,
        "atari100k": atari100k.GAMES,
        "dmc": dmc.TASKS,
        "dmc_vision": dmc_vision.TASKS,
        "procgen": procgen.GAMES,
    }
    assert [len(names) for names in ours.values()] == [57, 26, 18, 20, 16]
    for suite, names in ours.items():
        for name in names:
            assert tools[1].published.find(f"{suite}_{name}")
    assert tools[1].published.find("atari_james_bond").name == "jamesbond"


def test_the_data_say_where_they_come_from_and_are_small(tools):
    published = tools[1].published
    assert published.PATH.stat().st_size < 1_000_000
    about = published.load()["about"]
    assert "github.com/danijar/dreamerv3" in about["repository"]
    assert {"paper", "curve", "final", "dropped"} <= set(about)


# The protocol


def test_at_the_budget_the_window_of_the_paper_counts(tools, tmp_path):
    # The last 1/15 of 500,000 frames begins after 466,666. So 466,000 does not count,
    # nor 510,000: (600 + 800) / 2 = 700.
    points = [(466_000, 0.0), (470_000, 600.0), (500_000, 800.0), (510_000, 0.0)]
    _, curves = tools
    write_run(tmp_path / "a", points)
    groups = curves.runs.group_runs(curves.runs.find_runs([tmp_path]))
    (row,) = curves.comparison.compare(groups)
    assert row.span.name == "final"
    assert row.scores == (700,)
    np.testing.assert_allclose(row.theirs.mean, 936, atol=1)  # the paper's table


def test_before_the_budget_the_last_whole_published_bin_counts(tools, tmp_path):
    # Bins of 25,000 frames. One seed has 80,000, the other 51,000: (25,000, 50,000].
    _, curves = tools
    write_run(
        tmp_path / "a", [(25_000, 1.0), (25_001, 2.0), (50_000, 4.0), (80_000, 9)]
    )
    write_run(tmp_path / "b", [(40_000, 5.0), (51_000, 9.0)], seed=1)
    groups = curves.runs.group_runs(curves.runs.find_runs([tmp_path]))
    (row,) = curves.comparison.compare(groups)
    assert (row.span.low, row.span.high, row.span.name) == (25_000, 50_000, "bin")
    assert row.scores == (3, 5)
    assert (row.ours.mean, row.ours.std, row.ours.seeds) == (4, 1, 2)
    assert row.theirs == row.reference.methods["dreamerv3"].bins[1]


def test_a_run_shorter_than_the_first_bin_is_not_compared(tools, tmp_path, capsys):
    run = write_run(tmp_path / "a", constant(5.0, frames=20_000))
    status, shown = run_compare(tools, capsys, run)
    assert status == 2
    assert "too short: 20,000 frames" in shown and "25,000" in shown


# The gate: published on walker_walk at the budget: 935.8 ± 25.9, 5 seeds


def test_a_run_inside_the_band_passes_and_one_below_fails(tools, tmp_path, capsys):
    final = tools[1].published.find(TASK).methods["dreamerv3"].final
    least = final.mean - 2 * final.std
    good = write_run(tmp_path / "good", constant(least + 0.1))
    bad = write_run(tmp_path / "bad", constant(least - 0.1), seed=1)
    status, shown = run_compare(tools, capsys, good, "--band", 2)
    assert (status, "BELOW" in shown) == (0, False)
    status, shown = run_compare(tools, capsys, good, bad, "--band", 2)
    assert status == 1
    (line,) = [x for x in shown.splitlines() if x.startswith("BELOW")]
    for text in (TASK, str(bad), "466,667–500,000 frames", f"{least:.4g}", "dreamerv3"):
        assert text in line


def test_the_mean_of_seeds_can_be_judged_instead_of_each(tools, tmp_path, capsys):
    for seed, score in enumerate((800.0, 1000.0)):
        write_run(tmp_path / "runs" / str(seed), constant(score), seed=seed)
    arguments = (tmp_path / "runs", "--at-least", 0.9)  # of 936: 842
    assert run_compare(tools, capsys, *arguments)[0] == 1
    assert run_compare(tools, capsys, *arguments, "--judge", "mean")[0] == 0


def test_a_share_begins_at_the_random_player(tools, tmp_path, capsys):
    # Pong at the budget: published -4.0, random -20.7. Half of the way is -12.35.
    for score, expected in ((-12.3, 0), (-12.4, 1)):
        run = write_run(
            tmp_path / str(expected),
            constant(score, frames=400_000),
            task="atari100k_pong",
        )
        assert run_compare(tools, capsys, run, "--at-least", 0.5)[0] == expected


def test_a_score_that_is_no_number_lies_below(tools, tmp_path, capsys):
    run = write_run(tmp_path / "a", [(x, "NaN") for x, _ in constant(0)])
    path = tmp_path / "a.json"
    status, shown = run_compare(tools, capsys, run, "--band", 9, "--json", path)
    assert (status, "BELOW" in shown) == (1, True)
    assert json.loads(path.read_text())["tasks"][0]["score"]["mean"] is None


def test_what_cannot_be_judged_does_not_pass(tools, tmp_path, capsys):
    short = write_run(tmp_path / "short", constant(1000.0, frames=10_000))
    long = write_run(tmp_path / "long", constant(1000.0, frames=60_000))
    status, shown = run_compare(tools, capsys, short, "--at-least", 0.1)
    assert (status, "NOT JUDGED" in shown) == (2, True)
    status, shown = run_compare(tools, capsys, long, "--at-least", 0.1, "--at", 1e5)
    assert (status, "asked for 100,000" in shown) == (2, True)
    assert run_compare(tools, capsys, long, "--at-least", 0.1, "--at", 5e4)[0] == 0
    other = write_run(tmp_path / "other", constant(1.0), task="gym_CartPole-v1")
    assert run_compare(tools, capsys, long, other)[0] == 0
    assert run_compare(tools, capsys, long, other, "--at-least", 0.1)[0] == 2


def test_a_band_needs_published_seeds(tools, tmp_path, capsys):
    points = constant(10.0, frames=50_000_000, step=500_000)
    run = write_run(tmp_path / "a", points, task="procgen_coinrun")
    status, shown = run_compare(tools, capsys, run, "--band", 2)
    assert status == 2
    assert "no spread over seeds" in shown and "--at-least" in shown


# What must not be compared


def test_our_own_minecraft_is_never_beside_the_published_one(tools, tmp_path, capsys):
    voxel = {"backend": "voxel", "note": "not Minecraft"}
    points = constant(9.0, frames=100_000_000, step=1_000_000)
    for name, facts in (("voxel", voxel), ("unknown", {})):
        run = write_run(tmp_path / name, points, task="minecraft_diamond", facts=facts)
        path = tmp_path / f"{name}.json"
        status, shown = run_compare(
            tools, capsys, run, "--at-least", 0.5, "--json", path
        )
        assert status == 2
        assert "Not comparable: backend is" in shown and "NOT JUDGED" in shown
        (task,) = json.loads(path.read_text())["tasks"]
        assert (task["published"], task["share"]) == (None, None)
    facts = {"backend": "minerl", "note": "the game of the paper"}
    run = write_run(tmp_path / "real", points, task="minecraft_diamond", facts=facts)
    status, shown = run_compare(tools, capsys, run, "--at-least", 0.5)
    assert (status, "the game of the paper" in shown) == (0, True)


def test_pictures_beside_positions_are_another_task(tools, tmp_path, capsys):
    settings = "env: {image: true}\n"
    run = write_run(tmp_path / "a", constant(900.0), settings=settings)
    status, shown = run_compare(tools, capsys, run)
    assert (status, "image is true" in shown) == (2, True)


def test_lines_of_two_games_in_one_file_are_refused(tools, tmp_path, capsys):
    run = write_run(tmp_path / "a", constant(9.0), facts={"backend": "minerl"})
    line = {"step": BUDGET, "backend": "voxel", "episode/score": 1.0}
    with (run / "scores.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")
    status, shown = run_compare(tools, capsys, run)
    assert (status, "different things" in shown) == (2, True)


def test_an_unknown_task_says_which_are_near(tools, tmp_path, capsys):
    run = write_run(tmp_path / "a", constant(5.0), task="dmc_walker_wolk")
    status, shown = run_compare(tools, capsys, run)
    assert (status, "dmc_walker_walk" in shown) == (2, True)


def test_an_unknown_method_says_which_there_are(tools, tmp_path, capsys):
    run = write_run(tmp_path / "a", constant(5.0))
    status, shown = run_compare(tools, capsys, run, "--method", "rainbow")
    assert (status, "d4pg" in shown) == (2, True)


# The whole tool


def test_the_tool_writes_table_json_and_picture(root, tmp_path):
    pytest.importorskip("matplotlib")
    rng = np.random.default_rng(0)
    for task in ("walker_walk", "hopper_hop"):
        for seed in range(2):
            noise = rng.normal(size=100)
            points = [
                (x, 400 + y) for (x, _), y in zip(constant(0), noise, strict=True)
            ]
            folder = tmp_path / "runs" / task / str(seed)
            write_run(folder, points, task=f"dmc_{task}", seed=seed)
    files = [tmp_path / "a.png", tmp_path / "a.svg"]
    command = [sys.executable, root / "tools" / "compare.py", tmp_path / "runs"]
    command += ["--out", *files, "--json", tmp_path / "a.json"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    for text in (
        "dmc_walker_walk",
        "dmc_hopper_hop",
        "935.8 ± 25.9 (5)",
        "iqm",
        "2 of 18",
    ):
        assert text in done.stdout
    assert files[0].read_bytes().startswith(b"\x89PNG")
    assert "walker_walk, 2 seeds" in files[1].read_text()
    result = json.loads((tmp_path / "a.json").read_text())
    (suite,) = result["suites"]
    # hopper_hop: published 113; with walker_walk (936 + 113) / 2.
    np.testing.assert_allclose(suite["published"]["mean"], 524.6, atol=1)
    np.testing.assert_allclose(suite["ours"]["iqm"]["value"], 400, atol=1)
    assert not suite["complete"]
    assert "training episodes" in result["protocol"]
