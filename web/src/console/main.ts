// SPDX-License-Identifier: Apache-2.0
// The operator's console.

import '../style.css';
import { Connection } from '../link/connection';
import { h } from '../parts/dom';
import { StopButton } from '../parts/estop';
import { deviceName, pairing } from '../parts/pairing';
import { Session } from '../parts/session';
import { reportVisibility } from '../parts/visibility';
import { banner } from './banner';
import { drivePanel } from './drive_panel';
import { EpisodePanel } from './episode_panel';
import { guidePanel } from './guide_panel';
import { header } from './header';
import { latencyPanel } from './latency_panel';
import { Notices } from './panels';
import { peoplePanel } from './people_panel';
import { policyPanel } from './policy_panel';
import { Stage } from './stage';

const connection = new Connection({ name: deviceName(), kind: 'console' });
const session = new Session(connection);
reportVisibility(session);

const notices = new Notices(session);
const stop = new StopButton(session);
const episode = new EpisodePanel(session, notices);
const stage = new Stage(session, (joints) => episode.setJoints(joints));
const guide = guidePanel(session, notices, () => episode.start());
const { driving, settings } = drivePanel(session, notices);
const side = h(
  'div',
  { class: 'side' },
  driving,
  episode.element,
  settings,
  policyPanel(session, notices),
  latencyPanel(session, () => stage.camera.age),
  peoplePanel(session, notices),
);
const left = h('div', { class: 'seen' }, banner(session), stage.element, notices.element);
const page = h('div', { class: 'console' }, header(session), left, h('div', { class: 'acts' }, stop.element, guide, side));
document.body.append(page, pairing(session));
session.watch(({ link }) => (page.inert = link.name === 'unpaired' || link.name === 'replaced'));

connection.start();
void stage.load();
