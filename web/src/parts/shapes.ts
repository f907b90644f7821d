// SPDX-License-Identifier: Apache-2.0
// Shapes that tell a state without colour.

import { svg } from './dom';

/** Outlines in a box of 24 × 24, filled by the even-odd rule. */
export const PATHS: Record<string, string> = {
  ring: 'M12 4a8 8 0 1 0 0 16a8 8 0 1 0 0-16zm0 3.2a4.8 4.8 0 1 1 0 9.6a4.8 4.8 0 1 1 0-9.6z',
  play: 'M6 3.5v17l14.5-8.5z',
  triangle: 'M12 2.5L23 21.5H1zm-1.3 6.5v6h2.6V9zm0 7.6v2.6h2.6v-2.6z',
  pause: 'M5 4h5v16H5zM14 4h5v16h-5z',
  octagon: 'M7.6 1.5h8.8l6.1 6.1v8.8l-6.1 6.1H7.6l-6.1-6.1V7.6zM6 10.4v3.2h12v-3.2z',
  dot: 'M12 5a7 7 0 1 0 0 14a7 7 0 1 0 0-14z',
  cross: 'M5.6 3.5L12 9.9l6.4-6.4l2.1 2.1l-6.4 6.4l6.4 6.4l-2.1 2.1l-6.4-6.4l-6.4 6.4l-2.1-2.1l6.4-6.4l-6.4-6.4z',
  tick: 'M9.2 19.6L1.8 12.2l2.6-2.6l4.8 4.8L19.6 4l2.6 2.6z',
  hand: 'M9 11V4.5a1.5 1.5 0 0 1 3 0V10h.6V5.6a1.4 1.4 0 0 1 2.8 0V11h.6V7.6a1.3 1.3 0 0 1 2.6 0V16a6 6 0 0 1-6 6h-1.2a6 6 0 0 1-4.6-2.2L2.9 15a1.5 1.5 0 0 1 2.2-2L9 16z',
};

/** Make a shape by name, of the text's size and colour; what it says must stand beside it as text. */
export function shape(name: string): SVGElement {
  const mark = svg('path', { d: PATHS[name] ?? PATHS['dot'] ?? '', 'fill-rule': 'evenodd', fill: 'currentColor' });
  return svg('svg', { viewBox: '0 0 24 24', 'aria-hidden': 'true', class: 'shape' }, mark);
}
