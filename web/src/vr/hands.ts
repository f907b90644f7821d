// SPDX-License-Identifier: Apache-2.0
// The operator's own hands in view: small balls at what is tracked, so that a lost hand is seen to be lost.

import { Group, IcosahedronGeometry, InstancedMesh, Matrix4, Mesh, MeshStandardMaterial } from 'three';
import { SKELETON_JOINTS, type HeadsetSample } from '../link/codec';

const FREE = 0x8fa3bd;
const HELD = 0x3ccf9f;

/** Both hands, moved from sample to sample. */
export class HandBalls {
  readonly root = new Group();
  private readonly sides = { left: new Side(), right: new Side() };

  constructor() {
    this.root.add(...Object.values(this.sides).flatMap((side) => [side.grip, side.joints]));
  }

  /** Follow a sample; `held` says which hands the clutch holds. */
  show(sample: HeadsetSample, held: { left: boolean; right: boolean }): void {
    this.sides.left.show(sample.left?.grip ?? null, sample.leftHand, held.left);
    this.sides.right.show(sample.right?.grip ?? null, sample.rightHand, held.right);
  }
}

class Side {
  private readonly material = new MeshStandardMaterial({ color: FREE, roughness: 0.5 });
  readonly grip = new Mesh(new IcosahedronGeometry(0.035, 2), this.material);
  readonly joints = new InstancedMesh(new IcosahedronGeometry(0.009, 1), this.material, SKELETON_JOINTS);
  private readonly matrix = new Matrix4();

  constructor() {
    this.joints.frustumCulled = false;
    this.show(null, null, false);
  }

  show(grip: ArrayLike<number> | null, hand: ArrayLike<number> | null, held: boolean): void {
    this.material.color.setHex(held ? HELD : FREE);
    this.grip.visible = grip !== null;
    this.joints.visible = hand !== null;
    if (grip) this.grip.position.set(grip[0] ?? 0, grip[1] ?? 0, grip[2] ?? 0);
    if (!hand) return;
    for (let i = 0; i < SKELETON_JOINTS; i++) {
      this.joints.setMatrixAt(i, this.matrix.makeTranslation(hand[7 * i] ?? 0, hand[7 * i + 1] ?? 0, hand[7 * i + 2] ?? 0));
    }
    this.joints.instanceMatrix.needsUpdate = true;
  }
}
