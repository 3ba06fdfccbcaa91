import type { HubTime } from '@muster/link';
import { Assignment, Signed } from '@muster/proto/records';
import { describe, expect, it } from 'vitest';
import { Application } from './application.ts';

const minute = 60_000;
/** 12:00 by the hub's clock. */
const noon = Date.UTC(2026, 0, 5, 12);
const at = (minutes: number, heard: boolean): HubTime => ({ nowMs: noon + minutes * minute, heard });

function windowed(deny: boolean, more: Partial<Assignment> = {}): Application {
  const assignment = Assignment.fromPartial({
    applicationNamespace: 'argocd',
    applicationName: 'a',
    syncPolicy: { automated: true, selfHeal: true },
    project: {
      windows: [
        { deny, schedule: '0 12 * * *', timeZone: 'UTC', durationMs: BigInt(60 * minute), manualSync: false },
      ],
    },
    ...more,
  });
  const payloadSha256 = Buffer.alloc(32);
  return new Application('argocd/a', { signed: Signed.fromPartial({}), assignment, payloadSha256 });
}

/** Minutes after noon, by the hub, in which a sync may begin: by itself and by command alike. */
function allowed(app: Application, heard: boolean): number[] {
  const found: number[] = [];
  for (let minutes = -20; minutes < 90; minutes++) {
    const decisions = [true, false].map((manual) => app.mayBegin(manual, at(minutes, heard)).allowed);
    expect(decisions[0]).toBe(decisions[1]);
    if (decisions[0]) found.push(minutes);
  }
  return found;
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

describe('a window from 12:00 to 13:00, by the hub’s clock', () => {
  it('that allows is open for just that hour while the hub is heard', () => {
    expect(allowed(windowed(false), true)).toEqual(range(0, 60));
  });

  it('that allows opens 10 minutes late and closes 10 minutes early for an agent that is offline', () => {
    expect(allowed(windowed(false), false)).toEqual(range(10, 50));
  });

  it('that denies forbids just that hour while the hub is heard', () => {
    expect(allowed(windowed(true), true)).toEqual([...range(-20, 0), ...range(60, 90)]);
  });

  it('that denies lets syncs begin 10 minutes late, and the last 10 minutes early, for an agent that is offline', () => {
    expect(allowed(windowed(true), false)).toEqual([...range(-20, -10), ...range(70, 90)]);
  });
});

it('says since when and why a margin is kept', () => {
  const decision = windowed(true).mayBegin(false, at(65, false));
  expect(decision).toMatchObject({ allowed: false, untilMs: noon + 70 * minute });
  expect(decision).toHaveProperty('reason', expect.stringContaining('while the hub is not heard'));
});

describe('an assignment that takes a release back', () => {
  it('is applied in spite of windows, also while the hub is away', () => {
    const app = windowed(true, { despiteWindows: true });
    expect(app.mayBegin(false, at(30, true)).allowed).toBe(true);
    expect(app.mayBegin(true, at(30, false)).allowed).toBe(true);
  });

  it('has its drift wait for the window as any other, once it is applied', () => {
    const app = windowed(true, { despiteWindows: true });
    app.applied.assignment = app.content;
    expect(app.mayBegin(false, at(30, true)).allowed).toBe(false);
  });

  it('is the same content as without that flag', () => {
    expect(windowed(true, { despiteWindows: true }).content).toBe(windowed(true).content);
  });
});
