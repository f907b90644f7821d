# SPDX-License-Identifier: Apache-2.0
"""What is lost is counted, what was before the start is kept, clocks are compared, disks judged, episodes cut."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kata_data.recording import (
    ClockOffset,
    DiskForecast,
    DiskLimits,
    DropCounter,
    Exchange,
    PretriggerBuffer,
    Segment,
    SegmentationConfig,
    SimulatedTime,
    Store,
    intervention_steps,
    is_sound,
    load_streams,
    parse_pairs,
    parse_streams,
    propose_segments,
    sealed,
)
from kata_data.recording.episode import EpisodeMachine, EpisodePhase, MarkKind, parse_labels
from kata_model.errors import ConfigError, DataError

MS = 1_000_000


@given(st.lists(st.booleans(), min_size=2, max_size=200))
def test_drops_by_sequence_are_exactly_those_between_first_and_last(arrives):
    counter = DropCounter()
    seen = [i for i, arrived in enumerate(arrives, start=1) if arrived]
    for i in seen:
        counter.note(i, i * MS)
    assert counter.received == len(seen)
    assert counter.lost == (seen[-1] - seen[0] + 1 - len(seen) if seen else 0)


def test_a_publisher_that_starts_anew_lost_nothing():
    counter = DropCounter()
    for i, sequence in enumerate([7, 8, 9, 1, 2, 3]):
        counter.note(sequence, i * MS)
    assert counter.lost == 0


def test_two_publishers_in_turn_lose_nothing_and_are_both_counted():
    counter = DropCounter()
    for i in range(1, 100):
        counter.note(5000 + i, i * MS)
        counter.note(i, i * MS)
    assert counter.lost == 0
    assert [counter.note(5102, 100 * MS), counter.note(101, 100 * MS)] == [2, 1]


@pytest.mark.parametrize("rate", [0.0, 100.0])
def test_without_sequences_gaps_of_the_period_are_drops(rate):
    counter = DropCounter(rate)
    stamps = np.arange(1, 101) * 10 * MS
    jitter = np.random.default_rng(0).integers(-2 * MS, 2 * MS, 100)
    lost = [counter.note(0, int(s)) for i, s in enumerate(stamps + jitter) if i not in (50, 80, 81)]
    assert sum(lost) == counter.lost == 3


def test_a_reset_forgets_counts_but_not_where_the_sequence_stands():
    counter = DropCounter()
    counter.note(1, 0)
    counter.reset()
    assert counter.note(4, MS) == 2
    assert (counter.received, counter.lost) == (1, 2)


@given(st.floats(-10.0, 10.0), st.lists(st.tuples(st.floats(1e-5, 1e-2), st.floats(1e-5, 1e-2)), min_size=1, max_size=20))
def test_the_offset_of_a_clock_is_within_its_bound(offset, delays):
    clock = ClockOffset()
    for i, (there, back) in enumerate(delays):
        asked = i * 1_000_000_000
        received = asked + round((there + offset) * 1e9)
        answered = received + 5_000
        assert clock.note(Exchange(asked, received, answered, answered + round((back - offset) * 1e9)))
    assert abs(clock.offset - offset) <= clock.uncertainty + 1e-8


def test_an_exchange_that_took_less_than_no_time_is_refused():
    clock = ClockOffset()
    assert not clock.note(Exchange(100, 500, 900, 200))
    assert np.isnan(clock.offset)
    assert np.isnan(clock.uncertainty)


def test_the_last_seconds_are_kept_within_the_memory():
    buffer = PretriggerBuffer(1.0, 50, age=lambda s: s, size=lambda s: 10)
    for stamp in range(0, 3_000_000_000, 100_000_000):
        buffer.add(stamp)
    assert buffer.take(2_900_000_000) == [2_500_000_000 + i * 100_000_000 for i in range(5)]
    assert buffer.take(2_900_000_000) == []


def test_a_buffer_of_no_seconds_keeps_nothing_and_a_reset_of_time_empties_it():
    nothing = PretriggerBuffer(0.0, 1000, age=lambda s: s, size=lambda s: 1)
    nothing.add(5)
    assert nothing.take(5) == []
    buffer = PretriggerBuffer(1.0, 1000, age=lambda s: s, size=lambda s: 1)
    buffer.add(10_000_000_000)
    buffer.add(1_000)
    assert buffer.take(1_000) == [1_000]


LIMITS = DiskLimits(free=1.0, seconds=60.0, reserve=0.1)


@pytest.mark.parametrize(
    ("free", "rate", "reason"),
    [(5.0, 0.0, ""), (1.0, 0.0, "GB free"), (5.0, 0.1, "disk full in 49 s"), (float("nan"), 0.0, "GB free"), (10.0, 0.05, "")],
)
def test_an_episode_is_refused_in_time_with_a_reason(free, rate, reason):
    refusal = DiskForecast(free, rate).refusal(LIMITS)
    assert (reason in refusal) if reason else refusal == ""


def test_a_running_episode_ends_at_the_reserve():
    assert DiskForecast(0.1, 0.0).exhausted(LIMITS)
    assert DiskForecast(float("nan"), 0.0).exhausted(LIMITS)
    assert not DiskForecast(0.2, 1.0).exhausted(LIMITS)


def test_streams_of_the_robots_are_read_and_depth_is_lossless():
    streams = {s.topic: s for s in load_streams("g1")}
    assert streams["joint_states"].rate == 250.0
    assert streams["camera/head/depth/image_raw"].store is Store.PNG
    assert not streams["joint_states"].compressed
    assert {s.topic for s in load_streams("")} <= streams.keys()
    assert len(load_streams("toy")) == 4


@pytest.mark.parametrize(
    "text",
    [
        "streams: {}",
        "[1",
        "streams: {imu: {rate: 5}}",
        "streams: {imu: {type: sensor_msgs/msg/Imu, rate: .nan}}",
        "streams: {imu: {type: sensor_msgs/msg/Imu, store: jpeg}}",
        "streams: {imu: {type: sensor_msgs/msg/Imu, colour: red}}",
        "streams: {a: {type: sensor_msgs/msg/Image, store: bmp}}",
    ],
)
def test_wrong_stream_files_give_one_line(tmp_path, text):
    file = tmp_path / "recording.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=str(file)) as caught:
        parse_streams(file)
    assert "\n" not in str(caught.value)


def test_streams_of_parameters():
    plain, depth = parse_pairs(["imu sensor_msgs/msg/Imu", "depth sensor_msgs/msg/Image 30 png"])
    assert (plain.topic, plain.rate, plain.store) == ("imu", 0.0, Store.RAW)
    assert (depth.rate, depth.store, depth.compressed) == (30.0, Store.PNG, True)
    for wrong in ("imu", "imu sensor_msgs/msg/Imu fast", "imu sensor_msgs/msg/Imu -1", "a b c d e"):
        with pytest.raises(ConfigError):
            parse_pairs([wrong])


def test_marks_and_interventions_follow_each_other():
    machine = EpisodeMachine()
    assert "no episode" in machine.mark(MarkKind.MARK)
    machine.start("wave")
    assert machine.mark(MarkKind.MARK) == machine.mark(MarkKind.INTERVENTION_BEGIN) == ""
    assert "already" in machine.mark(MarkKind.INTERVENTION_BEGIN)
    assert machine.mark(MarkKind.INTERVENTION_END) == ""
    assert "no intervention" in machine.mark(MarkKind.INTERVENTION_END)
    assert "kind 9" in machine.mark(9)
    assert (machine.marks, machine.phase) == (3, EpisodePhase.RECORDING)
    machine.save()
    machine.start("again")
    assert machine.marks == 0


def test_labels_are_words_and_pairs_and_never_overwrite_facts():
    assert parse_labels(["operator=ann", "slippery", "night"]) == {"operator": "ann", "labels": "slippery, night"}
    for wrong in ("task_success=true", "=x", ""):
        with pytest.raises(ConfigError):
            parse_labels([wrong])


def test_facts_with_a_flipped_letter_are_not_sound():
    facts = sealed({"task": "wave"})
    assert is_sound(facts)
    assert is_sound({"task": "from elsewhere"})
    assert not is_sound({**facts, "task": "wawe"})


def test_segments_begin_and_end_with_motion_and_contact():
    time = np.arange(0.0, 4.0, 0.01)
    speed = np.where((time > 1.0) & (time < 3.0), 0.5, 0.0)
    speed[50] = 1.0  # a twitch of one sample
    contact = np.where((time > 2.0) & (time < 3.5), 8.0, 0.0)
    found = propose_segments(time, speed, contact, SegmentationConfig())
    assert [s.label for s in found] == ["rest", "motion", "motion, contact", "rest, contact", "rest"]
    np.testing.assert_allclose([s.start for s in found], [0.0, 1.0, 2.0, 3.0, 3.5], atol=0.02)
    assert found[-1].end == time[-1]


@given(st.lists(st.floats(0.0, 1.0) | st.just(float("nan")), min_size=1, max_size=60))
def test_segments_cover_the_episode_without_gap_or_overlap(speeds):
    time = np.arange(len(speeds)) * 0.05
    found = propose_segments(time, np.array(speeds), np.zeros(len(speeds)), SegmentationConfig())
    assert (found[0].start, found[-1].end) == (0.0, time[-1])
    assert all(a.end == b.start and a.label != b.label for a, b in itertools.pairwise(found))


def test_no_samples_no_segments_and_no_span_that_runs_backwards():
    assert propose_segments(np.zeros(0), np.zeros(0), np.zeros(0), SegmentationConfig()) == ()
    for start, end in ((2.0, 1.0), (-1.0, 1.0), (0.0, float("nan"))):
        with pytest.raises(DataError):
            Segment(start, end, "wrong")


def test_interventions_are_known_for_each_step():
    steps = np.arange(0, 100, 10)
    found = intervention_steps(steps, np.array([25, 60]), np.array([True, False]))
    assert steps[found].tolist() == [30, 40, 50]
    assert not intervention_steps(steps, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool)).any()


def clock_at(pace, readings=50):
    time = SimulatedTime()
    for k in range(readings):
        time.note(1_000 * MS + round(4 * MS * k / pace), 4 * MS * k)
    return time


@given(st.floats(0.1, 3.0), st.floats(0.0, 49.0))
def test_a_message_gets_the_time_that_the_simulator_showed_when_it_came(pace, ticks):
    came = 1_000 * MS + round(4 * MS * ticks / pace)
    assert clock_at(pace).at(came) == pytest.approx(4 * MS * ticks, abs=100)


def test_a_clock_that_was_last_heard_long_ago_is_not_taken_to_have_gone_on():
    time = clock_at(1.0)
    assert time.at(1_196 * MS + 3 * MS) == pytest.approx(199 * MS, abs=100)
    assert time.at(1_196 * MS + 900 * MS) == 216 * MS


def test_messages_keep_their_order_though_the_clock_turns_out_to_have_gone_slower():
    time = clock_at(2.0)
    first = time.at(1_110 * MS)
    time.note(1_111 * MS, 201 * MS)
    assert first is not None and time.at(1_110 * MS + 1) < first  # type: ignore[operator]
    assert time.at(1_110 * MS + 1, first) == first
    assert time.at(1_200 * MS, first) > first  # type: ignore[operator]


def test_a_clock_that_was_set_back_begins_anew_and_nothing_is_told_of_before():
    time = clock_at(1.0)
    time.note(1_300 * MS, 0)
    assert time.at(1_299 * MS) is None
    assert time.at(1_300 * MS) == 0
    assert SimulatedTime().at(5) is None
