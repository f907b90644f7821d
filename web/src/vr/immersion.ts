// SPDX-License-Identifier: Apache-2.0
// One stay in the headset: from entering to leaving, frames go up, the board and the hands are drawn.

import { encodeHeadset, type HeadsetSample } from '../link/codec';
import type { Session } from '../parts/session';
import { Chords, type Chord } from './chords';
import type { Feedback } from './feedback';
import { readSample } from './input';
import type { World } from './world';

const LEAST = 1000 / 119; // [ms] between two frames: the server takes 120 a second
const SETTLE = 300; // [ms] in which poses count as not tracked, after the headset's space was set anew
const TOLD = 4000; // [ms] for which an answer of the server stays in view
const CLOCKS = 100; // [ms] that the frame's time may differ from this page's before it is not believed

/** Enter passthrough where there is some and it is wanted, else the dark room. */
export async function requestSession(passthrough: boolean): Promise<{ xr: XRSession; passthrough: boolean }> {
  if (!navigator.xr) throw new Error('This browser has no WebXR.');
  const options = { requiredFeatures: ['local-floor'], optionalFeatures: ['hand-tracking'] };
  const seeThrough = passthrough && (await navigator.xr.isSessionSupported('immersive-ar'));
  return { xr: await navigator.xr.requestSession(seeThrough ? 'immersive-ar' : 'immersive-vr', options), passthrough: seeThrough };
}

/** Runs while the XR session lasts. */
export class Immersion {
  private readonly chords = new Chords();
  private sentAt = -Infinity;
  private settledAt = 0;
  private told = { text: '', until: 0 };

  constructor(
    private readonly xr: XRSession,
    private readonly session: Session,
    private readonly world: World,
    feedback: Feedback,
    private readonly report: () => void,
  ) {
    feedback.feel(xr.inputSources);
    xr.addEventListener('inputsourceschange', () => feedback.feel(xr.inputSources));
    xr.addEventListener('visibilitychange', report);
  }

  /** Whether the person sees this page in the headset. */
  get sees(): boolean {
    return this.xr.visibilityState === 'visible';
  }

  /** Begin; resolves when the session has ended. */
  async run(): Promise<void> {
    const { renderer } = this.world;
    const ended = new Promise((resolve) => this.xr.addEventListener('end', resolve));
    await renderer.xr.setSession(this.xr);
    renderer.xr.getReferenceSpace()?.addEventListener('reset', () => (this.settledAt = performance.now() + SETTLE));
    renderer.setAnimationLoop((time, frame?: XRFrame) => {
      const space = renderer.xr.getReferenceSpace();
      if (frame && space) this.step(frame, space, time);
    });
    this.report();
    await ended;
    renderer.setAnimationLoop(null);
    this.report();
  }

  private step(frame: XRFrame, space: XRReferenceSpace, at: number): void {
    const now = performance.now();
    const time = Math.abs(at - now) < CLOCKS ? at : now;
    const sample = readSample({ frame, space, time, settled: now >= this.settledAt });
    if (sample.visible && now - this.sentAt >= LEAST) {
      this.sentAt = now;
      this.session.connection.frame('headset', (seq) => encodeHeadset(seq, sample));
    }
    const chord = this.chords.take(sample.left, sample.right, now);
    if (chord) this.act(chord);
    if (this.world.isDue(now)) this.draw(sample, now);
  }

  private act(chord: Chord): void {
    const { episode } = this.session.known;
    if (chord === 'estop') this.session.estop();
    else if (chord === 'reset') this.ask('reset');
    else if (episode?.recording) this.ask('episode', { do: 'save', success: chord === 'record' });
    else if (chord === 'record') this.ask('episode', { do: 'start', task: episode?.task || 'shown in the headset' });
  }

  private ask(type: string, fields: Record<string, unknown> = {}): void {
    void this.session.connection.ask(type, fields).then(({ text }) => (this.told = { text, until: performance.now() + TOLD }));
  }

  private draw(sample: HeadsetSample, now: number): void {
    const { known } = this.session;
    const clutched = (side: string) => Object.entries(known.engage?.hands ?? {}).some(([name, hand]) => name.startsWith(side) && hand.clutched);
    this.world.hands.show(sample, { left: clutched('left'), right: clutched('right') });
    this.world.panel.say(known, this.hint(sample));
    this.world.draw(now);
  }

  private hint(sample: HeadsetSample): string {
    const { known, operates } = this.session;
    if (performance.now() < this.told.until && this.told.text) return this.told.text;
    if (known.link.name !== 'online') return 'Connecting again. Let go of the grip.';
    if (known.verdict?.estop || known.verdict?.status === 'stopped') {
      const share = this.chords.releasing;
      return share > 0 ? `Keep holding: ${Math.round(share * 100)} %` : 'Find the cause. Then hold A and X together to release the stop.';
    }
    if (!operates) return 'You watch. Take control on the page before you enter, or ask at the console.';
    if (known.engage?.state === 'lost') return known.engage.text || 'Let go of the grip, then hold it again.';
    if (known.engage?.state === 'engaged') return 'The robot’s hand follows yours. Let go and it holds. Trigger: slow and fine.';
    const bare = sample.leftHand ?? sample.rightHand;
    const hold = bare ? 'Close thumb and index finger, and keep them closed' : 'Hold the grip';
    return `${hold}: the robot’s hand follows. B records and saves. A and B (or X and Y) together: stop.`;
  }
}
