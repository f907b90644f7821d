// SPDX-License-Identifier: Apache-2.0
// One socket to the robot's server: pairing, reconnection, answers, sign of life.

import { decode, type CameraFrame, type RobotFrame } from './codec';
import { Emitter } from './emitter';
import type { Answer, States } from './messages';
import { Press } from './press';

export type LinkState =
  | { name: 'unpaired'; text: string }
  | { name: 'connecting' }
  | { name: 'online' }
  | { name: 'offline'; since: number }
  | { name: 'replaced' };

interface Events extends States {
  state: LinkState;
  robot: RobotFrame;
  camera: CameraFrame;
}

export interface Introduction {
  name: string;
  kind: 'console' | 'vr';
}

const TOKEN = 'kata.token';
const SILENCE = 1500; // [ms] without a word from the server after which the socket counts as dead
const WATCH = 500; // [ms] between two looks at that
const ANSWER = 4000; // [ms] to wait for an answer
/** [ms] to wait for what takes longer: the server's own limits, and a little more. */
const ANSWERS: Record<string, number> = { reset: 11e3, engage: 11e3, code: 6e3, world: 31e3, episode: 41e3, policy: 46e3 };
const MOST_WAITING = 16 * 1024; // [bytes] in the socket beyond which frames are left out, not queued
const RETRY = [0, 250, 500, 1000, 2000]; // [ms]
const REFUSED: Record<number, string> = {
  4001: 'The server waited too long for this page. Try again.',
  4002: 'This code is not valid (any more). Take a new one from the robot’s terminal or from a console that is paired.',
  4003: 'Too many wrong codes. Wait half a minute, then try again.',
  4004: 'This page is older than the server. Reload it.',
};

/** Keeps a paired socket open until told otherwise. */
export class Connection extends Emitter<Events> {
  private socket: WebSocket | null = null;
  private current: LinkState = { name: 'connecting' };
  private tries = 0;
  private heard = 0;
  private watched = performance.now();
  private nextId = 1;
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  private readonly seqs = new Map<string, number>();
  private readonly press = new Press((id) => this.send({ type: 'estop', id }));
  private retry = 0;

