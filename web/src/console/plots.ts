// SPDX-License-Identifier: Apache-2.0
// Small plots of an episode: the joints that moved most, wanted (dashed) and measured, and the verdicts below.

import { h, svg } from '../parts/dom';
import { jointWords } from '../parts/words';
import type { EpisodeSeries, Sample } from './series';

const WIDTH = 320;
const HEIGHT = 44;
const POINTS = 160; // of a line
const STATUS = ['standby', 'following', 'limited', 'holding', 'stopped', 'stopping'];

/** Return the plots of an episode, or nothing where too little passed by here. */
export function plots(series: EpisodeSeries, names: readonly string[]): HTMLElement[] {
  const { samples } = series;
  const end = samples.at(-1)?.time ?? 0;
  if (samples.length < 10 || end <= 0) return [];
  const lines = series.liveliest(3).map((joint) => line(samples, series.marks, joint, names[joint] ?? '', end));
  return [...lines, strip(series, end)];
}

function line(samples: readonly Sample[], marks: readonly number[], joint: number, name: string, end: number): HTMLElement {
  const some = thinned(samples);
  const measured = some.map((sample) => sample.measured[joint] ?? NaN);
  const wanted = some.map((sample) => sample.target?.[joint] ?? NaN);
  const all = [...measured, ...wanted].filter(Number.isFinite);
  const low = Math.min(...all);
  const span = Math.max(0.02, Math.max(...all) - low);
  const x = (time: number) => (time / end) * WIDTH;
  const y = (value: number) => HEIGHT - 3 - ((value - low) / span) * (HEIGHT - 6);
  const path = (values: readonly number[]) => pathOf(some.map((sample, i) => [x(sample.time), y(values[i] ?? NaN)]));
  const degrees = Math.round((span * 180) / Math.PI);
  const label = `${jointWords(name)}: moved over ${degrees} degrees`;
  const picture = svg(
    'svg',
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: 'plot', role: 'img', 'aria-label': label, preserveAspectRatio: 'none' },
    ...marks.map((time) => svg('line', { x1: x(time), x2: x(time), y1: 0, y2: HEIGHT, class: 'plot-mark' })),
    svg('path', { d: path(wanted), class: 'wanted' }),
    svg('path', { d: path(measured), class: 'measured' }),
  );
  return h('figure', {}, h('figcaption', {}, h('span', {}, jointWords(name)), h('span', {}, `${degrees}°`)), picture);
}

function strip(series: EpisodeSeries, end: number): HTMLElement {
  const parts = thinned(series.samples);
  const rects = parts.map((sample, i) => {
    const from = (sample.time / end) * WIDTH;
    const to = ((parts[i + 1]?.time ?? end) / end) * WIDTH;
    return svg('rect', { x: from, width: Math.max(0.5, to - from + 0.5), ...height(sample.status), class: `strip-${STATUS[sample.status] ?? ''}` });
  });
  const shares = [...series.shares()].filter(([, seconds]) => seconds > 0.05).sort((a, b) => b[1] - a[1]);
  const words = shares.map(([status, seconds]) => `${STATUS[status] ?? ''} ${seconds.toFixed(1)} s`).join(', ');
  const picture = svg('svg', { viewBox: `0 0 ${WIDTH} 14`, class: 'strip', role: 'img', 'aria-label': words, preserveAspectRatio: 'none' }, ...rects);
  return h('figure', {}, picture, h('figcaption', {}, h('span', {}, words), h('span', {}, `${end.toFixed(1)} s`)));
}

/** A lower bar is a worse verdict, so that the strip reads without colour. */
function height(status: number): { y: number; height: number } {
  const tall = [5, 14, 10, 6, 3, 3][status] ?? 14;
  return { y: 14 - tall, height: tall };
}

function thinned(samples: readonly Sample[]): Sample[] {
  const every = Math.max(1, Math.ceil(samples.length / POINTS));
  return samples.filter((_, i) => i % every === 0 || i === samples.length - 1);
}

function pathOf(points: readonly (readonly [number, number])[]): string {
  let pen = 'M';
  let path = '';
  for (const [x, y] of points) {
    if (!Number.isFinite(y)) {
      pen = 'M';
      continue;
    }
    path += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = 'L';
  }
  return path;
}
