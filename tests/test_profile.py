"""`tools/profile.py`: which part an operation is of, and how time is shared out."""

import json
import subprocess
import sys

import pytest


@pytest.fixture
def profiling(root, monkeypatch):
    """The folder of the tool's parts, as a package."""
    monkeypatch.syspath_prepend(str(root / "tools"))
    import profiling
    from profiling import operations, parts, timeline, trace

    assert profiling.parts is parts and profiling.timeline is timeline
    assert profiling.operations is operations and profiling.trace is trace
    return profiling


def run_tool(root, *arguments):
    command = [sys.executable, "tools/profile.py", *map(str, arguments)]
    return subprocess.run(command, cwd=root, capture_output=True, text=True)


def spans(profiling, *rows):
    return [profiling.trace.Span(*row) for row in rows]


def test_of_operations_inside_each_other_the_inner_one_counts(profiling):
    # 0 |----------- 7 -----------| 10 holds 2 |-- 8 --| 5 and 5 |- 9 -| 6.
    found = profiling.trace.innermost(
        spans(profiling, (2, 5, 8), (0, 10, 7), (5, 6, 9), (12, 13, 7))
    )
    expected = [(0, 2, 7), (2, 5, 8), (5, 6, 9), (6, 10, 7), (12, 13, 7)]
    assert [span[:3] for span in found] == expected
    assert [span.first for span in found] == [True, True, True, False, True]


def test_moments_are_shared_between_threads_and_none_is_lost(profiling):
    # Step 0 to 20. Thread A: 1 from 2 to 10; B: 2 from 6 to 14, and 1 from 18 to 25.
    # Alone 2–6 → 1, both 6–10 → 2 each, alone 10–14 → 2, idle 0–2 and 14–18, 18–20 → 1.
    threads = [
        spans(profiling, (2, 10, 1)),
        spans(profiling, (6, 14, 2), (18, 25, 1)),
    ]
    spent, idle = profiling.timeline.sweep(threads, (0, 20))
    assert dict(spent) == {1: 4 + 2 + 2, 2: 2 + 4}
    assert idle == [(0, 2), (14, 18)]


def test_one_operation_on_two_threads_counts_once(profiling):
    threads = [spans(profiling, (0, 4, 3)), spans(profiling, (1, 3, 3), (3, 5, 4))]
    spent, idle = profiling.timeline.sweep(threads, (0, 6))
    assert dict(spent) == {3: 3.5, 4: 1.5} and idle == [(5, 6)]


def test_the_parts_add_up_to_the_step(profiling):
    # Picoseconds: 0–100 is a step, 10–90 of it in TensorFlow, 90–98 fetching. Encoder
    # 20–50, its gradient 50–60, something unknown 60–65; the rest is idle.
    operation, trace = profiling.operations.Operation, profiling.trace
    found = profiling.timeline.break_down(
        trace.Trace(
            [spans(profiling, (20, 50, 0), (50, 60, 1), (60, 65, 2))],
            [
                operation("dot", "part.encoder/MatMul", "f32[2]"),
                operation("dot", "gradient_tape/part.encoder/MatMul"),
                operation("Sub", "sub_3"),
            ],
            steps=[(0, 100)],
            fetches=[(90, 98)],
            runs=[(10, 90)],
        )
    )
    share = profiling.timeline.Share
    assert {key: round(times[0] * 1e12) for key, times in found.parts.items()} == {
        share("encoder", False): 30,
        share("encoder", True): 10,
        share("rest", False): 5,
        share("fetch", False): 8,
        share("dispatch", False): 80 - 45,
        share("python", False): 12,
    }
    assert sum(map(found.seconds, found.parts)) == pytest.approx(found.steps[0])
    assert [kernel.origin for kernel in found.kernels][0] == "part.encoder/MatMul"
    assert found.kernels[0].calls == 1


def test_a_step_that_was_interrupted_changes_no_share(profiling):
    share = profiling.timeline.Share("encoder", False)
    other = profiling.timeline.Share("python", False)
    usual = profiling.timeline.Breakdown(
        [4.0, 4.0, 400.0], {share: [1.0, 1.0, 397.0], other: [3.0, 3.0, 3.0]}, []
    )
    assert usual.fraction(share) == pytest.approx(0.25)
    assert usual.seconds(other) == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("name", "part", "backward"),
    [
        ("part.heads/part.observe/while/MatMul", "observe", False),
        (
            "gradient_tape/part.heads/part.decoder_1/mlp/MatMul/MatMul_1",
            "decoder",
            True,
        ),
        ("actor_1/mlp/linear0/MatMul", "actor", False),
        ("factor/MatMul", None, False),
        ("AddN_4", None, False),
    ],
)
def test_the_innermost_scope_tells_the_part(profiling, name, part, backward):
    assert profiling.parts.find_part(name) == part
    assert profiling.parts.is_backward(name) is backward


