// SPDX-License-Identifier: Apache-2.0
// The robot's camera: newest picture only, its age shown.

import type { CameraFrame } from '../link/codec';
import type { Session } from './session';

const RATE = 15; // pictures a second asked for

/** Decodes pictures as they come; a slow page skips, it never queues. */
export class CameraStream {
  /** Age of the newest picture when it was shown [ms]; NaN without one. */
  age = NaN;
  private waiting: CameraFrame | null = null;
  private busy = false;

  constructor(
    private readonly session: Session,
    private readonly show: (picture: ImageBitmap) => void,
  ) {
    session.connection.on('welcome', () => this.ask());
    session.connection.on('camera', (frame) => {
      this.waiting = frame;
      void this.next();
    });
  }

  private ask(): void {
    this.session.connection.send({ type: 'camera', on: true, rate: RATE });
  }

  private async next(): Promise<void> {
    const frame = this.waiting;
    if (this.busy || !frame) return;
    this.busy = true;
    this.waiting = null;
    try {
      const picture = await createImageBitmap(new Blob([frame.jpeg], { type: 'image/jpeg' }));
      this.age = performance.now() + (this.session.known.latency?.offset_ms ?? NaN) - frame.time;
      this.show(picture);
      picture.close();
    } catch {
      // A damaged picture is not shown; the next one may be whole.
    }
    this.session.connection.send({ type: 'seen', seq: frame.seq });
    this.busy = false;
    void this.next();
  }
}
