// SPDX-License-Identifier: Apache-2.0
// Who is there: one operator, viewers; handing over; pairing codes for further devices.

import { button, fill, h } from '../parts/dom';
import type { Known, Session } from '../parts/session';
import type { Answer, Person, Seat } from '../link/messages';
import { foldable, type Notices } from './panels';

/** Make the card. */
export function peoplePanel(session: Session, notices: Notices): HTMLElement {
  const tell = (type: string, fields: Record<string, unknown> = {}) =>
    session.connection.ask(type, fields).then((answer) => notices.answer(answer));
  const list = h('ul', { class: 'people' });
  const code = h('div', { class: 'code', role: 'status' });
  const leave = button('Give up control', () => void tell('role', { want: 'viewer' }), { id: 'leave' });
  const invite = button('Add a device', () => void session.connection.ask('code').then((answer) => showCode(code, answer)), { id: 'invite' });
  const element = foldable('people', 'People', false, list, h('div', { class: 'row' }, invite, leave), code);
  const heading = element.querySelector('h2');
  session.watch(({ seat, welcome }: Known) => {
    if (!seat) return;
    leave.hidden = invite.hidden = !session.operates;
    if (heading) heading.textContent = `People · ${seat.clients.length}`;
    fill(list, JSON.stringify([seat, welcome?.client]), () =>
      seat.clients.map((one) => person(one, seat, welcome?.client ?? -1, (to) => void tell('hand_over', { to }))),
    );
  });
  return element;
}

function person(one: Person, seat: Seat, me: number, handOver: (to: number) => void): HTMLElement {
  const operates = one.client === seat.operator;
  const role = h('span', { class: operates ? 'role operator' : 'role' }, operates ? 'operator' : 'viewer');
  const name = h('span', { class: 'who' }, one.name + (one.client === me ? ' (this page)' : one.kind === 'vr' ? ' (headset)' : ''));
  const may = seat.you === 'operator' && !operates;
  return h('li', {}, name, role, may && button('Hand over', () => handOver(one.client), { 'aria-label': `Hand over to ${one.name}` }));
}

function showCode(element: HTMLElement, answer: Answer): void {
  if (!answer.ok) return element.replaceChildren(h('p', {}, answer.text));
  const picture = answer.svg && h('img', { src: `data:image/svg+xml,${encodeURIComponent(answer.svg)}`, alt: `QR code of ${answer.url ?? ''}` });
  const words = h('p', {}, 'Point the device’s camera here, or open ', h('br'), h('code', {}, (answer.url ?? '').split('#')[0] ?? ''));
  element.replaceChildren(...[picture, words, h('p', { class: 'big-code' }, answer.code ?? ''), h('p', { class: 'fine' }, answer.text)].filter((one) => one instanceof Node));
}
