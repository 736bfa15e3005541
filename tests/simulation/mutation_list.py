"""The mutations, and where each is found first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from . import more_mutations as more
from . import mutations as first
from .scenarios import CLOCK_JUMPS, REFUSED_WITH_A_SECOND_ATTEMPT, Scenario

Mutation = Callable[[pytest.MonkeyPatch], None]

# Each with the first seed whose world finds it, of all from 0 on: rules and code move, and then the
# others are tried. Two are found by a scenario, for chance would take hundreds of worlds.
MUTATIONS: Final[dict[Mutation, int | Scenario]] = {
    first.drop_the_token_check: 0,
    first.free_the_slot_before_the_kill: 3,
    first.count_a_drain_as_a_failure: 0,
    first.count_an_interruption_as_a_failure: 2,
    first.requeue_on_a_late_end: 0,
    first.ignore_errors_of_the_store: 9,
    first.write_again_in_other_words: 8,
    first.forget_request_ids: 0,
    first.stop_before_the_word_is_kept: 0,
    first.one_slot_too_many: 0,
    first.let_the_clock_die: 8,
    first.miss_the_wake_up: 2,
    first.resume_watchers_one_too_far: 0,
    first.hedge_what_is_paused: 0,
    first.forget_who_leads: 0,
    first.forget_what_is_paused: 3,
    first.forget_what_is_finished: 0,
    first.change_the_end_of_a_job: 0,
    more.forget_deadlines: 29,
    more.count_time_by_the_clock: CLOCK_JUMPS,
    more.begin_before_its_turn: 0,
    more.begin_whatever_became_of_the_others: 4,
    more.mix_engines: 8,
    more.forget_the_engine_of_what_is_finished: 0,
    more.stay_with_an_engine_that_is_gone: 8,
    more.give_a_token_twice: REFUSED_WITH_A_SECOND_ATTEMPT,
    more.fail_on_a_full_disk: 4,
    more.never_see_that_there_is_room: 4,
    more.count_a_full_worker_as_a_failure: 1,
    more.forget_what_is_young: 1,
    more.free_a_slot_when_it_is_filmed_and_again_at_the_end: 0,
    more.send_as_many_as_are_filmed: 9,
    more.let_nobody_rest: 15,
    more.send_to_those_who_cannot: 11,
    more.give_out_what_has_begun: 2,
    more.name_videos_alike_in_each_term: 25,
}
