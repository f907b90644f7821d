// SPDX-License-Identifier: Apache-2.0
// The verdict, to be read at arm's length: shape, words, colour; below it why.

import { fill, h, setText } from '../parts/dom';
import { shape } from '../parts/shapes';
import type { Known, Session } from '../parts/session';
import { jointWords, mismatchWords, statusPhrase } from '../parts/words';

const MOST_JOINTS = 4;

/** Make the banner that follows the session. */
export function banner(session: Session): HTMLElement {
  const sign = h('span', { class: 'sign' });
  const title = h('strong', { class: 'verdict-title' });
  const reasons = h('span', { class: 'verdict-reasons' });
  const clutch = h('span', { class: 'clutch' });
  const words = h('div', { class: 'verdict-words', role: 'status', 'aria-live': 'polite' }, title, reasons);
  const element = h('section', { class: 'banner', id: 'verdict', 'aria-label': 'What the robot does' }, sign, words, clutch);
  session.watch((known) => {
    const { verdict } = known;
    const online = known.link.name === 'online';
    const phrase = statusPhrase(online ? verdict?.status : undefined);
    element.dataset['tone'] = phrase.tone;
    element.dataset['status'] = online ? (verdict?.status ?? '') : '';
    fill(sign, phrase.shape, () => [shape(phrase.shape)]);
    setText(title, online ? phrase.title : 'Not connected');
    setText(reasons, online ? whyWords(known) : 'The robot holds by itself and stops if nobody comes back.');
    showClutch(clutch, known);
  });
  return element;
}

function whyWords({ verdict, engage }: Known): string {
  if (!verdict) return '';
  const joints = verdict.joints.slice(0, MOST_JOINTS).map(jointWords).join(', ');
  const more = verdict.joints.length > MOST_JOINTS ? ` and ${verdict.joints.length - MOST_JOINTS} more` : '';
  const told = verdict.words.length ? verdict.words.join(' ') : (engage?.text ?? '');
  return [told, joints && `(${joints}${more})`].filter(Boolean).join(' ');
}

const CLUTCH = {
  disengaged: ['ring', 'Disengaged'],
  arming: ['triangle', 'Arming'],
  engaged: ['hand', 'Engaged'],
  lost: ['cross', 'Lost'],
} as const;

function showClutch(element: HTMLElement, { engage, link }: Known): void {
  const state = link.name === 'online' ? (engage?.state ?? 'disengaged') : 'lost';
  const [sign, word] = CLUTCH[state];
  const angle = state === 'arming' ? mismatchWords(engage) : '';
  element.dataset['state'] = state;
  element.id = 'engage-state';
  fill(element, state + angle, () => [shape(sign), h('span', {}, word + angle)]);
}
