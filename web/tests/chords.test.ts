// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Controller } from '../src/link/codec';
import { Chords } from '../src/vr/chords';

const A = 1 << 4;
const B = 1 << 5;
const hold = (buttons: number): Controller => ({ grip: [], buttons, trigger: 0, squeeze: 0, stickX: 0, stickY: 0, emulated: false });

function play(...steps: [left: number, right: number, time: number][]): string[] {
  const chords = new Chords();
  return steps.map(([left, right, time]) => chords.take(hold(left), hold(right), time) ?? '-');
}

describe('chords', () => {
  it('stop on both face buttons of either controller, once', () => {
    expect(play([0, B, 0], [0, A | B, 10], [0, A | B, 20])).toEqual(['-', 'estop', '-']);
    expect(play([A | B, 0, 0], [0, 0, 10])).toEqual(['estop', '-']);
  });

  it('ask for nothing else after a stop, in whatever order the buttons come up', () => {
    expect(play([0, B, 0], [0, A | B, 10], [0, B, 20], [0, 0, 30])).toEqual(['-', 'estop', '-', '-']);
    expect(play([0, A | B, 0], [0, A, 10], [0, 0, 20])).toEqual(['estop', '-', '-']);
  });

  it('record on B alone and fail on Y alone, when let go', () => {
    expect(play([0, B, 0], [0, B, 10], [0, 0, 20])).toEqual(['-', '-', 'record']);
    expect(play([B, 0, 0], [0, 0, 10])).toEqual(['-', 'fail']);
  });

  it('release the stop only after A and X were held, once', () => {
    expect(play([A, A, 0], [A, A, 1000], [A, A, 1600], [A, A, 4000])).toEqual(['-', '-', 'reset', '-']);
    expect(play([A, A, 0], [0, A, 1000], [A, A, 1600])).toEqual(['-', '-', '-']);
  });

  it('are silent without controllers', () => {
    expect(new Chords().take(null, null, 0)).toBeNull();
  });
});
