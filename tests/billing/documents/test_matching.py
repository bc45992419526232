"""Ties between conditions on dimension values."""

from itertools import combinations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from billing.documents import matching

VALUES = st.lists(st.sampled_from("xyz"), min_size=1, max_size=2, unique=True).map(tuple)
CONDITIONS = st.lists(
    st.dictionaries(st.sampled_from("abc"), VALUES, min_size=1, max_size=3).map(
        lambda when: tuple(sorted(when.items()))
    ),
    max_size=6,
)


def can_both_match(left, right):
    other = dict(right)
    return len(left) == len(right) and all(
        name not in other or set(accepted) & set(other[name]) for name, accepted in left
    )


class TestFirstTie:
    # The third ties with both others, by the first of its values with the second of them.
    @example([(("a", ("y",)),), (("a", ("x",)),), (("a", ("x", "y")),)])
    @given(CONDITIONS)
    @settings(max_examples=300, deadline=None)
    def test_is_what_comparing_all_pairs_finds(self, conditions):
        pairs = list(combinations(range(len(conditions)), 2))
        ties = [pair for pair in pairs if can_both_match(conditions[pair[0]], conditions[pair[1]])]
        expected = min(ties, key=lambda tie: (tie[1], tie[0]), default=None)
        assert matching.first_tie(conditions) == expected

    def test_of_conditions_that_accept_too_much_to_be_listed(self):
        # 3 dimensions of 30 values each are 27,000 combinations
        wide = tuple((name, tuple(str(n) for n in range(30))) for name in "abc")
        narrow = (("a", ("29",)), ("b", ("29",)), ("d", ("0",)))
        other = (("a", ("30",)), ("b", ("29",)), ("d", ("1",)))
        assert matching.first_tie([wide, wide]) == (0, 1)
        assert matching.first_tie([other, wide, narrow]) == (1, 2)
        assert matching.first_tie([other, wide]) is None
        apart = (("a", tuple(str(n) for n in range(30, 60))), *wide[1:])
        assert matching.first_tie([wide, apart, apart, wide]) == (1, 2)

    def test_is_found_at_once_among_many(self):
        ones = [((name, (str(n),)),) for name in "ab" for n in range(40_000)]
        assert matching.first_tie(ones) == (0, 40_000)
