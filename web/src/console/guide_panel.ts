// SPDX-License-Identifier: Apache-2.0
// The card that says what to do next, and does it on one button.

import { button, fill, h, setText } from '../parts/dom';
import type { Session } from '../parts/session';
import { shape } from '../parts/shapes';
import { advise, STEPS, type Action } from './guide';
import type { Notices } from './panels';

/** Make the card; `record` starts an episode with the text that was typed. */
export function guidePanel(session: Session, notices: Notices, record: () => void): HTMLElement {
  const list = h('ol', { class: 'steps', 'aria-label': 'Steps' });
  const title = h('h2', { id: 'next-title' });
  const text = h('p', {});
  const act = button('', () => run(session, notices, action, record), { class: 'primary', id: 'next-action' });
  const words = h('div', { role: 'status', 'aria-live': 'polite' }, title, text);
  const element = h('section', { class: 'card next', id: 'next', 'aria-labelledby': 'next-title' }, list, words, act);
  let action: Action = 'none';
  let moved = false;
  session.watch((known) => {
    moved ||= known.engage?.state === 'engaged';
    const advice = advise(known, moved);
    const urgent = advice.step < 0 && advice.action !== action;
    action = advice.action;
    setText(title, advice.title);
    setText(text, advice.text);
    setText(act, advice.label ?? '');
    act.hidden = action === 'none';
    fill(list, String(advice.step), () => STEPS.map((name, i) => step(name, i, advice.step)));
    list.hidden = advice.step < 0;
    if (urgent) element.scrollIntoView({ block: 'center' });
  });
  return element;
}

function step(name: string, i: number, now: number): HTMLElement {
  const state = i < now ? 'done' : i === now ? 'now' : 'later';
  const mark = state === 'done' ? shape('tick') : h('span', {}, String(i + 1));
  return h('li', { class: state, 'aria-current': state === 'now' ? 'step' : undefined }, mark, name);
}

function run(session: Session, notices: Notices, action: Action, record: () => void): void {
  const { connection, known } = session;
  const tell = (type: string, fields: Record<string, unknown>) => void connection.ask(type, fields).then((a) => notices.answer(a));
  if (action === 'take') tell('role', { want: 'operator' });
  else if (action === 'hand_over' && known.request) tell('hand_over', { to: known.request.client });
  else if (action === 'reset') tell('reset', {});
  else if (action === 'engage') tell('engage', { on: true });
  else if (action === 'record') record();
}
