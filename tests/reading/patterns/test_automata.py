import re
from itertools import product

import numpy as np
import pytest

from inkdigit.errors import SettingError
from inkdigit.reading.patterns import ALPHABET
from inkdigit.reading.patterns.automata import MAX_STATES, determined
from inkdigit.reading.patterns.grammar import parsed


@pytest.mark.parametrize("pattern", [r"\d{5}", r"\d*\.?[12]", r"(1|2{3})+", r"(\d?){9}"])
def test_every_state_can_be_reached_and_left_for_acceptance(pattern: str) -> None:
    automaton = determined(parsed(pattern))
    states = len(automaton.transitions)
    moves = np.zeros((states, states), int)
    for state, targets in enumerate(automaton.transitions):
        moves[state, targets] = 1
    reach = np.linalg.matrix_power(moves + np.eye(states, dtype=int), states) > 0
    assert reach[0].all()
    assert reach[:-1, automaton.accepting].any(axis=1).all()
    assert not reach[-1, :-1].any()


@pytest.mark.parametrize(
    ("pattern", "states"),
    [("1", 2), (r"\d{5}", 6), ("1*", 2), ("(12|13)", 4), ("1?", 2), ("(1|2|3)*", 4)],
)
def test_there_is_a_state_for_each_set_of_positions(pattern: str, states: int) -> None:
    automaton = determined(parsed(pattern))
    assert automaton.transitions.shape[1] == len(ALPHABET)
    assert automaton.accepting.shape == (len(automaton.transitions),)
    assert len(automaton.transitions) == automaton.dead + 1 == states + 1


def test_where_no_fitting_text_goes_on_is_the_dead_end() -> None:
    automaton = determined(parsed("12"))
    assert (automaton.transitions != automaton.dead).sum() == 2
    assert automaton.accepting.tolist() == [False, False, True, False]
    assert automaton.accepts("12")
    for text in ("", "1", "2", "121", "1x", "１2"):
        assert not automaton.accepts(text)


def test_automata_are_read_only() -> None:
    automaton = determined(parsed("12"))
    for array in (automaton.transitions, automaton.accepting):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_too_many_states_are_refused() -> None:
    with pytest.raises(SettingError, match=f"more than {MAX_STATES} states"):
        determined(parsed(r"\d*1\d{12}"))


@pytest.mark.parametrize("pattern", [r"[01]{2}", r"0*(1|22)+", r"\d\.\d", r"\d{0,3}", "0+|1"])
def test_following_a_text_tells_whether_it_fits(pattern: str) -> None:
    symbols = "2.10"
    automaton = determined(parsed(pattern)).over(symbols)
    for text in (text for n in range(4) for text in product(range(len(symbols)), repeat=n)):
        state = 0
        for label in text:
            state = int(automaton.transitions[state, label])
        spelled = "".join(symbols[label] for label in text)
        assert automaton.accepting[state] == bool(re.fullmatch(pattern, spelled))
