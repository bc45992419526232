"""The bucket of a key, second by second."""

from __future__ import annotations

import itertools

import pytest

from metering import admission

_ids = itertools.count(10**9)


@pytest.fixture
def key():
    """A key of ten events a second that nobody used."""
    return new_key(10)


def new_key(rate):
    return admission.Key(id=next(_ids), key_hash=b"", scopes=("ingest",), events_per_second_max=rate)


def is_let_in(key, now_s, **options):
    try:
        admission.charge(key=key, now_s=now_s, **options)
    except admission.TooFast:
        return False
    return True


class TestCharge:
    def test_lets_in_a_seconds_worth_at_once_and_no_more(self, key):
        assert [is_let_in(key, 0.0) for _ in range(11)] == [True] * 10 + [False]

    def test_lets_in_again_as_time_goes_by(self, key):
        for _ in range(10):
            admission.charge(key=key, now_s=0.0)
        assert [is_let_in(key, at) for at in (0.05, 0.11, 0.12, 0.21)] == [False, True, False, True]

    def test_saves_up_no_more_than_a_second(self, key):
        admission.charge(key=key, now_s=0.0)
        assert sum(is_let_in(key, 1000.0) for _ in range(20)) == 10

    def test_lets_a_large_batch_overdraw_and_pay_afterwards(self, key):
        admission.charge(key=key, now_s=0.0)
        admission.charge(key=key, now_s=0.0, events=999, is_let_in=True)
        with pytest.raises(admission.TooFast) as refused:
            admission.charge(key=key, now_s=0.0)
        # 10 - 1000 = -990 tokens: 991 more are needed for one, at 10 a second.
        assert refused.value.retry_after_s == 100
        assert not is_let_in(key, 99.0)
        assert is_let_in(key, 99.2)

    def test_says_at_least_a_second(self, key):
        for _ in range(10):
            admission.charge(key=key, now_s=0.0)
        with pytest.raises(admission.TooFast, match="10 events a second") as refused:
            admission.charge(key=key, now_s=0.0)
        assert refused.value.retry_after_s == 1

    def test_takes_nothing_for_what_it_refuses(self, key):
        for _ in range(10):
            admission.charge(key=key, now_s=0.0)
        assert not any(is_let_in(key, 0.0) for _ in range(50))
        assert is_let_in(key, 0.11)

    def test_of_one_key_leaves_another_alone(self, key):
        for _ in range(10):
            admission.charge(key=key, now_s=0.0)
        assert is_let_in(new_key(10), 0.0)

    def test_without_a_limit_lets_everything_in(self):
        assert all(is_let_in(new_key(None), 0.0, events=10**6) for _ in range(3))

    def test_follows_a_limit_that_was_changed(self, key):
        admission.charge(key=key, now_s=0.0, events=10)
        slower = admission.Key(key.id, b"", ("ingest",), 1)
        assert [is_let_in(slower, at) for at in (0.5, 1.1, 1.2)] == [False, True, False]
