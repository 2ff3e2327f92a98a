"""What each setting does, the equation it enters, and which paper's table lists it.

The comments beside the fields of `config.py` say what a value *is*, for who writes
code; the notes say what it *does*, for who changes it. A test compares the notes with
the settings. Arguments of environments are explained by the suites, `envs/manual.py`.
"""

from __future__ import annotations

import fnmatch

from dreamerv3_tf.run.explain.notes import agent, loop
from dreamerv3_tf.run.explain.notes.note import Note

__all__ = ["NOTES", "Note", "find_note"]

NOTES: dict[str, Note] = {**agent.NOTES, **loop.NOTES}
"""Notes by full name of the setting, or a pattern such as `agent.*_norm.rate`."""


def find_note(key: str) -> Note:
    """The note of a setting that is none of an environment.

    Raises:
        KeyError: there is none; a test sees to it that all settings have one.
    """
    if key in NOTES:
        return NOTES[key]
    for pattern, note in NOTES.items():
        if "*" in pattern and fnmatch.fnmatchcase(key, pattern):
            return note
    raise KeyError(f"No note says what the setting {key} does.")
