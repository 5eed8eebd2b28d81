"""Run state transitions: completed is final, a requested stop wins, every run can end."""

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


class RunStateMachine(RuleBasedStateMachine):
    """Tries every transition in every state."""

    def __init__(self) -> None:
        super().__init__()
        self.state = S.QUEUED
        self.was_completed = False
        self.stop_requested = False

    @rule(to=states)
    def attempt_transition(self, to: RunState) -> None:
        before = self.state
        if can_transition(before, to):
            self.state = transition(before, to)
            self.was_completed |= to is S.COMPLETED
            self.stop_requested = to is S.STOPPING or (self.stop_requested and to is not S.STOPPED)
        else:
            with pytest.raises(IllegalTransition) as raised:
                transition(before, to)
            assert raised.value.extra["state"] is before

    @rule(data=st.data())
    @precondition(lambda self: TRANSITIONS[self.state])
    def make_allowed_transition(self, data: st.DataObject) -> None:
        self.attempt_transition(data.draw(st.sampled_from(sorted(TRANSITIONS[self.state]))))

    @rule()
    @precondition(lambda self: self.state not in FINAL_STATES)
    def stop(self) -> None:
        """An unfinished run can be stopped in at most two transitions."""
        if not can_transition(self.state, S.STOPPED):
            self.state = transition(self.state, S.STOPPING)
        self.state = transition(self.state, S.STOPPED)
        self.stop_requested = False

    @invariant()
    def completed_run_stays_completed(self) -> None:
        assert not self.was_completed or self.state is S.COMPLETED

    @invariant()
    def requested_stop_is_not_overtaken(self) -> None:
        assert not self.stop_requested or self.state is S.STOPPING

    @invariant()
    def unfinished_run_can_reach_a_final_state(self) -> None:
        assert self.state in FINAL_STATES or _can_reach_a_final_state(self.state)


def _can_reach_a_final_state(state: RunState) -> bool:
    seen, frontier = set(), {state}
    while frontier:
        seen |= frontier
        frontier = {to for one in frontier for to in TRANSITIONS[one]} - seen
    return bool(seen & FINAL_STATES)


TestRunStateMachine = RunStateMachine.TestCase
TestRunStateMachine.settings = settings(max_examples=100, stateful_step_count=20, deadline=None)


class TestTransitions:
    def test_every_state_has_an_entry(self) -> None:
        assert set(TRANSITIONS) == set(RunState)

    @pytest.mark.parametrize("state", sorted(FINAL_STATES - {S.COMPLETED}))
    def test_finished_run_can_only_be_resumed(self, state: RunState) -> None:
        assert TRANSITIONS[state] == {S.QUEUED}

    def test_stopping_run_can_only_become_stopped(self) -> None:
        assert TRANSITIONS[S.STOPPING] == {S.STOPPED}

    def test_no_state_moves_to_itself(self) -> None:
        assert not [state for state in RunState if can_transition(state, state)]
