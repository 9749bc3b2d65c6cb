"""What requests share is bounded, and given back."""

import pytest

from inkdigit.serving.quota import Quota, QuotaFull


def test_shares_are_bounded_and_given_back() -> None:
    noted: list[int] = []
    places = Quota(3, "busy", noted.append)
    with places.share(2):
        places.check()
        with pytest.raises(QuotaFull), places.share(2):
            pass
        with places.share(1):
            assert places.taken == 3
            with pytest.raises(QuotaFull, match="busy"):
                places.check()
    assert places.taken == 0
    assert noted == [2, 3, 2, 0]


def test_a_share_may_grow_up_to_the_limit() -> None:
    memory = Quota(3, "busy")
    with memory.share() as take:
        take(2)
        with pytest.raises(QuotaFull):
            take(2)
        take(1)
        assert memory.taken == 3
    assert memory.taken == 0
