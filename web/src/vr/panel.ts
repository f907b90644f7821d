// SPDX-License-Identifier: Apache-2.0
// The board in view: verdict in words, clutch, what to do, what the robot's camera sees.

import { CanvasTexture, LinearFilter, Mesh, MeshBasicMaterial, PlaneGeometry, SRGBColorSpace } from 'three';
import type { Known } from '../parts/session';
import { PATHS } from '../parts/shapes';
import { clockWords, jointWords, mismatchWords, msWords, statusPhrase, type Tone } from '../parts/words';

const WIDTH = 1024;
const HEIGHT = 560;
const BAND = 150; // height of the verdict's band
const TONES: Record<Tone, [ground: string, text: string]> = {
  calm: ['#46546a', '#fff'],
  good: ['#00704f', '#fff'],
  care: ['#f0b02c', '#1a1200'],
  held: ['#0b5f94', '#fff'],
  stop: ['#c1121f', '#fff'],
};
const FONT = 'system-ui, "DejaVu Sans", sans-serif';

/** Draws only when what it says has changed. */
export class Panel {
  readonly mesh: Mesh;
  private readonly canvas = document.createElement('canvas');
  private readonly texture = new CanvasTexture(this.canvas);
  private drawn = '';
  private picture: ImageBitmap | null = null;

  /** A board of a width [m]; a coarse one has a quarter of the pixels, for a processor that draws. */
  constructor(width: number, coarse: boolean) {
    const scale = coarse ? 0.5 : 1;
    Object.assign(this.canvas, { width: WIDTH * scale, height: HEIGHT * scale });
    this.pen().scale(scale, scale);
    this.texture.colorSpace = SRGBColorSpace;
    this.texture.generateMipmaps = !coarse;
    if (coarse) this.texture.minFilter = LinearFilter;
    const material = new MeshBasicMaterial({ map: this.texture, transparent: true, toneMapped: false });
    this.mesh = new Mesh(new PlaneGeometry(width, (width * HEIGHT) / WIDTH), material);
  }

  /** What the board says now, as text. */
  get text(): string {
    return this.drawn;
  }

  /** Show a camera picture, of an age [ms]. */
  setPicture(picture: ImageBitmap, age: number): void {
    const pen = this.pen();
    const box = { x: 24, y: BAND + 20, w: 496, h: HEIGHT - BAND - 44 };
    const scale = Math.min(box.w / picture.width, box.h / picture.height);
    const [w, h] = [picture.width * scale, picture.height * scale];
    pen.drawImage(picture, box.x, box.y, w, h);
    write(pen, `${msWords(age)} old`, box.x + 10, box.y + h - 12, 24, '#fff');
    this.picture = picture;
    this.texture.needsUpdate = true;
  }

  /** Say what is known, and a hint of what to do. */
  say(known: Known, hint: string): void {
    const lines = this.lines(known, hint);
    const key = JSON.stringify(lines);
    if (key === this.drawn) return;
    this.drawn = key;
    const pen = this.pen();
    const [ground, text] = TONES[lines.tone];
    pen.fillStyle = 'rgb(13 17 23 / 92%)';
    pen.fillRect(this.picture ? 520 : 0, BAND, WIDTH, HEIGHT - BAND);
    pen.fillStyle = ground;
    pen.fillRect(0, 0, WIDTH, BAND);
    mark(pen, lines.sign, 32, 32, 86, text);
    write(pen, lines.title, 150, 72, 58, text, WIDTH - 170);
    write(pen, lines.reason, 150, 122, 30, text, WIDTH - 170);
    const x = this.picture ? 548 : 40;
    mark(pen, lines.clutchSign, x, BAND + 26, 44, lines.clutchColor);
    write(pen, lines.clutch, x + 60, BAND + 62, 42, lines.clutchColor, WIDTH - x - 84);
    wrapped(pen, hint, x, BAND + 120, WIDTH - x - 24);
    write(pen, lines.episode, x, HEIGHT - 76, 30, lines.recording ? '#ff8a7a' : '#a6b2c4', WIDTH - x - 24);
    write(pen, lines.delay, x, HEIGHT - 32, 26, '#a6b2c4', WIDTH - x - 24);
    this.texture.needsUpdate = true;
  }

  private lines({ link, verdict, engage, episode, latency }: Known, hint: string) {
    const online = link.name === 'online';
    const phrase = statusPhrase(online ? verdict?.status : undefined);
    const state = online ? (engage?.state ?? 'disengaged') : 'lost';
    const clutch = { disengaged: 'Disengaged', arming: `Arming${mismatchWords(engage)}`, engaged: 'Engaged', lost: 'Lost' }[state];
    const seconds = clockWords(episode?.seconds ?? 0);
    return {
      hint,
      tone: phrase.tone,
      sign: phrase.shape,
      title: online ? phrase.title : 'Not connected',
      reason: online ? [verdict?.words[0] ?? '', verdict?.joints.slice(0, 2).map(jointWords).join(', ')].filter(Boolean).join(' ') : 'The robot holds by itself.',
      clutch,
      clutchSign: { disengaged: 'ring', arming: 'triangle', engaged: 'hand', lost: 'cross' }[state],
      clutchColor: state === 'engaged' ? '#3ccf9f' : state === 'lost' ? '#ff8a7a' : '#eef2f8',
      recording: episode?.recording ?? false,
      episode: episode?.recording ? `● Recording ${seconds}` : episode?.saved ? `${episode.saved} saved, last: ${episode.grade || '…'}` : '',
      delay: latency ? `delay ${msWords(latency.delay_ms)}, jitter ${msWords(latency.jitter_ms)}` : '',
    };
  }

  private pen(): CanvasRenderingContext2D {
    const pen = this.canvas.getContext('2d');
    if (!pen) throw new Error('this browser gives no canvas to write on');
    return pen;
  }
}

function write(pen: CanvasRenderingContext2D, text: string, x: number, y: number, size: number, color: string, most?: number): void {
  pen.font = `600 ${size}px ${FONT}`;
  pen.fillStyle = color;
  pen.fillText(text, x, y, most);
}

function mark(pen: CanvasRenderingContext2D, name: string, x: number, y: number, size: number, color: string): void {
  pen.save();
  pen.translate(x, y);
  pen.scale(size / 24, size / 24);
  pen.fillStyle = color;
  pen.fill(new Path2D(PATHS[name] ?? ''), 'evenodd');
  pen.restore();
}

function wrapped(pen: CanvasRenderingContext2D, text: string, x: number, y: number, most: number): void {
  pen.font = `400 30px ${FONT}`;
  pen.fillStyle = '#eef2f8';
  let line = '';
  let at = y;
  for (const word of text.split(' ')) {
    const longer = line ? `${line} ${word}` : word;
    if (line && pen.measureText(longer).width > most) {
      pen.fillText(line, x, at);
      at += 40;
      line = word;
    } else line = longer;
  }
  pen.fillText(line, x, at);
}
