// SPDX-License-Identifier: Apache-2.0
// A press of the emergency stop, which is sent again until the robot has confirmed it.

const AGAIN = 200; // [ms] between two presses

/** Repeats a press, under one number, until it is confirmed or given up. */
export class Press {
  private number = 0;
  private timer: ReturnType<typeof setInterval> | undefined;

  /** Take what sends a press of some number; false where it could not be sent. */
  constructor(private readonly send: (number: number) => boolean) {}

  /** Whether a press waits to be confirmed. */
  get waits(): boolean {
    return this.timer !== undefined;
  }

  /** Press, now and until it is confirmed; return whether the first one could be sent. */
  begin(number: number): boolean {
    this.end();
    this.number = number;
    this.timer = setInterval(() => this.again(), AGAIN);
    return this.send(number);
  }

  /** Send a press that waits at once, e.g. as there is a socket again. */
  again(): void {
    if (this.waits) this.send(this.number);
  }

  /** Take an answer: one to this press that says that the robot stops ends it. */
  answered(number: number, ok: boolean): void {
    if (ok && number === this.number) this.end();
  }

  /** Press no more. */
  end(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
