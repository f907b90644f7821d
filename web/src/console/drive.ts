// SPDX-License-Identifier: Apache-2.0
// Hands that a browser has: keys, a pad for a finger or the mouse, a gamepad; all go up as gamepad frames.

import { encodeGamepad, type GamepadSample } from '../link/codec';
import type { Connection } from '../link/connection';
import { typing } from '../parts/dom';

export type Side = 'left' | 'right';

const TICK = 1000 / 60; // [ms]
const TAIL = 300; // [ms] of released frames after the last held one, so that letting go is heard
const STOP = 1;
const L1 = 4;
const R1 = 5;
const PRECISE = 7;
const BUTTONS = 17;
const DEAD = 0.08; // of a stick's way

/** Keys by what they do: axis and direction, standard mapping. */
const KEYS: Record<string, readonly [axis: number, way: number]> = {
  KeyA: [0, -1],
  KeyD: [0, 1],
  KeyW: [1, -1],
  KeyS: [1, 1],
  KeyQ: [2, -1],
  KeyE: [2, 1],
  KeyR: [3, -1],
  KeyF: [3, 1],
};

/** Sends what is held, 60 times a second, while it is held and shortly after. */
export class Drive {
  side: Side = 'right';
  /** Whether frames may be sent at all. */
  enabled = false;
  private readonly keys = new Set<string>();
  private pad: { x: number; y: number } | null = null;
  private lift = 0;
  private stopDown = false;
  private precise = false;
  private heldAt = -Infinity;
  private sent = 0;
  private device: GamepadSample['device'] = 'keyboard';

  /** Take the connection, and what presses the emergency stop: a gamepad's button does, whoever operates. */
  constructor(
    private readonly connection: Connection,
    private readonly stop: () => void,
  ) {
    addEventListener('keydown', (event) => this.key(event, true));
    addEventListener('keyup', (event) => this.key(event, false));
    addEventListener('blur', () => this.release());
    document.addEventListener('visibilitychange', () => this.release());
    setInterval(() => this.tick(performance.now()), TICK);
  }

  /** Whether something is held that asks for motion. */
  get held(): boolean {
    return this.enabled && (this.keys.size > 0 || this.pad !== null || this.lift !== 0);
  }

  /** Name of a gamepad that is plugged in, or an empty string. */
  get gamepad(): string {
    return this.pads()[0]?.id ?? '';
  }

  /** Hold the pad at a deflection, x right and y up, each -1 to 1; null lets go. */
  setPad(at: { x: number; y: number } | null): void {
    this.pad = at;
    if (at) this.device = 'touch';
  }

  /** Hold up (1) or down (-1), or neither (0). */
  setLift(way: number): void {
    this.lift = way;
    if (way) this.device = 'touch';
  }

  private release(): void {
    this.keys.clear();
    this.pad = null;
    this.lift = 0;
    this.precise = false;
  }

  private key(event: KeyboardEvent, down: boolean): void {
    this.precise = event.shiftKey;
    if (!down) this.keys.delete(event.code);
    if (!down || !(event.code in KEYS) || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    this.keys.add(event.code);
    this.device = 'keyboard';
  }

  private tick(now: number): void {
    this.lookForStop();
    if (!this.enabled || document.hidden) return;
    const sample = this.sampleOfGamepad(now) ?? this.sampleOfPage(now);
    if (sample) this.connection.frame('gamepad', (seq) => encodeGamepad(seq, sample));
  }

  private lookForStop(): void {
    const down = this.pads()[0]?.buttons[STOP]?.pressed ?? false;
    if (down && !this.stopDown) this.stop();
    this.stopDown = down;
  }

  private sampleOfPage(now: number): GamepadSample | null {
    if (this.held) this.heldAt = now;
    if (now - this.heldAt > TAIL) return null;
    const buttons = new Array<number>(BUTTONS).fill(0);
    buttons[this.side === 'right' ? R1 : L1] = this.held ? 1 : 0;
    buttons[PRECISE] = this.held && this.precise ? 1 : 0;
    return { time: now, device: this.device, axes: this.held ? this.axes() : [0, 0, 0, 0], buttons };
  }

  private axes(): number[] {
    const axes = [this.pad?.x ?? 0, -(this.pad?.y ?? 0), 0, -this.lift];
    for (const code of this.keys) {
      const [axis, way] = KEYS[code] ?? [0, 0];
      axes[axis] = (axes[axis] ?? 0) + way;
    }
    return axes.map((value) => Math.max(-1, Math.min(1, value)));
  }

  private sampleOfGamepad(now: number): GamepadSample | null {
    const pad = this.pads()[0];
    if (!pad || this.held) return null;
    const axes = pad.axes.map((value) => (Math.abs(value) < DEAD ? 0 : value));
    const buttons = pad.buttons.map((one) => (one.pressed ? Math.max(one.value, 1) : one.value));
    const busy = buttons.some((value) => value > 0) || axes.some((value) => value !== 0);
    if (busy) this.sent = now;
    return now - this.sent > TAIL ? null : { time: now, device: 'gamepad', axes, buttons };
  }

  private pads(): Gamepad[] {
    return [...(navigator.getGamepads?.() ?? [])].filter((one): one is Gamepad => one !== null && one.mapping === 'standard');
  }
}
