// SPDX-License-Identifier: Apache-2.0
// What combinations of buttons mean in the headset.

import type { Controller } from '../link/codec';

export type Chord = 'estop' | 'reset' | 'record' | 'fail';

const LOWER = 1 << 4; // A or X
const UPPER = 1 << 5; // B or Y
const BOTH = LOWER | UPPER;
const HOLD = 1500; // [ms] that a stop's release must be asked for

/** Recognises chords from sample to sample. */
export class Chords {
  private stopped = false;
  private alone = { left: false, right: false };
  private last = { left: 0, right: 0 };
  private since: number | null = null;
  private done = false;

  /** Share of the time that a release of the stop was asked for so far, 0 to 1. */
  releasing = 0;

  /**
   * Take a sample's buttons in, and return what was asked for.
   *
   * Both face buttons of one controller: emergency stop. A and X together, held: release of the stop. B alone, when
   * let go: start an episode or save it as worked; Y alone: save it as failed.
   */
  take(left: Controller | null, right: Controller | null, now: number): Chord | null {
    const l = (left?.buttons ?? 0) & BOTH;
    const r = (right?.buttons ?? 0) & BOTH;
    const pressed = l === BOTH || r === BOTH;
    const stop = pressed && !this.stopped;
    this.stopped = pressed;
    if (pressed) {
      this.alone = { left: false, right: false };
      this.last = { left: l, right: r };
      return stop ? 'estop' : null;
    }
    return this.release(l === LOWER && r === LOWER, now) ?? this.tap('right', r, 'record') ?? this.tap('left', l, 'fail');
  }

  private release(held: boolean, now: number): Chord | null {
    if (!held) {
      this.since = null;
      this.done = false;
      this.releasing = 0;
      return null;
    }
    this.since ??= now;
    this.releasing = Math.min(1, (now - this.since) / HOLD);
    if (this.releasing < 1 || this.done) return null;
    this.done = true;
    return 'reset';
  }

  private tap(side: 'left' | 'right', bits: number, chord: Chord): Chord | null {
    const tapped = this.alone[side] && bits === 0;
    this.alone[side] = bits === UPPER && (this.alone[side] || this.last[side] === 0);
    this.last[side] = bits;
    return tapped ? chord : null;
  }
}
