// SPDX-License-Identifier: Apache-2.0
// What to do next, from what is known: the console leads a newcomer through it step by step.

import type { Known } from '../parts/session';

export const STEPS = ['Take control', 'Try it', 'Record', 'Save'] as const;

/** What the one button of a step does. */
export type Action = 'reset' | 'take' | 'hand_over' | 'engage' | 'record' | 'none';

export interface Advice {
  /** Which of `STEPS` this belongs to; -1 beside them. */
  step: number;
  title: string;
  text: string;
  action: Action;
  label?: string;
}

/** Sources that a person drives from a page: headset, gamepad, keyboard, touch. */
export function drivenByPage(source: string | undefined): boolean {
  return source === 'vr' || source === 'gamepad' || source === 'keyboard';
}

/** Return the next step; `moved` is whether the robot followed since this page was opened. */
export function advise(known: Known, moved: boolean): Advice {
  return trouble(known) ?? seat(known) ?? recording(known) ?? trying(known, moved) ?? again(known);
}

function trouble({ link, verdict, seat: s }: Known): Advice | null {
  if (link.name !== 'online') {
    return { step: -1, title: 'Reconnecting', text: 'The robot holds by itself. Nothing moves until you engage anew.', action: 'none' };
  }
  if (verdict?.status !== 'stopped' && verdict?.status !== 'stopping') return null;
  const title = 'The robot is stopped';
  const holder = s?.clients.find((one) => one.client === s.operator);
  if (s?.you !== 'operator') {
    const told = holder ? `${holder.name} operates it and can release the stop.` : 'Nobody operates it. To release the stop, take control first.';
    return { step: -1, title, text: told, action: 'take', label: holder ? 'Ask for control' : 'Take control' };
  }
  const text = 'Look at the robot and find the cause. Then release the stop; the robot keeps still until you engage.';
  return { step: -1, title, text, action: 'reset', label: 'Release the stop' };
}

function seat({ seat: s, request }: Known): Advice | null {
  if (!s) return { step: 0, title: 'One moment', text: 'The server tells who is there.', action: 'none' };
  if (s.you === 'operator') {
    if (!request) return null;
    const text = `${request.name} wants to operate the robot. Hand over only if you see each other.`;
    return { step: -1, title: 'Somebody asks for control', text, action: 'hand_over', label: `Hand over to ${request.name}` };
  }
  const holder = s.clients.find((one) => one.client === s.operator);
  if (!holder) {
    const text = 'You see everything and can stop the robot at any time. To move it and to record, take control.';
    return { step: 0, title: 'Take control', text, action: 'take', label: 'Take control' };
  }
  const text = `${holder.name} operates the robot. You watch, and can stop it at any time.`;
  return { step: 0, title: 'You are watching', text, action: 'take', label: 'Ask for control' };
}

function recording({ episode, welcome }: Known): Advice | null {
  if (!episode?.recording) return null;
  const how = drivenByPage(welcome?.source) ? 'Hold the pad (or the headset’s grip) and show the skill.' : 'Show the skill.';
  return { step: 3, title: 'Show it, then save', text: `${how} Then press “It worked” or “It failed” below.`, action: 'none' };
}

function trying({ engage, welcome, episode }: Known, moved: boolean): Advice | null {
  if (moved || (episode?.saved ?? 0) > 0) return null;
  if (engage?.state === 'lost') {
    return { step: 1, title: 'Let go, then hold again', text: engage.text || 'The connection to your hand was lost.', action: 'none' };
  }
  if (drivenByPage(welcome?.source)) {
    const text = 'Hold the pad below and drag: the robot’s hand follows. Let go and it stops. Keys work too: hold W A S D, R F.';
    return { step: 1, title: 'Move the robot’s hand', text, action: 'none' };
  }
  const text = 'The source is ready. Nothing moves before you engage it.';
  return { step: 1, title: 'Engage the source', text, action: 'engage', label: 'Engage' };
}

function again({ episode }: Known): Advice {
  if (episode && !episode.available) {
    const text = 'You can move the robot. To record what you show, start the recorder too (kata launch parts/recorder).';
    return { step: 2, title: 'No recorder is running', text, action: 'none' };
  }
  const first = !episode?.saved;
  const text = 'Say what the skill is, then start. Everything the robot sees and does is stored.';
  return { step: 2, title: first ? 'Record your first episode' : 'Saved. Record the next one', text, action: 'record', label: 'Start recording' };
}
