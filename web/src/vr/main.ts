// SPDX-License-Identifier: Apache-2.0
// The headset's page: pair, take control, enter.

import '../style.css';
import { Connection } from '../link/connection';
import { CameraStream } from '../parts/camera';
import { button, h, setText } from '../parts/dom';
import { StopButton } from '../parts/estop';
import { deviceName, pairing } from '../parts/pairing';
import { Session, type Known } from '../parts/session';
import { statusPhrase } from '../parts/words';
import { reportVisibility } from '../parts/visibility';
import { fetchDescription } from '../robot/description';
import { loadRobot } from '../robot/model';
import { cueOf, Feedback, type Heard } from './feedback';
import { Immersion, requestSession } from './immersion';
import { World } from './world';

const connection = new Connection({ name: deviceName(), kind: 'vr' });
const session = new Session(connection);
const feedback = new Feedback();
const canvas = h('canvas', { class: 'xr-canvas' });
const world = new World(canvas);
const camera = new CameraStream(session, (picture) => world.panel.setPicture(picture, camera.age));
let immersion: Immersion | null = null;
const report = reportVisibility(session, () => (immersion ? immersion.sees : !document.hidden));

const status = h('p', { class: 'pill', id: 'link', role: 'status' });
const problem = h('p', { class: 'notice error', role: 'alert', id: 'problem' });
const control = button('1  Take control', () => void take(), { class: 'primary', id: 'take' });
const enterRoom = button('2  Enter, with your room in view', () => void enter(true), { class: 'primary', id: 'enter-ar' });
const enterDark = button('2  Enter', () => void enter(false), { class: 'primary', id: 'enter-vr' });
const page = h(
  'main',
  { class: 'headset' },
  h('h1', {}, 'Kata in the headset'),
  status,
  control,
  enterRoom,
  enterDark,
  problem,
  h(
    'ul',
    { class: 'fine' },
    h('li', {}, 'Hold the grip (bare hand: thumb and index finger closed): the robot’s hand follows yours. Let go: it holds.'),
    h('li', {}, 'A and B together, or X and Y: emergency stop. A and X held: release it.'),
    h('li', {}, 'B alone: start an episode, and save it as worked. Y alone: save it as failed.'),
    h('li', {}, 'Take the headset off, or lose tracking: the robot holds, then stops. Nothing moves until you hold the grip anew.'),
  ),
  new StopButton(session).element,
);
problem.hidden = true;
document.body.append(h('div', { class: 'screen' }, page), canvas, pairing(session));
let heard: Heard = { status: '', engage: '', recording: false };
session.watch(show);
session.watch(hear);

function hear({ verdict, engage, episode, link }: Known): void {
  const lost = link.name !== 'online';
  const now = { status: verdict?.status ?? '', engage: lost ? 'lost' : (engage?.state ?? ''), recording: episode?.recording ?? false };
  const cue = heard.engage ? cueOf(heard, now) : '';
  heard = now;
  feedback.play(cue);
}

function show(known: Known): void {
  const online = known.link.name === 'online';
  const phrase = statusPhrase(online ? known.verdict?.status : undefined);
  setText(status, online ? `Connected · ${phrase.title}` : 'Not connected');
  control.disabled = !online || session.operates;
  setText(control, session.operates ? '✓ You operate' : known.seat?.operator ? '1  Ask for control' : '1  Take control');
  enterRoom.disabled = enterDark.disabled = !online;
}

async function take(): Promise<void> {
  const answer = await connection.ask('role', { want: 'operator' });
  tell(answer.ok ? '' : answer.text);
}

async function enter(passthrough: boolean): Promise<void> {
  feedback.wake();
  try {
    const granted = await requestSession(passthrough);
    world.setPassthrough(granted.passthrough);
    immersion = new Immersion(granted.xr, session, world, feedback, report);
    tell('');
    document.body.classList.add('immersed');
    await immersion.run();
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error));
  }
  immersion = null;
  document.body.classList.remove('immersed');
  report();
}

function tell(text: string): void {
  setText(problem, text);
  problem.hidden = !text;
}

async function offer(): Promise<void> {
  const [room, dark] = await Promise.all((['immersive-ar', 'immersive-vr'] as const).map((mode) => navigator.xr?.isSessionSupported(mode) ?? false));
  enterRoom.hidden = !room;
  enterDark.hidden = !dark || Boolean(room);
  if (!room && !dark) tell(isSecureContext ? 'This browser has no WebXR: open this page on the headset.' : 'Headsets need https: start the server with host:=… and open its https address.');
}

async function load(): Promise<void> {
  const description = await fetchDescription();
  const model = await loadRobot(description, () => undefined);
  world.add(model, description.base_height);
  connection.on('robot', (frame) => model.set(frame.measured, frame.engage === 2 || frame.policy ? frame.target : null));
}

connection.start();
void offer();
if (world.drawsRobot) void load().catch((error: unknown) => tell(`The robot cannot be drawn: ${String(error)}`));

Object.assign(window, { kata: { known: session.known, feedback, panel: world.panel } }); // for the browser's console, and tests
