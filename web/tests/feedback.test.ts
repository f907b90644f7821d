// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { cueOf } from '../src/vr/feedback';

const at = (status: string, engage = 'engaged', recording = false) => ({ status, engage, recording });

describe('cues', () => {
  it('tell a stop whatever else changes, and only once', () => {
    expect(cueOf(at('following'), at('stopping', 'lost'))).toBe('stopped');
    expect(cueOf(at('stopping'), at('stopped', 'disengaged'))).toBe('');
  });

  it('tell engaging, letting go and losing', () => {
    expect(cueOf(at('holding', 'disengaged'), at('holding', 'arming'))).toBe('');
    expect(cueOf(at('holding', 'arming'), at('following'))).toBe('engaged');
    expect(cueOf(at('following'), at('following', 'disengaged'))).toBe('disengaged');
    expect(cueOf(at('holding', 'lost'), at('holding', 'disengaged'))).toBe('');
    expect(cueOf(at('following'), at('following', 'lost'))).toBe('lost');
  });

  it('tell limits and holds only while engaged', () => {
    expect(cueOf(at('following'), at('limited'))).toBe('limited');
    expect(cueOf(at('limited'), at('holding'))).toBe('holding');
    expect(cueOf(at('standby', 'disengaged'), at('holding', 'disengaged'))).toBe('');
  });

  it('tell the begin and end of an episode', () => {
    expect(cueOf(at('following'), at('following', 'engaged', true))).toBe('recording');
    expect(cueOf(at('following', 'engaged', true), at('following'))).toBe('saved');
  });
});
