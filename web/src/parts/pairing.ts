// SPDX-License-Identifier: Apache-2.0
// The first screen: a one-time code; also shown when this page was opened elsewhere.

import { h, setText } from './dom';
import type { Known, Session } from './session';

/** Make the screen; it is there only while the page is not paired. */
export function pairing(session: Session): HTMLElement {
  const code = h('input', {
    id: 'code',
    type: 'text',
    autocomplete: 'one-time-code',
    autocapitalize: 'characters',
    spellcheck: 'false',
    maxlength: 12,
    'aria-describedby': 'pairing-text',
    required: true,
  });
  const text = h('p', { id: 'pairing-text', class: 'pairing-text', role: 'alert' });
  const form = h('form', {
    onsubmit: (event: SubmitEvent) => {
      event.preventDefault();
      session.connection.pair(code.value);
    },
  });
  form.append(
    h('label', { for: 'code' }, 'Pairing code'),
    code,
    h('button', { type: 'submit', class: 'primary', id: 'pair' }, 'Pair this device'),
    h('p', { class: 'fine' }, 'The code stands in the terminal where the robot was started, below its QR code. A console that is paired shows a new one under People, “Add a device”.'),
  );
  const again = h('button', { type: 'button', class: 'primary', onclick: () => session.connection.resume() }, 'Use this page');
  const title = h('h1', {}, 'Kata');
  const box = h('main', { class: 'pairing' }, title, text, form, again);
  const element = h('div', { class: 'screen', id: 'pairing' }, box);
  session.watch(({ link }: Known) => {
    const replaced = link.name === 'replaced';
    const shown = link.name === 'unpaired' || replaced;
    const appears = shown && element.hidden;
    element.hidden = !shown;
    form.hidden = replaced;
    again.hidden = !replaced;
    setText(text, replaced ? 'This session goes on in another window.' : link.name === 'unpaired' ? link.text || 'Teach the robot by showing. Pair this device first.' : '');
    if (appears && !replaced) code.focus();
  });
  return element;
}

/** Return how this device introduces itself to others. */
export function deviceName(): string {
  const agent = navigator.userAgent;
  const known = [
    [/Quest/, 'Quest'],
    [/Pico/i, 'Pico'],
    [/Vision/, 'Vision Pro'],
    [/iPhone/, 'iPhone'],
    [/iPad/, 'iPad'],
    [/Android/, 'Android'],
    [/Macintosh/, 'Mac'],
    [/Windows/, 'Windows'],
    [/Linux/, 'Linux'],
  ] as const;
  return known.find(([pattern]) => pattern.test(agent))?.[1] ?? 'Browser';
}
