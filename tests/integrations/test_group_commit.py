"""Many threads, one write: with threads that wait for each other at chosen points, not for the clock."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from higherself.integrations.group_commit import GroupCommit

PATIENCE = 20


class Writer:
    """Holds each batch until it is let go, and notes what it was given."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun = threading.Semaphore(0)
        self.go = threading.Semaphore(0)

    def __call__(self, items: Sequence[int]) -> list[str | BaseException]:
        self.batches.append(list(items))
        self.begun.release()
        assert self.go.acquire(timeout=PATIENCE)
        if -1 in items:
            raise OSError("the disk is full")
        return [ValueError(f"{item} is refused") if item < 0 else f"wrote {item}" for item in items]


def waiting(group: GroupCommit, count: int) -> None:
    deadline = threading.Event()
    for _ in range(PATIENCE * 1000):
        if len(group._waiting) == count:
            return
        deadline.wait(0.001)
    raise AssertionError(f"{len(group._waiting)} wait instead of {count}")


@pytest.fixture
def pool():
    with ThreadPoolExecutor(max_workers=40) as executor:
        yield executor


def lead_with_followers(pool: ThreadPoolExecutor, group: GroupCommit, writer: Writer, items: list[int]) -> list[Future]:
    """The first item is being written while the others wait, in their order."""
    futures = [pool.submit(group.submit, items[0])]
    assert writer.begun.acquire(timeout=PATIENCE)
    for number, item in enumerate(items[1:], start=1):
        futures.append(pool.submit(group.submit, item))
        waiting(group, number)
    return futures


def test_alone_nobody_waits_for_company(pool):
    group = GroupCommit(lambda items: [item * 2 for item in items], limit=8)
    assert [group.submit(1), group.submit(2)] == [2, 4]


def test_those_who_come_during_a_write_are_written_together(pool):
    writer = Writer()
    group = GroupCommit(writer, limit=100)
    futures = lead_with_followers(pool, group, writer, list(range(30)))
    writer.go.release(2)
    assert [future.result(PATIENCE) for future in futures] == [f"wrote {item}" for item in range(30)]
    assert writer.batches == [[0], list(range(1, 30))]


def test_a_batch_has_a_limit_and_the_rest_comes_next(pool):
    writer = Writer()
    group = GroupCommit(writer, limit=2)
    futures = lead_with_followers(pool, group, writer, [0, 1, 2, 3, 4, 5])
    writer.go.release(4)
    assert [future.result(PATIENCE) for future in futures] == [f"wrote {item}" for item in range(6)]
    assert writer.batches == [[0], [1, 2], [3, 4], [5]]


def test_a_failing_write_fails_its_own_batch_only(pool):
    writer = Writer()
    group = GroupCommit(writer, limit=2)
    futures = lead_with_followers(pool, group, writer, [0, -1, 2, 3])
    writer.go.release(3)
    assert futures[0].result(PATIENCE) == "wrote 0"
    for future in futures[1:3]:
        with pytest.raises(OSError, match="the disk is full"):
            future.result(PATIENCE)
    assert futures[3].result(PATIENCE) == "wrote 3"


def test_one_refused_item_does_not_fail_its_neighbours(pool):
    writer = Writer()
    group = GroupCommit(writer, limit=9)
    futures = lead_with_followers(pool, group, writer, [0, 1, -5, 2])
    writer.go.release(2)
    assert [futures[number].result(PATIENCE) for number in (0, 1, 3)] == ["wrote 0", "wrote 1", "wrote 2"]
    with pytest.raises(ValueError, match="-5 is refused"):
        futures[2].result(PATIENCE)


def test_after_a_failure_the_next_one_is_written(pool):
    calls = []

    def write(items: Sequence[int]) -> list[int]:
        calls.append(list(items))
        if len(calls) == 1:
            raise OSError("the disk is full")
        return list(items)

    group = GroupCommit(write, limit=9)
    with pytest.raises(OSError, match="the disk is full"):
        group.submit(1)
    assert group.submit(2) == 2


def test_outcomes_that_do_not_match_the_batch_are_an_error_for_all(pool):
    group = GroupCommit(lambda items: [], limit=9)
    with pytest.raises(RuntimeError, match="1 items were written with 0 outcomes"):
        group.submit(1)
    with pytest.raises(RuntimeError, match="1 items were written with 0 outcomes"):
        group.submit(2)


def test_nothing_is_lost_or_doubled_in_a_crowd(pool):
    lock, written = threading.Lock(), []

    def write(items: Sequence[int]) -> list[int]:
        with lock:
            written.extend(items)
        return [item * 10 for item in items]

    group = GroupCommit(write, limit=7)
    assert list(pool.map(group.submit, range(2000))) == [item * 10 for item in range(2000)]
    assert sorted(written) == list(range(2000))
