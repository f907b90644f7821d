// SPDX-License-Identifier: Apache-2.0
// What the server said last, in one place, for whatever shows it.

import type { CameraFrame, RobotFrame } from '../link/codec';
import type { Connection, LinkState } from '../link/connection';
import type { Engage, Episode, Latency, Policy, Seat, States, Verdict, Welcome } from '../link/messages';

/** The newest state of everything; null is not known yet. */
export interface Known {
  link: LinkState;
  welcome: Welcome | null;
  seat: Seat | null;
  engage: Engage | null;
  verdict: Verdict | null;
  episode: Episode | null;
  policy: Policy | null;
  latency: Latency | null;
  request: States['request'] | null;
  /** Whether an emergency stop was pressed here and is not confirmed yet, and since when [ms]. */
  pressedAt: number | null;
}

/** Collects states, and calls back once for all that changed together. */
export class Session {
  readonly known: Known;
  private readonly listeners: ((known: Known) => void)[] = [];
  private due = false;

  constructor(readonly connection: Connection) {
    const unknown = { welcome: null, seat: null, engage: null, verdict: null, episode: null, policy: null, latency: null };
    this.known = { link: connection.state, ...unknown, request: null, pressedAt: null };
    connection.on('state', (link) => this.set({ link }));
    connection.on('welcome', (welcome) => this.set({ welcome }));
    connection.on('seat', (seat) => this.set({ seat, request: null }));
    connection.on('engage', (engage) => this.set({ engage }));
    connection.on('verdict', (verdict) => this.set({ verdict, ...(verdict.estop ? { pressedAt: null } : {}) }));
    connection.on('episode', (episode) => this.set({ episode }));
    connection.on('policy', (policy) => this.set({ policy }));
    connection.on('link', (latency) => this.set({ latency }));
    connection.on('request', (request) => this.set({ request }));
  }

  /** Whether this page may command the robot. */
  get operates(): boolean {
    return this.known.link.name === 'online' && this.known.seat?.you === 'operator';
  }

  /** Press the emergency stop. */
  estop(): void {
    this.connection.estop();
    if (!this.known.verdict?.estop) this.set({ pressedAt: performance.now() });
  }

  /** Call back now and after each change. */
  watch(listener: (known: Known) => void): void {
    this.listeners.push(listener);
    listener(this.known);
  }

  /** Change what is known here. */
  set(change: Partial<Known>): void {
    Object.assign(this.known, change);
    if (this.due) return;
    this.due = true;
    queueMicrotask(() => {
      this.due = false;
      for (const listener of this.listeners) listener(this.known);
    });
  }
}

export type { CameraFrame, RobotFrame };
