// SPDX-License-Identifier: Apache-2.0
// Cards of the console, and the line in which the server answers.

import { h } from '../parts/dom';
import type { Session } from '../parts/session';
import type { Answer } from '../link/messages';

/** Make a card with a heading. */
export function card(id: string, title: string, ...children: (Node | string)[]): HTMLElement {
  const heading = h('h2', { id: `${id}-title` }, title);
  return h('section', { class: 'card', id, 'aria-labelledby': `${id}-title` }, heading, ...children);
}

/** Make a card that can be folded away, open or closed at first. */
export function foldable(id: string, title: string, open: boolean, ...children: (Node | string)[]): HTMLElement {
  return h('details', { class: 'card', id, open }, h('summary', {}, h('h2', {}, title)), ...children);
}

/** Notices and answers, newest first, which fade by themselves. */
export class Notices {
  readonly element = h('div', { class: 'notices', role: 'log', 'aria-live': 'polite', 'aria-label': 'Messages' });

  constructor(session: Session) {
    session.connection.on('notice', ({ level, text }) => this.tell(level, text));
    session.connection.on('error', ({ text }) => this.tell('error', text));
  }

  /** Show what a request was answered, where there is something to say. */
  answer(answer: Answer): Answer {
    if (answer.text) this.tell(answer.ok ? 'info' : 'error', answer.text);
    return answer;
  }

  /** Show a line. */
  tell(level: 'info' | 'warning' | 'error', text: string): void {
    const line = h('p', { class: `notice ${level}` }, text);
    this.element.prepend(line);
    while (this.element.children.length > 3) this.element.lastElementChild?.remove();
    setTimeout(() => line.remove(), level === 'info' ? 5000 : 12000);
  }
}
