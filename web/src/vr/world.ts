// SPDX-License-Identifier: Apache-2.0
// What is seen in the headset: the board that follows the gaze, the robot beside it, the operator's hands.

import { DirectionalLight, GridHelper, Group, HemisphereLight, PerspectiveCamera, Scene, Vector3, WebGLRenderer } from 'three';
import { graphics } from '../robot/graphics';
import type { RobotModel } from '../robot/model';
import { HandBalls } from './hands';
import { Panel } from './panel';

const DISTANCE = 1.15; // of the board [m]
const BELOW = 0.22; // the eyes [m]
const LAG = 0.06; // share of the way that the board goes in a frame
const AWAY = 0.35; // [m] that the board may be off before it follows
const SLOW_FRAME = 200; // [ms] between two pictures where the processor draws: hand samples go first

/** The scene of an XR session. */
export class World {
  readonly renderer: WebGLRenderer;
  readonly panel: Panel;
  /** Whether there is time for the robot beside the board. */
  readonly drawsRobot: boolean;
  readonly hands = new HandBalls();
  private readonly scene = new Scene();
  private readonly camera = new PerspectiveCamera(70, 1, 0.05, 30);
  private readonly ground = new GridHelper(6, 24, 0x7a8698, 0x3a4658);
  private readonly stand = new Group();
  private readonly wanted = new Vector3();
  private readonly pause: number;
  private following = true;
  private drawn = -Infinity;

  constructor(canvas: HTMLCanvasElement) {
    const { soft, coarse } = graphics();
    this.pause = soft ? SLOW_FRAME : 0;
    this.panel = new Panel(0.82, coarse);
    this.renderer = new WebGLRenderer({ canvas, antialias: !soft, alpha: true });
    this.renderer.xr.enabled = true;
    this.renderer.xr.setReferenceSpaceType('local-floor');
    this.renderer.xr.setFramebufferScaleFactor(coarse ? 0.4 : 1);
    const sun = new DirectionalLight(0xffffff, 2);
    sun.position.set(1, 3, 2);
    this.stand.position.set(-0.75, 0, -1.9);
    this.stand.rotation.y = Math.PI / 2 - 0.35;
    this.drawsRobot = !coarse;
    this.scene.add(new HemisphereLight(0xffffff, 0x808a9a, 1.4), sun, this.ground, this.stand, this.panel.mesh, this.hands.root);
  }

  /** Put the robot beside the board, its base at a height [m]. */
  add(model: RobotModel, height: number): void {
    model.root.position.y = height;
    this.stand.add(model.root);
  }

  /** Leave the room visible, or draw a floor. */
  setPassthrough(on: boolean): void {
    this.ground.visible = !on;
    this.renderer.setClearAlpha(on ? 0 : 1);
    this.renderer.setClearColor(0x0d1117, on ? 0 : 1);
  }

  /** Whether the next picture is due. */
  isDue(now: number): boolean {
    return now - this.drawn >= this.pause;
  }

  /** Draw a picture, the board brought back before the eyes where it is too far off. */
  draw(now: number): void {
    this.drawn = now;
    const eyes = this.renderer.xr.getCamera();
    const gaze = eyes.getWorldDirection(new Vector3()).setY(0);
    if (gaze.lengthSq() > 0.01) {
      this.wanted.copy(eyes.position).addScaledVector(gaze.normalize(), DISTANCE);
      this.wanted.y -= BELOW;
      const off = this.wanted.distanceTo(this.panel.mesh.position);
      this.following = off > AWAY || (this.following && off > 0.02);
      if (this.following) this.panel.mesh.position.lerp(this.wanted, off > 1.5 ? 1 : LAG);
      this.panel.mesh.lookAt(eyes.position);
    }
    this.renderer.render(this.scene, this.camera);
  }
}
