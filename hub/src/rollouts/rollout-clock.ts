/** The hub's time, in Unix milliseconds: tests move it. */
export class RolloutClock {
  now(): number {
    return Date.now();
  }
}
