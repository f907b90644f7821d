// SPDX-License-Identifier: Apache-2.0
// The robot from its URDF, and its target as a translucent twin; both share their geometry.

import { Color, Group, Mesh, MeshStandardMaterial, type Material, type Object3D } from 'three';
import URDFLoader, { type URDFJoint, type URDFRobot } from 'urdf-loader';
import type { Description } from './description';
import { MeshQueue } from './mesh_queue';

const APART = 0.03; // [rad]: a target nearer than this is not drawn
const VISIBLE = 0.001; // [rad]: less is not drawn anew
const FLAGGED = new Color(0xe69f00);

/** A robot and its target, drawn at joint positions in the server's joint order. */
export class RobotModel {
  /** Whether a target is drawn that is not where the robot is. */
  apart = false;
  /** Base frame with z up turned into the scene's y up. */
  readonly root = new Group();
  private readonly joints: readonly (URDFJoint | undefined)[];
  private readonly ghosts: readonly (URDFJoint | undefined)[];
  private readonly measured: Float32Array;
  private readonly wanted: Float32Array;

  constructor(
    readonly robot: URDFRobot,
    private readonly ghost: URDFRobot,
    readonly names: readonly string[],
  ) {
    this.root.rotation.x = -Math.PI / 2;
    this.root.add(robot, ghost);
    this.joints = names.map((name) => robot.joints[name]);
    this.ghosts = names.map((name) => ghost.joints[name]);
    this.measured = new Float32Array(names.length);
    this.wanted = new Float32Array(names.length).fill(NaN);
    this.showTarget();
  }

  /**
   * Move to measured joint positions [rad] and the twin to wanted ones, which null hides; a measured value that is
   * not finite leaves its joint where it is. Returns whether anybody could see the difference.
   */
  set(measured: ArrayLike<number>, wanted: ArrayLike<number> | null): boolean {
    let changed = false;
    this.joints.forEach((joint, i) => {
      const value = measured[i] ?? NaN;
      const aim = wanted?.[i] ?? NaN;
      const moved = Math.abs(value - (this.measured[i] ?? 0)) > VISIBLE;
      if (moved) joint?.setJointValue((this.measured[i] = value));
      const aimed = !(Math.abs(aim - (this.wanted[i] ?? NaN)) <= VISIBLE) && !(Number.isNaN(aim) && Number.isNaN(this.wanted[i]));
      if (aimed) this.wanted[i] = aim;
      changed ||= moved || aimed;
    });
    if (changed) this.showTarget();
    return changed;
  }

  /** Tint the links behind joints at a limit. */
  setFlagged(names: readonly string[]): void {
    const flagged = new Set(names);
    for (const [name, joint] of Object.entries(this.robot.joints)) {
      eachMesh(joint, (mesh) => {
        const own = (mesh.userData['color'] ??= (mesh.material as MeshStandardMaterial).color.clone()) as Color;
        (mesh.material as MeshStandardMaterial).color.copy(flagged.has(name) ? FLAGGED : own);
      }, true);
    }
  }

  private showTarget(): void {
    const apart = new Set<Object3D>();
    this.ghosts.forEach((joint, i) => {
      const wanted = this.wanted[i] ?? NaN;
      const here = this.measured[i] ?? 0;
      joint?.setJointValue(Number.isFinite(wanted) ? wanted : here);
      if (joint && Math.abs(wanted - here) > APART) apart.add(joint);
    });
    this.apart = apart.size > 0;
    show(this.ghost, false, apart);
  }
}

/** Load the robot and its twin; `progress` is told the share of meshes that are there. */
export async function loadRobot(source: Description, progress: (share: number) => void): Promise<RobotModel> {
  const response = await fetch(source.urdf);
  if (!response.ok) throw new Error(`${source.urdf}: ${response.status}`);
  const text = await response.text();
  const pending: Promise<void>[] = [];
  let there = 0;
  const queue = new MeshQueue();
  const loader = new URDFLoader();
  loader.packages = source.packages;
  loader.loadMeshCb = (url, _manager, material, done) => {
    const one = queue.load(url).then(
      (geometry) => done(new Mesh(geometry, finish(material))),
      (error: unknown) => done(new Group(), error instanceof Error ? error : new Error(String(error))),
    );
    pending.push(one.then(() => progress(++there / pending.length)));
  };
  const robot = loader.parse(text);
  await Promise.all(pending);
  queue.close();
  return new RobotModel(robot, twin(robot), source.joints);
}

function finish(material: Material): MeshStandardMaterial {
  const color = 'color' in material ? (material.color as Color) : new Color(0xb8bcc4);
  const light = color.getHSL({ h: 0, s: 0, l: 0 }).l > 0.4;
  return new MeshStandardMaterial({ color: light ? 0xd7dbe2 : 0x3b4250, roughness: light ? 0.45 : 0.6, metalness: 0.15 });
}

function twin(robot: URDFRobot): URDFRobot {
  const ghost = robot.clone() as URDFRobot;
  const material = new MeshStandardMaterial({ color: 0x56b4e9, transparent: true, opacity: 0.42, depthWrite: false, roughness: 0.8 });
  ghost.traverse((node) => {
    if (node instanceof Mesh) node.material = material;
  });
  return ghost;
}

function show(node: Object3D, visible: boolean, apart: ReadonlySet<Object3D>): void {
  const now = visible || apart.has(node);
  if (node instanceof Mesh) node.visible = now;
  for (const child of node.children) show(child, now, apart);
}

/** Visit the meshes of a joint's own link, not those behind further joints. */
function eachMesh(node: Object3D, visit: (mesh: Mesh) => void, top: boolean): void {
  if (!top && 'isURDFJoint' in node && (node as URDFJoint).jointType !== 'fixed') return;
  if (node instanceof Mesh) visit(node);
  for (const child of node.children) eachMesh(child, visit, false);
}
