// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { EpisodeSeries } from '../src/console/series';
import type { RobotFrame } from '../src/link/codec';

const frame = (time: number, recording: boolean, joints: number[], status = 1): RobotFrame => ({
  status, engage: 2, seq: 0, time, estop: false, recording, policy: false, base: new Float32Array(7),
  measured: Float32Array.from(joints), target: null, flags: new Uint8Array(joints.length),
});

describe('series of an episode', () => {
  it('keeps what passes while it is recorded, from its own beginning', () => {
    const series = new EpisodeSeries();
    series.take(frame(0, false, [0]));
    series.take(frame(1000, true, [0]));
    series.take(frame(1500, true, [0.1]));
    series.take(frame(2000, false, [0.2]));
    expect(series.samples.map((sample) => sample.time)).toEqual([0, 0.5]);
    series.take(frame(9000, true, [0]));
    expect(series.samples.length).toBe(1);
  });

  it('finds the joints that moved most, and leaves still ones out', () => {
    const series = new EpisodeSeries();
    series.take(frame(0, true, [0, 0, 0, NaN]));
    series.take(frame(100, true, [0.2, 0.5, 0.001, NaN]));
    expect(series.liveliest(3)).toEqual([1, 0]);
  });

  it('tells how long each verdict lasted', () => {
    const series = new EpisodeSeries();
    [1, 1, 3, 3].forEach((status, i) => series.take(frame(i * 1000, true, [0], status)));
    expect([...series.shares()]).toEqual([[1, 2], [3, 1]]);
  });
});
