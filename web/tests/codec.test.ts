// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { decode, encodeGamepad, encodeHeadset, type HeadsetSample } from '../src/link/codec';

const POSE = [0.1, 1.2, -0.3, 0, 0, 0, 1];
const LEFT = { grip: POSE, buttons: 0b100010, trigger: 0.25, squeeze: 1, stickX: -0.5, stickY: 0.75, emulated: true };
const SAMPLE: HeadsetSample = {
  time: 1234.5,
  head: POSE,
  left: LEFT,
  right: null,
  leftHand: null,
  rightHand: new Float32Array(175).fill(0.5),
  visible: true,
  inSession: true,
};

describe('headset frame', () => {
  const view = new DataView(encodeHeadset(7, SAMPLE));

  it('has the length and the head of the protocol', () => {
    expect(view.byteLength).toBe(840);
    expect([view.getUint8(0), view.getUint8(1), view.getUint32(4, true), view.getFloat64(8, true)]).toEqual([1, 1, 7, 1234.5]);
  });

  it('flags what is tracked, seen and guessed', () => {
    expect(view.getUint16(2, true)).toBe(1 | 2 | 16 | 32 | 64 | 128);
  });

  it('puts controller and skeleton where they belong', () => {
    expect(view.getFloat32(44 + 4, true)).toBeCloseTo(1.2);
    expect(view.getUint32(72, true)).toBe(0b100010);
    expect([76, 80, 84, 88].map((at) => view.getFloat32(at, true))).toEqual([0.25, 1, -0.5, 0.75]);
    expect(view.getFloat32(92 + 24, true)).toBe(1);
    expect(view.getFloat32(836, true)).toBe(0.5);
  });

  it('is 140 bytes without skeletons and 1540 with both', () => {
    expect(encodeHeadset(1, { ...SAMPLE, rightHand: null }).byteLength).toBe(140);
    expect(encodeHeadset(1, { ...SAMPLE, leftHand: SAMPLE.rightHand }).byteLength).toBe(1540);
  });
});

describe('gamepad frame', () => {
  it('carries device, axes and buttons', () => {
    const view = new DataView(encodeGamepad(3, { time: 5, device: 'keyboard', axes: [0, -1, 0.5, 0], buttons: [0, 1] }));
    expect([2, 3].map((at) => view.getUint8(at))).toEqual([4, 2]);
    expect([view.getUint32(16, true), view.getFloat32(24, true), view.getFloat32(40, true)]).toEqual([1, -1, 1]);
    expect(view.byteLength).toBe(44);
  });

  it('is cut to what the protocol allows', () => {
    const many = Array.from({ length: 50 }, () => 0);
    expect(encodeGamepad(1, { time: 0, device: 'gamepad', axes: many, buttons: many }).byteLength).toBe(20 + 4 * 48);
  });
});

describe('frames of the server', () => {
  const robot = (n: number, flags: number) => {
    const view = new DataView(new ArrayBuffer(48 + 9 * n));
    [129, 1, 3, 2].forEach((value, i) => view.setUint8(i, value));
    view.setUint16(16, n, true);
    view.setUint16(18, flags, true);
    for (let i = 0; i < n; i++) {
      view.setFloat32(48 + 4 * i, i, true);
      view.setFloat32(48 + 4 * n + 4 * i, -i, true);
      view.setUint8(48 + 8 * n + i, i);
    }
    return view.buffer;
  };

  it('gives joints, target, flags and states', () => {
    const frame = decode(robot(3, 1 | 2));
    if (!frame || !('robot' in frame)) throw new Error('no robot frame');
    const { status, engage, estop, recording, measured, target, flags } = frame.robot;
    expect({ status, engage, estop, recording }).toEqual({ status: 3, engage: 2, estop: true, recording: false });
    expect([...measured]).toEqual([0, 1, 2]);
    expect([...(target ?? [])]).toEqual([-0, -1, -2]);
    expect([...flags]).toEqual([0, 1, 2]);
  });

  it('has no target where none is valid', () => {
    const frame = decode(robot(3, 0));
    expect(frame && 'robot' in frame && frame.robot.target).toBeNull();
  });

  it('refuses what is cut, of another version or of an unknown kind', () => {
    expect(decode(robot(3, 1).slice(0, 60))).toBeNull();
    expect(decode(new ArrayBuffer(4))).toBeNull();
    expect(decode(Uint8Array.of(129, 2, ...new Array<number>(60).fill(0)).buffer)).toBeNull();
    expect(decode(Uint8Array.of(7, 1, ...new Array<number>(60).fill(0)).buffer)).toBeNull();
  });

  it('gives a picture with its time of exposure', () => {
    const view = new DataView(new ArrayBuffer(20));
    [130, 1, 0, 0].forEach((value, i) => view.setUint8(i, value));
    view.setUint32(4, 9, true);
    view.setFloat64(8, 77.5, true);
    const frame = decode(view.buffer);
    expect(frame && 'camera' in frame && [frame.camera.seq, frame.camera.time, frame.camera.jpeg.length]).toEqual([9, 77.5, 4]);
  });
});
