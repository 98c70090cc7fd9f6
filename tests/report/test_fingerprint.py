from __future__ import annotations

import time

import pytest

from gunilint.fingerprint import line_hashes
from gunilint.source import Source

GREETINGS = (
    "e9496ae3ebfced30:1", "fb7c023a8b9ccb3f:1", "ce8ba1a563dcdaca:1", "e20e36e16fcb0cc8:1",
    "b3edc88f2938467e:1", "c8e28b0b4002a3a0:1", "c129715d7a2bc9a3:1",
)  # fmt: skip


# The vectors of src/fingerprints.test.ts in https://github.com/github/codeql-action
@pytest.mark.parametrize(
    ("text", "hashes"),
    [
        pytest.param("", ("c129715d7a2bc9a3:1",), id="empty"),
        pytest.param(
            " a\nb\n  \t\tc\n d",
            ("271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"),
            id="blanks",
        ),
        pytest.param(
            " hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End",
            (
                "8b7cf3e952e7aeb2:1", "b1ae1287ec4718d9:1", "bff680108adb0fcc:1",
                "c6805c5e1288b612:1", "b86d3392aea1be30:1", "e6ceba753e1a442:1",
            ),
            id="no-line-end",
        ),
        pytest.param(
            " hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End\n", GREETINGS, id="lf"
        ),
        pytest.param(
            " hello; \t\nworld!!!\r\r\r  \t\tGreetings\r End\r", GREETINGS, id="cr"
        ),
        pytest.param(
            " hello; \t\r\nworld!!!\r\n\r\n\r\n  \t\tGreetings\r\n End\r\n", GREETINGS, id="crlf"
        ),
        pytest.param(
            " hello; \t\nworld!!!\r\n\n\r  \t\tGreetings\r End\r\n", GREETINGS, id="mixed"
        ),
        pytest.param(
            "Lorem ipsum dolor sit amet.\n" * 10,
            (
                *(f"a7f2ff13bc495cf2:{count}" for count in range(1, 7)),
                "a7f2ff1481e87703:1", "a9cf91f7bbf1862b:1", "55ec222b86bcae53:1",
                "cc97dc7b1d7d8f7b:1", "c129715d7a2bc9a3:1",
            ),
            id="repeated",
        ),
    ],
)  # fmt: skip
def test_line_hashes_are_those_of_the_uploader(text: str, hashes: tuple[str, ...]) -> None:
    assert line_hashes(text) == hashes


@pytest.mark.parametrize(
    "text",
    ["\r \n", "a\r\n\r\r\nb", "\x0b\x0c\x85\u2028", "\n" * 5, "\U0001f600\ud800\n"],
    ids=["blank-in-crlf", "mixed", "other-separators", "empty-lines", "surrogates"],
)
def test_every_line_has_a_hash(text: str) -> None:
    assert len(line_hashes(text)) == len(Source("a", text).line_starts)


def test_characters_count_as_utf16_units() -> None:
    assert line_hashes("\U0001f600" * 50 + "a") == line_hashes("\U0001f600" * 50 + "b")
    assert line_hashes("\U0001f600" * 49 + "a") != line_hashes("\U0001f600" * 49 + "b")


@pytest.mark.parametrize("text", ["\n" * 500_000, "x" * 1_000_000], ids=["lines", "one-line"])
def test_line_hashes_take_linear_time(text: str) -> None:
    start = time.process_time()
    line_hashes(text)
    assert time.process_time() - start < 10
