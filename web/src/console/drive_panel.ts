// SPDX-License-Identifier: Apache-2.0
// The cards to move a hand with: a pad to hold and drag, engage state, mismatch; folded away: scale, what keys and gamepad do.

import { button, fill, h, setText } from '../parts/dom';
import type { Known, Session } from '../parts/session';
import { degreesWords } from '../parts/words';
import { drivenByPage } from './guide';
import { Drive, type Side } from './drive';
import { card, foldable, type Notices } from './panels';

const SCALES = [0.25, 0.5, 1, 2];

/** Make the cards: what is held, and what is set. */
export function drivePanel(session: Session, notices: Notices): { driving: HTMLElement; settings: HTMLElement } {
  const drive = new Drive(session.connection, () => session.estop());
  const sides = sideChoice(drive);
  const pad = dragPad(drive);
  const lifts = h('div', { class: 'lifts' }, lift(drive, 1, 'Up'), lift(drive, -1, 'Down'));
  const keys = h('p', { class: 'fine keys' });
  const page = h('div', { class: 'drive' }, sides, h('div', { class: 'pads' }, pad, lifts));
  const hands = h('p', { class: 'hands', id: 'hands' });
  const engage = engageButtons(session, notices);
  const scale = scaleChoice(session, notices);
  const driving = card('drive', 'Move', hands, page, engage.element);
  const settings = foldable('settings', 'Scale, keys, gamepad', false, scale.element, keys);
  session.watch((known) => {
    const byPage = drivenByPage(known.welcome?.source);
    drive.enabled = session.operates && byPage;
    page.hidden = keys.hidden = !byPage;
    page.inert = !drive.enabled;
    driving.classList.toggle('off', !session.operates);
    engage.show(known);
    scale.show(known);
    setText(hands, handWords(known));
    setText(keys, drive.gamepad ? `Gamepad: hold R1 or L1 and use the sticks. (${drive.gamepad})` : KEYS);
  });
  return { driving, settings };
}

const KEYS = 'Keys, while held: W S forward, back · A D left, right · R F up, down · Q E turn · Shift slow. A gamepad works as well.';

function handWords({ engage }: Known): string {
  if (!engage) return '';
  const names = Object.entries(engage.hands).map(([name, hand]) => {
    const what = hand.clutched ? 'held' : hand.tracked ? 'seen, not held' : 'not seen';
    const angle = hand.angle === null || engage.state !== 'arming' ? '' : `, ${degreesWords(hand.angle)} off`;
    return `${name.replace('_', ' ')}: ${what}${angle}`;
  });
  return [engage.text, names.join(' · ')].filter(Boolean).join(' — ');
}

function sideChoice(drive: Drive): HTMLElement {
  const make = (side: Side) => button(side === 'left' ? 'Left hand' : 'Right hand', () => choose(side), { class: 'choice' });
  const buttons = { left: make('left'), right: make('right') };
  const choose = (side: Side) => {
    drive.side = side;
    for (const [name, one] of Object.entries(buttons)) one.setAttribute('aria-pressed', String(name === side));
  };
  choose('right');
  return h('div', { class: 'row', role: 'group', 'aria-label': 'Which hand' }, buttons.left, buttons.right);
}

function dragPad(drive: Drive): HTMLElement {
  const knob = h('span', { class: 'knob' });
  const hint = h('span', { class: 'pad-hint' }, 'Hold and drag');
  const marks = ['forward', 'back', 'left', 'right'].map((name) => h('span', { class: `mark ${name}` }, name));
  const label = 'Hold and drag to move the hand forward, back, left and right; by keyboard use W, A, S and D';
  const pad = h('div', { class: 'pad', id: 'pad', role: 'application', 'aria-label': label, tabindex: 0 }, ...marks, hint, knob);
  const move = (event: PointerEvent) => {
    if (!pad.hasPointerCapture(event.pointerId)) return;
    const box = pad.getBoundingClientRect();
    const reach = 0.42 * Math.min(box.width, box.height);
    const x = clamp((event.clientX - box.left - box.width / 2) / reach);
    const y = clamp((box.top + box.height / 2 - event.clientY) / reach);
    knob.style.transform = `translate(${x * reach}px, ${-y * reach}px)`;
    drive.setPad({ x, y });
  };
  const release = () => {
    knob.style.transform = '';
    pad.classList.remove('held');
    drive.setPad(null);
  };
  pad.addEventListener('pointerdown', (event) => {
    pad.setPointerCapture(event.pointerId);
    pad.classList.add('held');
    move(event);
  });
  pad.addEventListener('pointermove', move);
  for (const end of ['pointerup', 'pointercancel', 'lostpointercapture'] as const) pad.addEventListener(end, release);
  return pad;
}

function lift(drive: Drive, way: number, label: string): HTMLElement {
  const element = button(label, () => undefined, { class: 'lift' });
  element.addEventListener('pointerdown', (event) => {
    element.setPointerCapture(event.pointerId);
    drive.setLift(way);
  });
  for (const end of ['pointerup', 'pointercancel', 'lostpointercapture'] as const) element.addEventListener(end, () => drive.setLift(0));
  return element;
}

function engageButtons(session: Session, notices: Notices) {
  const tell = (on: boolean) => void session.connection.ask('engage', { on }).then((answer) => notices.answer(answer));
  const on = button('Engage', () => tell(true), { class: 'primary', id: 'engage' });
  const off = button('Let go', () => tell(false), { id: 'disengage' });
  const element = h('div', { class: 'row' }, on, off);
  const show = ({ engage, welcome }: Known) => {
    const active = engage?.state === 'engaged' || engage?.state === 'arming';
    on.hidden = drivenByPage(welcome?.source) && engage?.mode !== 'toggle';
    on.disabled = !session.operates || active;
    off.disabled = !session.operates || !active;
    element.hidden = on.hidden && !active;
  };
  return { element, show };
}

function scaleChoice(session: Session, notices: Notices) {
  const row = h('div', { class: 'row', role: 'group', 'aria-label': 'Robot’s way for your hand’s way' });
  const element = h('div', { class: 'scale' }, h('span', { class: 'fine' }, 'Robot moves, for each metre of yours'), row);
  const show = ({ engage }: Known) => {
    if (!engage) return;
    const scales = SCALES.includes(engage.scale) ? SCALES : [...SCALES, engage.scale].sort((a, b) => a - b);
    fill(row, `${engage.scale} ${session.operates}`, () =>
      scales.map((value) => {
        const ask = () => void session.connection.ask('scale', { value }).then((answer) => notices.answer(answer));
        return button(`${value} m`, ask, { class: 'choice', 'aria-pressed': String(value === engage.scale), disabled: !session.operates });
      }),
    );
  };
  return { element, show };
}

function clamp(value: number): number {
  return Math.max(-1, Math.min(1, value));
}
