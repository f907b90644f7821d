// SPDX-License-Identifier: Apache-2.0
// How old what the robot does is: network delay, jitter, stages, frames that did not arrive.

import { fill, h, setText, svg } from '../parts/dom';
import type { Known, Session } from '../parts/session';
import { msWords } from '../parts/words';
import type { Latency } from '../link/messages';
import { foldable } from './panels';

const STAGES = [
  ['socket', 'network and socket'],
  ['retarget', 'retargeting'],
  ['safety', 'safety filter'],
] as const;

/** Make the card; `cameraAge` gives the age of the newest picture [ms], NaN without one. */
export function latencyPanel(session: Session, cameraAge: () => number): HTMLElement {
  const table = h('dl', { class: 'contract' });
  const bar = h('div', { class: 'stages' });
  const lost = h('p', { class: 'fine' });
  const element = foldable('latency', 'Delays', false, table, bar, lost);
  const summary = element.querySelector('h2');
  session.watch(({ latency, link }: Known) => {
    if (summary) setText(summary, latency && link.name === 'online' ? `Delays · ${msWords(latency.rtt_ms)} there and back` : 'Delays');
    if (!latency) return;
    const told = [
      ['There and back', msWords(latency.rtt_ms)],
      ['Your hand to the server', msWords(latency.delay_ms)],
      ['Jitter', msWords(latency.jitter_ms)],
      ['Camera picture', msWords(cameraAge())],
    ];
    fill(table, JSON.stringify(told), () => told.flatMap(([name, value]) => [h('dt', {}, name ?? ''), h('dd', {}, value ?? '')]));
    fill(bar, JSON.stringify(latency.stages), () => stageBar(latency));
    setText(lost, `Frames lost ${latency.lost}, late ${latency.late}, refused ${latency.refused}`);
  });
  return element;
}

function stageBar({ stages }: Latency): (Node | null)[] {
  const values = STAGES.map(([name, words]) => ({ words, value: stages[name] ?? NaN, name })).filter(({ value }) => Number.isFinite(value));
  const sum = values.reduce((total, { value }) => total + Math.max(0, value), 0);
  if (!sum) return [];
  let at = 0;
  const rects = values.map(({ name, value }) => {
    const width = (Math.max(0, value) / sum) * 320;
    at += width;
    return svg('rect', { x: at - width, y: 0, width, height: 16, class: `stage-${name}` });
  });
  const words = values.map(({ words: what, value }) => `${what} ${msWords(value)}`).join(' · ');
  const picture = svg('svg', { viewBox: '0 0 320 16', class: 'strip', role: 'img', 'aria-label': words, preserveAspectRatio: 'none' }, ...rects);
  return [picture, h('p', { class: 'fine' }, `${words} · in all ${msWords(sum)}`)];
}
