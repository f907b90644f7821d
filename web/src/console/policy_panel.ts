// SPDX-License-Identifier: Apache-2.0
// Policies: choose a file, read its contract, start it, take over from it, give back.

import { button, fill, h, setText } from '../parts/dom';
import type { Known, Session } from '../parts/session';
import type { Contract, Policy } from '../link/messages';
import { foldable, type Notices } from './panels';

const STATES: Record<Policy['state'], string> = {
  none: 'No policy is loaded.',
  loading: 'Loading…',
  ready: 'Loaded, not running.',
  running: 'The policy moves the robot.',
  taken_over: 'You have taken over; the policy waits.',
  failed: 'It could not be loaded.',
};

/** Make the card. */
export function policyPanel(session: Session, notices: Notices): HTMLElement {
  const tell = (fields: Record<string, unknown>) => void session.connection.ask('policy', fields).then((a) => notices.answer(a));
  const choice = h('select', { id: 'policy-file', 'aria-label': 'Policy file' });
  const load = button('Load', () => tell({ do: 'load', file: choice.value }), { id: 'policy-load' });
  const again = button('Look again', () => tell({ do: 'list' }));
  const state = h('p', { class: 'policy-state', role: 'status', id: 'policy-state' });
  const contract = h('dl', { class: 'contract' });
  const acts = {
    start: button('Start', () => tell({ do: 'start' }), { class: 'primary', id: 'policy-start' }),
    take_over: button('Take over', () => tell({ do: 'take_over' }), { class: 'primary', id: 'take-over' }),
    give_back: button('Give back', () => tell({ do: 'give_back' }), { class: 'primary', id: 'give-back' }),
    stop: button('End', () => tell({ do: 'stop' }), { id: 'policy-stop' }),
    unload: button('Unload', () => tell({ do: 'unload' })),
  };
  const possible: Record<Policy['state'], (keyof typeof acts)[]> = {
    none: [],
    loading: [],
    ready: ['start', 'unload'],
    running: ['take_over', 'stop'],
    taken_over: ['give_back', 'stop'],
    failed: ['unload'],
  };
  const buttons = h('div', { class: 'row' }, ...Object.values(acts));
  const element = foldable('policy', 'Policy', false, h('div', { class: 'row' }, choice, load, again), state, buttons, contract);
  session.watch(({ policy }: Known) => {
    if (!policy) return;
    fill(choice, policy.files.join('\n'), () => options(policy));
    load.disabled = !session.operates || !policy.files.length;
    again.disabled = !session.operates;
    setText(state, [STATES[policy.state], policy.text].filter(Boolean).join(' '));
    state.dataset['state'] = policy.state;
    for (const [name, one] of Object.entries(acts)) {
      one.hidden = !possible[policy.state].includes(name as keyof typeof acts);
      one.disabled = !session.operates;
    }
    fill(contract, JSON.stringify(policy.contract), () => rows(policy.contract));
    if (policy.state === 'running' || policy.state === 'taken_over') element.setAttribute('open', '');
  });
  return element;
}

function options(policy: Policy): HTMLElement[] {
  if (!policy.files.length) return [h('option', { value: '' }, 'no policy file found')];
  return policy.files.map((file) => h('option', { value: file, selected: file === policy.file }, file));
}

function rows(contract: Contract | null): HTMLElement[] {
  if (!contract) return [];
  const told: [string, string | undefined][] = [
    ['Robot', contract.robot],
    ['Task', contract.task],
    ['Joints', contract.joints && `${contract.joints.length}: ${contract.joints.slice(0, 3).join(', ')}…`],
    ['Observes', contract.terms?.map(({ name }) => name).join(', ')],
    ['Rate', contract.rate === undefined ? undefined : `${contract.rate} Hz, ${contract.horizon ?? 1} steps ahead`],
    ['Data', contract.data_hash?.slice(0, 12)],
    ['Code', contract.commit?.slice(0, 12)],
  ];
  return told.flatMap(([name, value]) => (value ? [h('dt', {}, name), h('dd', {}, value)] : []));
}
