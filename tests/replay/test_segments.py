import numpy as np
import pytest

from dreamerv3_tf.replay.segments import ReplayError, Segment, open_segments


@pytest.fixture
def folder(tmp_path, build, fill):
    """A closed replay of several segments."""
    replay = build(tmp_path, capacity=400)
    fill(replay, 60)
    replay.close()
    return tmp_path


def segment_paths(folder):
    return sorted(folder.glob("segment-*"))


def write(path, offset, data):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)


def refused(folder, build, words):
    with pytest.raises(ReplayError, match=words):
        build(folder, capacity=400)


def test_a_file_of_another_kind_is_named(folder, build):
    (folder / "notes.txt").write_text("hello")
    refused(folder, build, "notes.txt: it is no replay segment")


def test_a_folder_inside_is_named(folder, build):
    (folder / "old").mkdir()
    refused(folder, build, "old: it is no replay segment")


def test_a_truncated_file_is_named(folder, build):
    path = segment_paths(folder)[1]
    path.write_bytes(path.read_bytes()[:-100])
    refused(folder, build, f"{path.name}: it has .* bytes, its header says")


def test_a_damaged_header_is_named(folder, build):
    path = segment_paths(folder)[1]
    write(path, 30, b"\xff\xff\xff")
    refused(folder, build, f"{path.name}: its header cannot be read")


def test_an_impossible_count_is_named(folder, build):
    path = segment_paths(folder)[1]
    write(path, 8, (10**6).to_bytes(8, "little"))
    refused(folder, build, f"{path.name}: 1000000 of 12 rows are committed")


def test_a_missing_file_is_named_by_its_neighbours(folder, build):
    paths = segment_paths(folder)
    paths[2].unlink()
    refused(
        folder, build, f"{paths[3].name}: it begins with row 36, but {paths[1].name}"
    )


def test_a_renamed_file_is_named(folder, build):
    path = segment_paths(folder)[-1]
    path.rename(path.with_name("segment-000000000000999.dv3"))
    refused(folder, build, "999.dv3: its header says that row 48 is first")


def test_the_oldest_files_may_be_deleted(folder, build):
    for path in segment_paths(folder)[:2]:
        path.unlink()
    replay = build(folder, capacity=400)
    assert len(replay) == 2 * (60 - 24 - 4)
    positions = replay.draw(100)
    assert positions.row.min() >= 24
    vector = replay.gather(positions)["vector"]
    np.testing.assert_array_equal(vector[:, 0, 0], positions.row)
    replay.close()


def test_an_unfinished_last_segment_is_used_to_its_count(folder, build, fill):
    path = segment_paths(folder)[-1]
    write(path, 8, (5).to_bytes(8, "little"))  # as if killed in row 53
    replay = build(folder, capacity=400)
    assert replay.state()["rows"] == 53
    fill(replay, 20)
    assert replay.stats()["steps"] == 2 * 73
    replay.close()


def test_a_draft_of_a_killed_process_goes_away(folder, build):
    draft = folder / ".segment-000000000000060.dv3"
    draft.write_bytes(b"half")
    empty = segment_paths(folder)[-1]
    write(empty, 8, bytes(8))
    build(folder, capacity=400).close()
    assert not draft.exists()
    assert not empty.exists()


def test_a_full_disk_is_an_error_with_advice(tmp_path, build, fill, monkeypatch):
    def no_space(*_):
        raise OSError(28, "No space left on device")

    replay = build(tmp_path)
    monkeypatch.setattr("os.posix_fallocate", no_space)
    with pytest.raises(ReplayError, match="No space left.*replay.capacity_bytes"):
        fill(replay, 1)
    assert not segment_paths(tmp_path)
    assert not list(tmp_path.glob(".segment-*"))
    replay.close()


def test_read_only_segments_cannot_be_written(folder):
    segment = open_segments(folder, writable=False)[0]
    assert isinstance(segment, Segment)
    with pytest.raises(ValueError, match="read-only"):
        segment.arrays["reward"][0, 0] = 1


def test_new_segments_reserve_their_disk(folder):
    for path in segment_paths(folder):
        stat = path.stat()
        assert stat.st_blocks * 512 >= stat.st_size
