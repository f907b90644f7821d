// SPDX-License-Identifier: Apache-2.0
// What a WebXR frame says of head, controllers and hands, as the protocol wants it.

import { SKELETON_JOINTS, type Controller, type HeadsetSample } from '../link/codec';

const PRESSED = 0.6; // of a squeeze or trigger that reports no `pressed`

/** Where a sample is read from. */
export interface Scene {
  frame: XRFrame;
  space: XRReferenceSpace;
  time: number;
  /** Whether poses may be believed; not for a moment after the headset's space was set anew. */
  settled: boolean;
}

/** Read one sample; what is not tracked is null. */
export function readSample({ frame, space, time, settled }: Scene): HeadsetSample {
  const { session } = frame;
  const viewer = settled ? frame.getViewerPose(space) : undefined;
  const sample: HeadsetSample = {
    time,
    head: viewer ? flat(viewer.transform) : null,
    left: null,
    right: null,
    leftHand: null,
    rightHand: null,
    visible: session.visibilityState === 'visible',
    inSession: true,
  };
  if (!settled) return sample;
  for (const source of session.inputSources) {
    if (source.handedness !== 'left' && source.handedness !== 'right') continue;
    if (source.hand) sample[`${source.handedness}Hand`] = skeleton(frame, space, source.hand);
    else sample[source.handedness] = controller(frame, space, source);
  }
  return sample;
}

/** Return a controller's pressed buttons as bits, of the `xr-standard` mapping. */
export function buttonBits(buttons: readonly GamepadButton[]): number {
  return buttons.reduce((bits, one, i) => (i < 32 && (one.pressed || one.value > PRESSED) ? bits | (1 << i) : bits), 0) >>> 0;
}

function controller(frame: XRFrame, space: XRReferenceSpace, source: XRInputSource): Controller | null {
  const pose = source.gripSpace ? frame.getPose(source.gripSpace, space) : undefined;
  if (!pose || !source.gamepad) return null;
  const { buttons, axes } = source.gamepad;
  return {
    grip: flat(pose.transform),
    buttons: buttonBits(buttons),
    trigger: buttons[0]?.value ?? 0,
    squeeze: buttons[1]?.value ?? 0,
    stickX: axes[2] ?? 0,
    stickY: axes[3] ?? 0,
    emulated: pose.emulatedPosition,
  };
}

function skeleton(frame: XRFrame, space: XRReferenceSpace, hand: XRHand): Float32Array | null {
  const values = new Float32Array(SKELETON_JOINTS * 7);
  let i = 0;
  for (const joint of hand.values()) {
    const pose = frame.getJointPose?.(joint, space);
    if (!pose || i >= SKELETON_JOINTS) return null;
    values.set(flat(pose.transform), 7 * i++);
  }
  return i === SKELETON_JOINTS ? values : null;
}

function flat({ position: p, orientation: q }: XRRigidTransform): number[] {
  return [p.x, p.y, p.z, q.x, q.y, q.z, q.w];
}
