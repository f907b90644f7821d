// SPDX-License-Identifier: Apache-2.0
// The binary frames of docs/operator_protocol.md, version 1, little endian.

export const VERSION = 1;
export const SKELETON_JOINTS = 25;
const HEADSET = 1;
const GAMEPAD = 2;
const ROBOT = 129;
const CAMERA = 130;

/** A pose as x y z qx qy qz qw, [m]. */
export type Pose = ArrayLike<number>;

export interface Controller {
  grip: Pose;
  /** Bit i is button i of the `xr-standard` mapping. */
  buttons: number;
  trigger: number;
  squeeze: number;
  stickX: number;
  stickY: number;
  /** Whether the position is guessed rather than seen. */
  emulated: boolean;
}

export interface HeadsetSample {
  /** Time of the poses [ms], on performance.now()'s base. */
  time: number;
  head: Pose | null;
  left: Controller | null;
  right: Controller | null;
  /** 25 × 7 numbers, joints in WebXR's order. */
  leftHand: Pose | null;
  rightHand: Pose | null;
  visible: boolean;
  inSession: boolean;
}

export interface GamepadSample {
  time: number;
  device: 'gamepad' | 'keyboard' | 'touch';
  axes: readonly number[];
  buttons: readonly number[];
}

export interface RobotFrame {
  status: number;
  engage: number;
  seq: number;
  /** When the joints were measured, robot's clock [ms]. */
  time: number;
  estop: boolean;
  recording: boolean;
  policy: boolean;
  base: Float32Array;
  measured: Float32Array;
  /** Wanted positions, or null where there is no valid target. */
  target: Float32Array | null;
  flags: Uint8Array;
}

export interface CameraFrame {
  camera: number;
  seq: number;
  /** Time of exposure, robot's clock [ms]. */
  time: number;
  jpeg: Uint8Array<ArrayBuffer>;
}

const DEVICES = { gamepad: 0, keyboard: 1, touch: 2 } as const;
const NO_POSE = [0, 0, 0, 0, 0, 0, 1];

/** Return a headset's frame. */
export function encodeHeadset(seq: number, s: HeadsetSample): ArrayBuffer {
  const hands = [s.leftHand, s.rightHand].filter((hand) => hand !== null);
  const view = new DataView(new ArrayBuffer(140 + hands.length * SKELETON_JOINTS * 28));
  head(view, HEADSET, seq, s.time);
  view.setUint16(2, headsetFlags(s), true);
  floats(view, 16, s.head ?? NO_POSE, 7);
  controller(view, 44, s.left);
  controller(view, 92, s.right);
  hands.forEach((hand, i) => floats(view, 140 + i * SKELETON_JOINTS * 28, hand, SKELETON_JOINTS * 7));
  return view.buffer as ArrayBuffer;
}

/** Return a gamepad's frame; more than 16 axes or 32 buttons are cut. */
export function encodeGamepad(seq: number, s: GamepadSample): ArrayBuffer {
  const axes = s.axes.slice(0, 16);
  const buttons = s.buttons.slice(0, 32);
  const view = new DataView(new ArrayBuffer(20 + 4 * (axes.length + buttons.length)));
  head(view, GAMEPAD, seq, s.time);
  view.setUint8(2, axes.length);
  view.setUint8(3, buttons.length);
  view.setUint32(16, DEVICES[s.device], true);
  floats(view, 20, axes, axes.length);
  floats(view, 20 + 4 * axes.length, buttons, buttons.length);
  return view.buffer as ArrayBuffer;
}

/** Return what a server's frame says, or null if it is of an unknown kind or cut. */
export function decode(data: ArrayBuffer): { robot: RobotFrame } | { camera: CameraFrame } | null {
  const view = new DataView(data);
  if (view.byteLength < 16 || view.getUint8(1) !== VERSION) return null;
  const kind = view.getUint8(0);
  if (kind === ROBOT) return decodeRobot(view);
  if (kind !== CAMERA) return null;
  const jpeg = new Uint8Array(data, 16);
  return { camera: { camera: view.getUint8(2), seq: view.getUint32(4, true), time: view.getFloat64(8, true), jpeg } };
}

function decodeRobot(view: DataView): { robot: RobotFrame } | null {
  const n = view.byteLength >= 48 ? view.getUint16(16, true) : Infinity;
  if (view.byteLength !== 48 + 9 * n) return null;
  const flags = view.getUint16(18, true);
  return {
    robot: {
      status: view.getUint8(2),
      engage: view.getUint8(3),
      seq: view.getUint32(4, true),
      time: view.getFloat64(8, true),
      estop: (flags & 2) !== 0,
      recording: (flags & 4) !== 0,
      policy: (flags & 8) !== 0,
      base: readFloats(view, 20, 7),
      measured: readFloats(view, 48, n),
      target: flags & 1 ? readFloats(view, 48 + 4 * n, n) : null,
      flags: new Uint8Array(view.buffer, view.byteOffset + 48 + 8 * n, n),
    },
  };
}

function headsetFlags(s: HeadsetSample): number {
  const bits = [s.head, s.left, s.right, s.leftHand, s.rightHand, s.visible, s.inSession, s.left?.emulated, s.right?.emulated];
  return bits.reduce<number>((sum, bit, i) => sum | (bit ? 1 << i : 0), 0);
}

function controller(view: DataView, at: number, c: Controller | null): void {
  floats(view, at, c?.grip ?? NO_POSE, 7);
  view.setUint32(at + 28, c?.buttons ?? 0, true);
  floats(view, at + 32, c ? [c.trigger, c.squeeze, c.stickX, c.stickY] : [0, 0, 0, 0], 4);
}

function head(view: DataView, kind: number, seq: number, time: number): void {
  view.setUint8(0, kind);
  view.setUint8(1, VERSION);
  view.setUint32(4, seq, true);
  view.setFloat64(8, time, true);
}

function floats(view: DataView, at: number, values: ArrayLike<number>, count: number): void {
  for (let i = 0; i < count; i++) view.setFloat32(at + 4 * i, values[i] ?? NaN, true);
}

function readFloats(view: DataView, at: number, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => view.getFloat32(at + 4 * i, true));
}
