// SPDX-License-Identifier: Apache-2.0
// Verdicts that are felt and heard, so that nobody has to read while showing something.

type Note = readonly [frequency: number, start: number, length: number];

interface Cue {
  notes: readonly Note[];
  /** Strength 0 to 1, and length [ms] of the pulse in the hand. */
  pulse: readonly [number, number];
}

const CUES: Record<string, Cue> = {
  engaged: { notes: [[520, 0, 0.09], [780, 0.09, 0.12]], pulse: [0.5, 80] },
  disengaged: { notes: [[520, 0, 0.09], [390, 0.09, 0.12]], pulse: [0.3, 60] },
  limited: { notes: [[300, 0, 0.05]], pulse: [0.25, 40] },
  holding: { notes: [[330, 0, 0.16]], pulse: [0.7, 160] },
  lost: { notes: [[440, 0, 0.1], [330, 0.12, 0.1], [247, 0.24, 0.2]], pulse: [1, 300] },
  stopped: { notes: [[196, 0, 0.16], [196, 0.22, 0.16], [196, 0.44, 0.3]], pulse: [1, 600] },
  saved: { notes: [[660, 0, 0.08], [880, 0.08, 0.08], [1320, 0.16, 0.14]], pulse: [0.5, 120] },
  recording: { notes: [[880, 0, 0.15]], pulse: [0.5, 120] },
};

const VOLUME = 0.16;

/** Plays cues; silent until the person has touched the page. */
export class Feedback {
  /** Cues played so far, by name: what a test listens to. */
  readonly played = new Map<string, number>();
  private audio: AudioContext | null = null;
  private sources: Iterable<XRInputSource> = [];

  /** Allow sound; call this from a click. */
  wake(): void {
    this.audio ??= new AudioContext();
    void this.audio.resume();
  }

  /** Pulses go to these controllers from now on. */
  feel(sources: Iterable<XRInputSource>): void {
    this.sources = sources;
  }

  /** Play a cue by name; an unknown one is silence. */
  play(name: string): void {
    const cue = CUES[name];
    if (!cue) return;
    this.played.set(name, (this.played.get(name) ?? 0) + 1);
    for (const source of this.sources) pulse(source.gamepad, cue.pulse).catch(() => undefined); // a controller just gone
    for (const note of cue.notes) this.sound(note);
  }

  private sound([frequency, start, length]: Note): void {
    const { audio } = this;
    if (!audio || audio.state !== 'running') return;
    const from = audio.currentTime + start;
    const tone = audio.createOscillator();
    const gain = audio.createGain();
    tone.frequency.value = frequency;
    gain.gain.setValueAtTime(0, from);
    gain.gain.linearRampToValueAtTime(VOLUME, from + 0.01);
    gain.gain.linearRampToValueAtTime(0, from + length);
    tone.connect(gain).connect(audio.destination);
    tone.start(from);
    tone.stop(from + length);
  }
}

/** Return the cue for a change from one state to another, or an empty string for none. */
export function cueOf(before: Heard, after: Heard): string {
  const stopped = after.status === 'stopped' || after.status === 'stopping';
  if (stopped) return before.status === 'stopped' || before.status === 'stopping' ? '' : 'stopped';
  if (after.engage !== before.engage && after.engage !== 'arming') {
    return after.engage === 'disengaged' && before.engage !== 'engaged' ? '' : after.engage;
  }
  if (after.recording !== before.recording) return after.recording ? 'recording' : 'saved';
  if (after.engage !== 'engaged' || after.status === before.status) return '';
  return after.status === 'limited' || after.status === 'holding' ? after.status : '';
}

export interface Heard {
  status: string;
  engage: string;
  recording: boolean;
}

async function pulse(gamepad: Gamepad | undefined, [strength, length]: readonly [number, number]): Promise<void> {
  const actuators = (gamepad as { hapticActuators?: { pulse?(s: number, ms: number): Promise<unknown> }[] } | undefined)?.hapticActuators;
  if (actuators?.[0]?.pulse) await actuators[0].pulse(strength, length);
  else await gamepad?.vibrationActuator?.playEffect('dual-rumble', { duration: length, strongMagnitude: strength, weakMagnitude: strength });
}