def test_unnamed_operations_belong_to_the_one_made_before(profiling):
    names = ["Const", "part.encoder/Max", "Equal", "part.prior/Exp", "AddN"]
    assert profiling.parts.find_origins(names) == {
        "Equal": "Equal in part.encoder/Max",
        "AddN": "AddN in part.prior/Exp",
    }


def test_what_xla_made_up_belongs_to_its_fusion_loop_or_operand(profiling):
    from tensorflow.compiler.xla.service import hlo_pb2

    module = hlo_pb2.HloModuleProto()
    names = iter(range(1, 99))

    def add(computation, name, origin="", operands=(), called=()):
        found = computation.instructions.add(name=name, id=next(names))
        found.metadata.op_name = origin
        found.operand_ids.extend(operands)
        found.called_computation_ids.extend(called)
        return found.id

    main = module.computations.add(name="main", id=1)
    body = module.computations.add(name="body", id=2)
    fused = module.computations.add(name="fused", id=3)
    dot = add(main, "dot.1", "part.prior/MatMul")
    copy = add(main, "copy.2", "", [dot])
    add(main, "add.3", "AddN", [copy])
    add(main, "while.4", "part.observe/while", [], [2])
    add(body, "copy.5")
    add(body, "fusion.6", "", [], [3])
    add(fused, "exp.7", "part.encoder/Exp")
    known = profiling.operations.Module(module, profiling.parts.find_part)
    assert known.find("dot.1").origin == "part.prior/MatMul"
    assert known.find("add.3").origin == "AddN in part.prior/MatMul"
    assert known.find("copy.5").origin == "part.observe/while"
    assert known.find("fusion.6").origin == "part.encoder/Exp"
    assert known.find("no_such.8").origin == ""


def test_a_train_step_is_broken_down_into_a_table_json_and_a_picture(root, tmp_path):
    data, picture = tmp_path / "step.json", tmp_path / "step.png"
    chosen = ["--size", "debug", "--xla", "off", "--steps", 2, "--top", 3]
    done = run_tool(root, *chosen, "--json", data, "--out", picture)
    assert done.returncode == 0, done.stderr[-2000:]
    result = json.loads(data.read_text())
    parts = {(row["part"], row["backward"]): row for row in result["parts"]}
    # What runs in a debug step without images; each takes some time.
    forward = "noise context encoder observe prior decoder heads imagination judge "
    forward += "returns actor critic replayed optimizer slow fetch dispatch python"
    backward = "encoder observe prior decoder heads actor critic replayed"
    for part in forward.split():
        assert parts[part, False]["median"] > 0, part
    for part in backward.split():
        assert parts[part, True]["median"] > 0, part
    for part in ("noise", "imagination", "judge", "optimizer"):
        assert (part, True) not in parts, part
    assert sum(row["share"] for row in result["parts"]) == pytest.approx(1, abs=0.01)
    assert parts["rest", False]["share"] < 0.05
    assert result["machine"]["cores"] and len(result["kernels"]) > 20
    assert "imagination" in done.stdout and "MatMul" in done.stdout
    assert picture.read_bytes()[:4] == b"\x89PNG"


@pytest.mark.slow
def test_the_convolutions_of_a_split_step_and_a_policy_step_are_found(root, tmp_path):
    data = tmp_path / "step.json"
    chosen = ["--size", "debug", "--xla", "split", "--steps", 2, "--input", "image"]
    done = run_tool(root, *chosen, "--json", data)
    assert done.returncode == 0, done.stderr[-2000:]
    rows = json.loads(data.read_text())["parts"]
    parts = {(row["part"], row["backward"]): row["share"] for row in rows}
    assert min(parts[x, y] for x in ("encoder", "decoder") for y in (0, 1)) > 0.005
    done = run_tool(root, *chosen, "--json", data, "--step", "policy", "--envs", 2)
    assert done.returncode == 0, done.stderr[-2000:]
    rows = json.loads(data.read_text())["parts"]
    found = {row["part"] for row in rows if row["median"] > 0}
    assert {"encoder", "observe", "actor", "noise", "fetch", "python"} <= found


def test_wrong_options_end_with_status_2(root, tmp_path):
    done = run_tool(root, "--task", "dummy_disc", "--input", "image")
    assert done.returncode == 2 and "exclude each other" in done.stderr
    done = run_tool(root, "--size", "nosuch")
    assert done.returncode == 2 and "no preset 'nosuch'" in done.stderr
    done = run_tool(root, "--out", tmp_path / "picture.txt")
    assert done.returncode == 2 and "picture.txt" in done.stderr


def test_other_tools_still_get_the_standard_module_of_that_name(root):
    code = "import sys; sys.path.insert(0, 'tools'); import cProfile, profile; "
    code += "cProfile.run('sum([1])'); print(profile.Profile)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "function calls" in done.stdout and "profile.Profile" in done.stdout
