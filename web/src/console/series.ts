// SPDX-License-Identifier: Apache-2.0
// What the robot did during an episode, as it passed by here: for the plots, the bag has it all.

import type { RobotFrame } from '../link/codec';

const MOST = 30 * 600; // samples kept of an episode: ten minutes at 30 Hz

export interface Sample {
  /** Since the episode began [s]. */
  time: number;
  status: number;
  measured: Float32Array;
  target: Float32Array | null;
}

/** Samples of the running or last episode. */
export class EpisodeSeries {
  samples: Sample[] = [];
  marks: number[] = [];
  private began = 0;
  private recording = false;

  /** Take a frame of the robot in; a new episode clears what was. */
  take(frame: RobotFrame): void {
    if (frame.recording && !this.recording) {
      this.samples = [];
      this.marks = [];
      this.began = frame.time;
    }
    this.recording = frame.recording;
    if (!frame.recording || this.samples.length >= MOST) return;
    this.samples.push({ time: (frame.time - this.began) / 1000, status: frame.status, measured: frame.measured, target: frame.target });
  }

  /** Note a mark at the newest sample. */
  mark(): void {
    const last = this.samples.at(-1);
    if (last) this.marks.push(last.time);
  }

  /** Indices of the joints that moved most, the largest range first. */
  liveliest(count: number): number[] {
    const n = this.samples[0]?.measured.length ?? 0;
    const ranges = Array.from({ length: n }, (_, joint) => {
      const values = this.samples.map((sample) => sample.measured[joint] ?? NaN).filter(Number.isFinite);
      return values.reduce((most, value) => Math.max(most, value), -Infinity) - values.reduce((least, value) => Math.min(least, value), Infinity);
    });
    return ranges
      .map((range, joint) => ({ range, joint }))
      .filter(({ range }) => range > 0.01)
      .sort((a, b) => b.range - a.range)
      .slice(0, count)
      .map(({ joint }) => joint);
  }

  /** Seconds by status: how much of the episode the robot followed, was limited, held, was stopped. */
  shares(): Map<number, number> {
    const shares = new Map<number, number>();
    this.samples.forEach((sample, i) => {
      const until = this.samples[i + 1]?.time ?? sample.time;
      shares.set(sample.status, (shares.get(sample.status) ?? 0) + until - sample.time);
    });
    return shares;
  }
}
