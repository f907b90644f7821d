// SPDX-License-Identifier: Apache-2.0
// The emergency stop: one large button, the space bar and Escape; what it shows is what safety confirmed.

import { button, h, setText, typing } from './dom';
import { shape } from './shapes';
import type { Known, Session } from './session';

const PATIENCE = 700; // [ms] until a press that nobody confirmed is called so

/** The button, and the line below it. */
export class StopButton {
  readonly element: HTMLElement;
  private readonly press: HTMLButtonElement;
  private readonly word = h('span', { class: 'stop-word' }, 'STOP');
  private readonly hint = h('span', { class: 'stop-hint' }, 'Space or Esc');
  private readonly state = h('p', { class: 'stop-state', role: 'alert' });

  constructor(private readonly session: Session) {
    this.press = button('', () => session.estop(), { class: 'stop', id: 'estop', 'aria-describedby': 'estop-state' });
    this.press.append(shape('octagon'), h('span', { class: 'stop-words' }, this.word, this.hint));
    this.state.id = 'estop-state';
    this.element = h('section', { class: 'stop-box', 'aria-label': 'Emergency stop' }, this.press, this.state);
    addEventListener('keydown', (event) => this.key(event), { capture: true });
    session.watch((known) => this.show(known));
    setInterval(() => this.show(session.known), 200);
  }

  private key(event: KeyboardEvent): void {
    const text = event.code === 'Space' && typing(event.target);
    if ((event.code !== 'Escape' && event.code !== 'Space') || text || event.repeat) return;
    if (this.session.known.link.name === 'unpaired') return;
    event.preventDefault();
    event.stopPropagation();
    this.session.estop();
  }

  private show(known: Known): void {
    const stopped = known.verdict?.status === 'stopped' || known.verdict?.status === 'stopping';
    const latched = known.link.name === 'online' && (stopped || known.verdict?.estop === true);
    this.press.classList.toggle('latched', latched);
    setText(this.word, latched ? 'STOPPED' : 'STOP');
    setText(this.hint, latched ? 'latched until released' : 'Space or Esc');
    this.press.setAttribute('aria-label', latched ? 'Emergency stop, the robot is stopped' : 'Emergency stop');
    const text = this.text(known, latched);
    setText(this.state, text);
    this.state.hidden = !text;
    this.element.classList.toggle('unsure', Boolean(text) && !latched);
  }

  private text(known: Known, latched: boolean): string {
    if (known.link.name !== 'online') return 'Not connected: this button cannot reach the robot. Use the hardware stop.';
    if (latched || known.pressedAt === null) return '';
    const waited = performance.now() - known.pressedAt;
    return waited < PATIENCE ? 'Stopping…' : 'Pressed, but the robot has not confirmed. Use the hardware stop.';
  }
}
