// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Press } from '../src/link/press';

describe('a press of the stop', () => {
  let sent: number[];
  let online: boolean;
  let press: Press;

  beforeEach(() => {
    vi.useFakeTimers();
    sent = [];
    online = true;
    press = new Press((number) => {
      if (online) sent.push(number);
      return online;
    });
  });
  afterEach(() => vi.useRealTimers());

  it('is repeated under its number until it is confirmed', () => {
    expect(press.begin(7)).toBe(true);
    vi.advanceTimersByTime(1000);
    expect(sent).toEqual([7, 7, 7, 7, 7, 7]);
    press.answered(7, true);
    vi.advanceTimersByTime(1000);
    expect(sent).toHaveLength(6);
    expect(press.waits).toBe(false);
  });

  it('goes on when the robot has not confirmed, and when another press was', () => {
    press.begin(7);
    press.answered(7, false);
    press.answered(6, true);
    expect(press.waits).toBe(true);
    vi.advanceTimersByTime(200);
    expect(sent).toEqual([7, 7]);
  });

  it('is sent as soon as there is a socket again', () => {
    online = false;
    expect(press.begin(7)).toBe(false);
    vi.advanceTimersByTime(5000);
    online = true;
    press.again();
    expect(sent).toEqual([7]);
  });

  it('is given up by a reset', () => {
    press.begin(7);
    press.end();
    press.again();
    vi.advanceTimersByTime(1000);
    expect(sent).toEqual([7]);
  });
});
