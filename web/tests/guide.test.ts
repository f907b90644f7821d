// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { advise } from '../src/console/guide';
import type { Known } from '../src/parts/session';

const CLIENTS = [
  { client: 1, name: 'laptop', kind: 'console' },
  { client: 2, name: 'Quest', kind: 'vr' },
];
const EPISODE = {
  recording: false, available: true, task: '', path: '', saved: 0, discarded: 0, messages: 0,
  marks: 0, lost: 0, note: '', grade: '', reasons: [], seconds: 0,
};
const WELCOME = { client: 1, token: '', name: 'laptop', robot: 'g1', source: 'vr', mode: 'hold' as const, hands: [], times: { hold_ms: 80, lost_ms: 500, stop_ms: 300 } };

function known(change: Partial<Known> = {}): Known {
  return {
    link: { name: 'online' },
    welcome: WELCOME,
    seat: { operator: 1, you: 'operator', clients: CLIENTS },
    engage: null,
    verdict: { status: 'holding', reasons: [], words: [], joints: [], estop: false },
    episode: EPISODE,
    policy: null,
    latency: null,
    request: null,
    pressedAt: null,
    ...change,
  };
}

describe('advice', () => {
  it('leads to control whoever meets a robot that is stopped', () => {
    const stopped = { verdict: { status: 'stopped', reasons: [], words: [], joints: [], estop: false } };
    const ways = (operator: number | null, you: 'operator' | 'viewer') => advise(known({ ...stopped, seat: { operator, you, clients: CLIENTS } }), false);
    expect([ways(1, 'operator').action, ways(null, 'viewer').action, ways(2, 'viewer').label]).toEqual(['reset', 'take', 'Ask for control']);
  });

  it('leads a newcomer from control over trying and recording to saving', () => {
    const free = known({ seat: { operator: null, you: 'viewer', clients: CLIENTS } });
    const recording = known({ episode: { ...EPISODE, recording: true } });
    expect([advise(free, false), advise(known(), false), advise(known(), true), advise(recording, true)].map((a) => a.step)).toEqual([0, 1, 2, 3]);
    expect(advise(free, false).action).toBe('take');
    expect(advise(known(), true).action).toBe('record');
  });

  it('puts a stop before everything but a lost connection', () => {
    const verdict = { status: 'stopped', reasons: [], words: [], joints: [], estop: true };
    expect(advise(known({ verdict }), false).action).toBe('reset');
    expect(advise(known({ verdict, link: { name: 'offline', since: 0 } }), false).title).toBe('Reconnecting');
  });

  it('names who operates, and whom to hand over to', () => {
    const watching = known({ seat: { operator: 2, you: 'viewer', clients: CLIENTS } });
    expect(advise(watching, false).text).toContain('Quest');
    const asked = known({ request: { client: 2, name: 'Quest' } });
    expect(advise(asked, true)).toMatchObject({ action: 'hand_over', label: 'Hand over to Quest' });
  });

  it('engages a source that is not driven from the page', () => {
    expect(advise(known({ welcome: { ...WELCOME, source: 'mocap' } }), false).action).toBe('engage');
  });

  it('says so where no recorder runs', () => {
    expect(advise(known({ episode: { ...EPISODE, available: false } }), true).title).toBe('No recorder is running');
  });
});