  constructor(private readonly who: Introduction) {
    super();
    setInterval(() => this.watch(), WATCH);
    addEventListener('online', () => this.wake());
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.wake();
    });
  }

  get state(): LinkState {
    return this.current;
  }

  get online(): boolean {
    return this.current.name === 'online';
  }

  /** Connect by the code in the address, else by the token of before; without either, ask for pairing. */
  start(): void {
    const code = new URLSearchParams(location.hash.slice(1)).get('code');
    if (code) history.replaceState(null, '', location.pathname + location.search);
    if (code) this.open({ code });
    else if (sessionStorage.getItem(TOKEN)) this.resume();
    else this.enter({ name: 'unpaired', text: '' });
  }

  /** Pair by a one-time code. */
  pair(code: string): void {
    this.open({ code: code.trim().toUpperCase().replaceAll(/[\s-]/g, '') });
  }

  /** Connect again with the token of before. */
  resume(): void {
    const token = sessionStorage.getItem(TOKEN);
    if (token) this.open({ token });
    else this.enter({ name: 'unpaired', text: '' });
  }

  /** Send a message; false where there is no socket to send it on. */
  send(message: Record<string, unknown>): boolean {
    if (!this.online || this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  /** Send a request and wait for its answer; a lost one is answered here. */
  ask(type: string, fields: Record<string, unknown> = {}): Promise<Answer> {
    const id = this.nextId++;
    if (type === 'reset') this.press.end();
    if (!this.send({ ...fields, type, id })) return Promise.resolve({ ok: false, text: 'Not connected: nothing was done.' });
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.settle(id, { ok: false, text: 'The server did not answer.' }), ANSWERS[type] ?? ANSWER);
      this.waiting.set(id, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
    });
  }

  /** Press the emergency stop, again and again until it is confirmed; without a socket as soon as there is one again. */
  estop(): boolean {
    return this.press.begin(this.nextId++);
  }

  /** Send a frame made from the next sequence number; one that would have to queue is left out and counts as lost. */
  frame(kind: string, make: (seq: number) => ArrayBuffer): boolean {
    if (!this.online || this.socket?.readyState !== WebSocket.OPEN) return false;
    const seq = (this.seqs.get(kind) ?? 0) + 1;
    this.seqs.set(kind, seq);
    if (this.socket.bufferedAmount > MOST_WAITING) return false;
    this.socket.send(make(seq));
    return true;
  }

  private open(proof: { code: string } | { token: string }): void {
    clearTimeout(this.retry);
    this.drop();
    if (this.current.name !== 'offline') this.enter({ name: 'connecting' });
    const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/ws`);
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    this.heard = performance.now();
    socket.onopen = () => socket.send(JSON.stringify({ type: 'hello', protocol: 1, ...proof, ...this.who }));
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => {
      if (socket === this.socket) this.receive(event.data);
    };
    socket.onclose = (event) => {
      if (socket === this.socket) this.closed(event.code);
    };
  }

  private receive(data: string | ArrayBuffer): void {
    const now = performance.now();
    this.heard = now;
    if (typeof data !== 'string') {
      const frame = decode(data);
      if (frame && 'robot' in frame) this.emit('robot', frame.robot);
      else if (frame) this.emit('camera', frame.camera);
      return;
    }
    const message = JSON.parse(data) as { type: string; n?: number; id?: number };
    if (message.type === 'ping') this.socket?.send(JSON.stringify({ type: 'pong', n: message.n, t: now }));
    else if (message.type === 'answer') this.answer(message.id ?? 0, message as unknown as Answer);
    else if (message.type === 'welcome') this.welcome(message as unknown as States['welcome']);
    else this.emit(message.type as keyof States, message as never);
  }

  private welcome(welcome: States['welcome']): void {
    sessionStorage.setItem(TOKEN, welcome.token);
    this.tries = 0;
    this.enter({ name: 'online' });
    this.press.again();
    this.emit('welcome', welcome);
  }

  private closed(code: number): void {
    this.socket = null;
    for (const id of [...this.waiting.keys()]) this.settle(id, { ok: false, text: 'The connection was lost before the answer came.' });
    if (code === 4005) return this.enter({ name: 'replaced' });
    if (code in REFUSED) {
      if (code === 4002) sessionStorage.removeItem(TOKEN);
      return this.enter({ name: 'unpaired', text: REFUSED[code] ?? '' });
    }
    if (!sessionStorage.getItem(TOKEN)) return this.enter({ name: 'unpaired', text: 'The server cannot be reached.' });
    if (this.current.name !== 'offline') this.enter({ name: 'offline', since: performance.now() });
    const wait = RETRY[Math.min(this.tries++, RETRY.length - 1)] ?? 0;
    this.retry = window.setTimeout(() => this.resume(), wait);
  }

  private watch(): void {
    const now = performance.now();
    if (now - this.watched > 2 * WATCH) this.heard = now; // this page stood still: what came meanwhile was not read yet
    this.watched = now;
    if (this.socket && now - this.heard > SILENCE) {
      this.drop();
      this.closed(1006);
    }
  }

  private wake(): void {
    if (this.current.name !== 'offline') return;
    this.tries = 0;
    this.resume();
  }

  private drop(): void {
    const old = this.socket;
    this.socket = null;
    old?.close();
  }

  private answer(id: number, answer: Answer): void {
    this.press.answered(id, answer.ok);
    this.settle(id, answer);
  }

  private settle(id: number, answer: Answer): void {
    this.waiting.get(id)?.(answer);
    this.waiting.delete(id);
  }

  private enter(state: LinkState): void {
    this.current = state;
    this.emit('state', state);
  }
}
