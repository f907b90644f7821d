// SPDX-License-Identifier: Apache-2.0
// The large picture: the robot in three dimensions, what its camera sees, points of view.

import type { RobotFrame } from '../link/codec';
import { CameraStream } from '../parts/camera';
import { button, h, setText } from '../parts/dom';
import type { Session } from '../parts/session';
import { msWords } from '../parts/words';
import { fetchDescription } from '../robot/description';
import { loadRobot, type RobotModel } from '../robot/model';
import { RobotView, type ViewName } from '../robot/view';

const VIEWS: [ViewName, string][] = [
  ['front', 'Front'],
  ['side', 'Side'],
  ['behind', 'Behind'],
];

/** The stage, and what it learned of the robot. */
export class Stage {
  readonly element: HTMLElement;
  readonly camera: CameraStream;
  private readonly host = h('div', { class: 'view' });
  private readonly progress = h('p', { class: 'loading', role: 'status' }, 'Loading the robot…');
  private readonly legend = h('p', { class: 'legend' }, h('span', { class: 'swatch' }), 'where it is asked to be');
  private view: RobotView | null = null;
  private model: RobotModel | null = null;
  private flagged = '';

  constructor(
    session: Session,
    private readonly learned: (joints: readonly string[]) => void,
  ) {
    const canvas = h('canvas', { class: 'camera-picture', role: 'img', 'aria-label': 'What the robot’s camera sees' });
    const age = h('span', { class: 'camera-age' }, 'camera');
    const inset = h('figure', { class: 'camera', id: 'camera' }, canvas, h('figcaption', {}, age));
    inset.hidden = true;
    this.camera = new CameraStream(session, (picture) => {
      inset.hidden = false;
      if (canvas.width !== picture.width) Object.assign(canvas, { width: picture.width, height: picture.height });
      canvas.getContext('2d')?.drawImage(picture, 0, 0);
      setText(age, `Robot’s camera · ${msWords(this.camera.age)} old`);
    });
    const views = h('div', { class: 'views', role: 'group', 'aria-label': 'Point of view' });
    views.append(...VIEWS.map(([name, label]) => button(label, () => this.view?.look(name), { class: 'choice' })));
    this.element = h('section', { class: 'stage', 'aria-label': 'The robot' }, this.host, this.progress, views, this.legend, inset);
    session.connection.on('robot', (frame) => this.take(frame));
  }

  /** Load the robot; where this cannot be done the console works without the picture, and says so. */
  async load(): Promise<void> {
    try {
      this.view = new RobotView(this.host);
      const description = await fetchDescription();
      this.learned(description.joints);
      this.model = await loadRobot(description, (share) => setText(this.progress, `Loading the robot… ${Math.round(share * 100)} %`));
      this.view.add(this.model, description.base_height);
      this.progress.hidden = true;
    } catch (error) {
      setText(this.progress, `The robot cannot be drawn here: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  private take(frame: RobotFrame): void {
    const { model } = this;
    if (!model) return;
    const moved = model.set(frame.measured, frame.engage === 2 || frame.policy ? frame.target : null);
    const flagged = model.names.filter((_, i) => frame.flags[i]);
    const tinted = flagged.join() !== this.flagged;
    if (tinted) model.setFlagged(flagged);
    this.flagged = flagged.join();
    this.legend.hidden = !model.apart;
    if (moved || tinted) this.view?.invalidate();
  }
}
