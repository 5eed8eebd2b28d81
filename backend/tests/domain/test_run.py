"""The judge of a run's moves: no way out of a completed run, a stop wins, every run can end."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from crewai_runner.domain.run import (
    FINAL_STATES,
    TRANSITIONS,
    IllegalTransition,
    RunState,
    can_transition,
    transition,
)

S = RunState
states = st.sampled_from(list(RunState))


class LifeOfARun(RuleBasedStateMachine):
    """Tries every transition at any time, as late workers, impatient people and dying machines do."""

    def __init__(self) -> None:
        super().__init__()
        self.state = S.QUEUED
        self.was_completed = False
        self.stop_asked = False

    @rule(to=states)
    def try_to_move(self, to: RunState) -> None:
        before = self.state
        if can_transition(before, to):
            self.state = transition(before, to)
            self.was_completed |= to is S.COMPLETED
            self.stop_asked = to is S.STOPPING or (self.stop_asked and to is not S.STOPPED)
        else:
            with pytest.raises(IllegalTransition) as refused:
                transition(before, to)
            assert refused.value.extra["state"] is before

    @rule(chance=st.data())
    @precondition(lambda self: TRANSITIONS[self.state])
    def go_on(self, chance: st.DataObject) -> None:
        self.try_to_move(chance.draw(st.sampled_from(sorted(TRANSITIONS[self.state]))))

    @rule()
    @precondition(lambda self: self.state not in FINAL_STATES)
    def end_by_a_stop(self) -> None:
        """Whatever it does, an unfinished run can be stopped in two moves at most."""
        if not can_transition(self.state, S.STOPPED):
            self.state = transition(self.state, S.STOPPING)
        self.state = transition(self.state, S.STOPPED)
        self.stop_asked = False

    @invariant()
    def a_completed_run_stays_completed(self) -> None:
        assert not self.was_completed or self.state is S.COMPLETED

    @invariant()
    def a_stop_that_was_asked_for_is_not_overtaken(self) -> None:
        assert not self.stop_asked or self.state is S.STOPPING

    @invariant()
    def an_unfinished_run_has_a_way_to_an_end(self) -> None:
        assert self.state in FINAL_STATES or _reaches_an_end(self.state)


def _reaches_an_end(state: RunState) -> bool:
    seen, border = set(), {state}
    while border:
        seen |= border
        border = {to for one in border for to in TRANSITIONS[one]} - seen
    return bool(seen & FINAL_STATES)


TestLifeOfARun = LifeOfARun.TestCase
TestLifeOfARun.settings = settings(max_examples=100, stateful_step_count=20, deadline=None)


def test_the_table_knows_every_state() -> None:
    assert set(TRANSITIONS) == set(RunState)


@pytest.mark.parametrize("state", sorted(FINAL_STATES - {S.COMPLETED}))
def test_a_finished_run_can_only_be_resumed(state: RunState) -> None:
    assert TRANSITIONS[state] == {S.QUEUED}


def test_a_run_asked_to_stop_ends_stopped_whatever_its_crew_brings() -> None:
    assert TRANSITIONS[S.STOPPING] == {S.STOPPED}


def test_no_state_moves_to_itself() -> None:
    assert not [state for state in RunState if can_transition(state, state)]
