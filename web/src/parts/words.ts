// SPDX-License-Identifier: Apache-2.0
// What statuses are called and drawn as; the sentences for reasons come from the server.

import type { Engage } from '../link/messages';

export type Tone = 'calm' | 'good' | 'care' | 'held' | 'stop';

export interface Phrase {
  /** A few words, to be read at arm's length. */
  title: string;
  tone: Tone;
  /** A shape that tells the tone without colour. */
  shape: string;
}

const STATUS: Record<string, Phrase> = {
  standby: { title: 'Ready, nobody moves it', tone: 'calm', shape: 'ring' },
  following: { title: 'Following', tone: 'good', shape: 'play' },
  limited: { title: 'Following, within limits', tone: 'care', shape: 'triangle' },
  holding: { title: 'Holding still', tone: 'held', shape: 'pause' },
  stopping: { title: 'Stopping', tone: 'stop', shape: 'octagon' },
  stopped: { title: 'Stopped', tone: 'stop', shape: 'octagon' },
};

const UNKNOWN: Phrase = { title: 'No word from the robot', tone: 'held', shape: 'pause' };

/** Return how to show a verdict's status; an unknown or missing one is told as silence. */
export function statusPhrase(status: string | undefined): Phrase {
  return (status && STATUS[status.toLowerCase()]) || UNKNOWN;
}

/** Return a joint's name without the suffix that all joints have, e.g. `left elbow`. */
export function jointWords(name: string): string {
  return name.replace(/_joint$/, '').replaceAll('_', ' ');
}

/** Return how far the gripped hand is turned from the robot's, e.g. ` 63° off`; empty where that is not known. */
export function mismatchWords(engage: Engage | null): string {
  const angles = Object.values(engage?.hands ?? {}).flatMap(({ clutched, angle }) => (clutched && angle !== null ? [angle] : []));
  return angles.length ? ` ${degreesWords(Math.max(...angles))} off` : '';
}

/** Return an angle [rad] in whole degrees. */
export function degreesWords(angle: number): string {
  return `${Math.round((angle * 180) / Math.PI)}°`;
}

/** Return a length of time, e.g. `1:05`. */
export function clockWords(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** Return milliseconds as they are shown; a dash for what is not known. */
export function msWords(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}
