// SPDX-License-Identifier: Apache-2.0
// Episodes: what the skill is, start, marks, worked or failed, discard; the last one's grade and plots.

import { button, fill, h, setText } from '../parts/dom';
import type { Known, Session } from '../parts/session';
import { shape } from '../parts/shapes';
import { clockWords } from '../parts/words';
import type { Episode } from '../link/messages';
import { card, type Notices } from './panels';
import { plots } from './plots';
import { EpisodeSeries } from './series';

const GRADES: Record<string, string> = {
  A: 'nothing to mend',
  B: 'one thing to watch',
  C: 'several things to watch',
  D: 'one failure',
  F: 'several failures',
};

/** The card, and the way to start an episode from elsewhere. */
export class EpisodePanel {
  readonly element: HTMLElement;
  private readonly task = h('input', {
    id: 'task',
    type: 'text',
    placeholder: 'e.g. reach the ball with the right hand',
    maxlength: 200,
    autocomplete: 'off',
    enterkeyhint: 'go',
  });
  private readonly label = h('input', { id: 'mark-label', type: 'text', placeholder: 'mark, e.g. grasped', maxlength: 60, autocomplete: 'off' });
  private readonly idle: HTMLElement;
  private readonly running: HTMLElement;
  private readonly facts = h('p', { class: 'facts', role: 'status' });
  private readonly last = h('div', { class: 'last' });
  private readonly series = new EpisodeSeries();
  private joints: readonly string[] = [];
  private readonly heading: Element | null;

  constructor(
    private readonly session: Session,
    private readonly notices: Notices,
  ) {
    this.idle = this.makeIdle();
    this.running = this.makeRunning();
    this.element = card('episode', 'Episode', this.facts, this.idle, this.running, this.last);
    this.heading = this.element.querySelector('h2');
    session.connection.on('robot', (frame) => this.series.take(frame));
    session.watch((known) => this.show(known));
  }

  /** Tell the joints' names, in the server's order. */
  setJoints(names: readonly string[]): void {
    this.joints = names;
  }

  /** Start recording; without a task text its field is asked for. */
  start(): void {
    const task = this.task.value.trim();
    if (task) return this.act({ do: 'start', task });
    this.task.focus();
    this.task.scrollIntoView({ block: 'center', behavior: 'smooth' });
    this.notices.tell('info', 'Type in a few words what you are going to show, then press Enter.');
  }

  private makeIdle(): HTMLElement {
    const form = h('form', {
      onsubmit: (event: SubmitEvent) => {
        event.preventDefault();
        this.task.blur();
        this.start();
      },
    });
    const start = h('button', { type: 'submit', class: 'primary record', id: 'start' }, h('span', { class: 'dot' }), 'Start recording');
    form.append(h('label', { for: 'task' }, 'What will you show?'), this.task, start);
    return form;
  }

  private makeRunning(): HTMLElement {
    const save = (success: boolean) => () => this.act({ do: 'save', success });
    const worked = button(' It worked: save', save(true), { class: 'worked', id: 'save-success' });
    worked.prepend(shape('tick'));
    const failed = button(' It failed: save', save(false), { class: 'failed', id: 'save-failure' });
    failed.prepend(shape('cross'));
    const discard = button('Discard', () => this.act({ do: 'discard', reason: 'discarded at the console' }), { id: 'discard' });
    const mark = h('button', { type: 'submit', id: 'mark' }, 'Mark');
    const marking = h('form', {
      class: 'row',
      onsubmit: (event: SubmitEvent) => {
        event.preventDefault();
        this.series.mark();
        this.act({ do: 'mark', label: this.label.value.trim() || 'mark' });
        this.label.value = '';
        this.label.blur();
      },
    });
    this.label.setAttribute('aria-label', 'What this moment is');
    marking.append(this.label, mark);
    return h('div', { class: 'running' }, h('div', { class: 'row' }, worked, failed), h('div', { class: 'row' }, marking, discard));
  }

  private act(fields: Record<string, unknown>): void {
    void this.session.connection.ask('episode', fields).then((answer) => this.notices.answer(answer));
  }

  private show({ episode }: Known): void {
    const operates = this.session.operates;
    this.element.classList.toggle('off', !operates);
    this.element.classList.toggle('on-air', episode?.recording ?? false);
    const began = operates && this.running.hidden && episode?.recording;
    this.idle.hidden = (episode?.recording ?? false) || !episode?.available;
    this.running.hidden = !episode?.recording;
    for (const part of [this.idle, this.running]) part.inert = !operates;
    if (began) this.running.firstElementChild?.scrollIntoView({ block: 'nearest' });
    if (this.heading) setText(this.heading, episode?.recording ? 'Recording' : 'Episode');
    setText(this.facts, episode ? factWords(episode) : 'The recorder has not been heard yet.');
    if (episode && !episode.recording) this.showLast(episode);
    else fill(this.last, '', () => []);
  }

  private showLast(episode: Episode): void {
    const key = JSON.stringify([episode.path, episode.grade, episode.reasons, this.series.samples.length]);
    fill(this.last, key, () => {
      if (!episode.path) return [];
      const word = GRADES[episode.grade] ?? (episode.reasons[0] || 'being graded…');
      const grade = h('span', { class: 'grade', 'data-grade': episode.grade || '?' }, episode.grade || '…');
      const name = episode.path.split('/').at(-1) ?? '';
      return [
        h('h3', {}, 'Last episode'),
        h('p', { class: 'graded', id: 'grade' }, grade, h('span', {}, h('strong', {}, word), h('br'), h('span', { class: 'fine' }, name))),
        episode.grade ? h('ul', { class: 'reasons' }, ...episode.reasons.map((reason) => h('li', {}, reason))) : null,
        ...plots(this.series, this.joints),
      ];
    });
  }
}

function factWords(episode: Episode): string {
  if (!episode.available) return 'No recorder is running: start one with kata launch parts/recorder.';
  const losses = episode.lost ? ` · ${episode.lost} lost` : '';
  const note = episode.note ? ` — ${episode.note}` : '';
  if (episode.recording) return `${clockWords(episode.seconds)} · “${episode.task}” · ${episode.marks} marks${losses}${note}`;
  return `${episode.saved} saved, ${episode.discarded} discarded${note}`;
}
