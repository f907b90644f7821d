// SPDX-License-Identifier: Apache-2.0
// Top line: which robot, how the connection is, what this page may do, the way into the headset.

import { fill, h, setText } from '../parts/dom';
import { shape } from '../parts/shapes';
import type { Known, Session } from '../parts/session';
import { msWords } from '../parts/words';

/** Make the header. */
export function header(session: Session): HTMLElement {
  const robot = h('span', { class: 'robot-name' });
  const link = h('span', { class: 'pill', id: 'link', role: 'status' });
  const seat = h('span', { class: 'pill', id: 'seat' });
  const headset = h('a', { class: 'pill link', id: 'headset', href: 'vr.html' }, 'Headset');
  headset.hidden = true;
  void navigator.xr?.isSessionSupported('immersive-vr').then((there) => (headset.hidden = !there));
  session.watch((known) => {
    setText(robot, known.welcome?.robot ?? '');
    const [sign, words] = linkWords(known);
    link.dataset['state'] = known.link.name;
    fill(link, sign + words, () => [shape(sign), h('span', {}, words)]);
    const operates = session.operates;
    seat.dataset['state'] = operates ? 'operator' : 'viewer';
    fill(seat, String(operates), () => [shape(operates ? 'hand' : 'ring'), operates ? 'You operate' : 'You watch']);
  });
  return h('header', { class: 'top' }, h('strong', { class: 'brand' }, 'Kata'), robot, h('span', { class: 'gap' }), headset, seat, link);
}

function linkWords({ link, latency }: Known): [string, string] {
  if (link.name === 'online') return ['tick', latency ? `Connected · ${msWords(latency.rtt_ms)}` : 'Connected'];
  if (link.name === 'connecting') return ['ring', 'Connecting…'];
  return ['cross', 'Connection lost, trying again'];
}
