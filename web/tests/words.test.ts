// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Engage } from '../src/link/messages';
import { mismatchWords } from '../src/parts/words';

function engage(hands: Engage['hands']): Engage {
  return { state: 'arming', source: 'vr', cause: '', text: '', mode: 'hold', scale: 1, precise: false, hands };
}

describe('the mismatch', () => {
  it('is that of the gripped hand which is turned farthest', () => {
    const right = { tracked: true, clutched: true, angle: 1.1 };
    expect(mismatchWords(engage({ right_hand: right, left_hand: { tracked: true, clutched: false, angle: 3 } }))).toBe(' 63° off');
    expect(mismatchWords(engage({ right_hand: right, left_hand: { tracked: true, clutched: true, angle: 2 } }))).toBe(' 115° off');
  });

  it('is not told where it is not known', () => {
    expect(mismatchWords(null)).toBe('');
    expect(mismatchWords(engage({ right_hand: { tracked: false, clutched: true, angle: null } }))).toBe('');
  });
});
