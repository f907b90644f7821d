// SPDX-License-Identifier: Apache-2.0
// The console's three-dimensional view; draws only when something changed.

import {
  AmbientLight,
  CircleGeometry,
  DirectionalLight,
  GridHelper,
  HemisphereLight,
  Mesh,
  MeshBasicMaterial,
  PerspectiveCamera,
  Scene,
  Vector3,
  WebGLRenderer,
} from 'three';
import { OrbitControls } from 'three/examples/jsm/controls/OrbitControls.js';
import { graphics } from './graphics';
import type { RobotModel } from './model';

/** Where the camera stands and looks [m], y up, the robot faces +x. */
const VIEWS = {
  front: { from: new Vector3(1.5, 1.12, 0.68), to: new Vector3(0, 0.88, 0) },
  side: { from: new Vector3(0.2, 1.1, 1.7), to: new Vector3(0.12, 0.88, 0) },
  behind: { from: new Vector3(-1.35, 1.5, 0), to: new Vector3(0.3, 0.85, 0) },
} as const;

export type ViewName = keyof typeof VIEWS;

const MOST_PIXELS = 2; // device pixel ratio beyond which nobody sees a difference
const FRAME = 1000 / 30; // [ms] between two pictures, at least
const SLOW_FRAME = 500; // [ms] where the processor draws

/** A view of the robot in a canvas of its own. */
export class RobotView {
  readonly scene = new Scene();
  private readonly camera = new PerspectiveCamera(38, 1, 0.05, 30);
  private readonly renderer: WebGLRenderer;
  private readonly controls: OrbitControls;
  private readonly pause: number;
  private due = false;
  private drawn = 0;

  constructor(private readonly host: HTMLElement) {
    const { soft, coarse } = graphics();
    this.pause = soft ? SLOW_FRAME : FRAME;
    this.renderer = new WebGLRenderer({ antialias: !coarse, alpha: true, powerPreference: 'low-power' });
    this.renderer.setPixelRatio(coarse ? 0.5 : Math.min(devicePixelRatio, MOST_PIXELS));
    const canvas = this.renderer.domElement;
    canvas.tabIndex = 0;
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', 'The robot as it stands now; a blue, translucent twin shows where it is asked to be');
    host.append(canvas);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.minDistance = 0.5;
    this.controls.maxDistance = 6;
    this.controls.listenToKeyEvents(canvas);
    this.controls.addEventListener('change', () => this.invalidate());
    this.furnish();
    this.look('front');
    new ResizeObserver(() => this.resize()).observe(host);
  }

  /** Put the robot into the scene, its base at a height [m]. */
  add(model: RobotModel, height: number): void {
    model.root.position.y = height;
    this.scene.add(model.root);
    this.invalidate();
  }

  /** Take one of the prepared points of view. */
  look(name: ViewName): void {
    const { from, to } = VIEWS[name];
    this.camera.position.copy(from);
    this.controls.target.copy(to);
    this.controls.update();
    this.invalidate();
  }

  /** Ask for a new picture. */
  invalidate(): void {
    if (this.due) return;
    this.due = true;
    const wait = Math.max(0, this.drawn + this.pause - performance.now());
    setTimeout(() => requestAnimationFrame((now) => this.draw(now)), wait);
  }

  private furnish(): void {
    const sun = new DirectionalLight(0xffffff, 2.2);
    sun.position.set(2, 4, 2.5);
    const back = new DirectionalLight(0xbfd8ff, 0.9);
    back.position.set(-2, 2.5, -2);
    this.scene.add(new HemisphereLight(0xffffff, 0x8a93a3, 1.1), new AmbientLight(0xffffff, 0.25), sun, back);
    const grid = new GridHelper(4, 16, 0x7a8698, 0x7a8698);
    Object.assign(grid.material, { transparent: true, opacity: 0.25 });
    const shade = new Mesh(new CircleGeometry(0.42, 40), new MeshBasicMaterial({ color: 0x000000, transparent: true, opacity: 0.16 }));
    shade.rotation.x = -Math.PI / 2;
    shade.position.y = 0.002;
    this.scene.add(grid, shade);
  }

  private resize(): void {
    const { clientWidth, clientHeight } = this.host;
    if (!clientWidth || !clientHeight) return;
    this.renderer.setSize(clientWidth, clientHeight);
    this.camera.aspect = clientWidth / clientHeight;
    this.camera.updateProjectionMatrix();
    this.invalidate();
  }

  private draw(now: number): void {
    this.due = false;
    this.drawn = now;
    this.renderer.render(this.scene, this.camera);
  }
}
