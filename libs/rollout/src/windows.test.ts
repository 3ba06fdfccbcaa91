import { describe, expect, it } from 'vitest';
import type { Window } from './policy.ts';
import { offlineWindowVerdict, windowVerdict } from './windows.ts';

const at = (text: string) => Date.parse(text);
const nightly = (deny: boolean): Window => ({
  deny,
  schedule: '0 22 * * *',
  timeZone: 'UTC',
  durationMs: 3_600_000,
});
const open = (verdict: { open: boolean }) => verdict.open;

describe('windows', () => {
  it('permit while an allow is open and no deny is, and say until when they do not', () => {
    expect(windowVerdict([], 0)).toEqual({ open: true });
    expect(open(windowVerdict([nightly(false)], at('2026-03-02T22:30:00Z')))).toBe(true);
    expect(windowVerdict([nightly(false)], at('2026-03-02T12:00:00Z'))).toEqual({
      open: false,
      reason: 'outside "0 22 * * *" UTC for 1h',
      untilMs: at('2026-03-02T22:00:00Z'),
    });
    expect(windowVerdict([nightly(true)], at('2026-03-02T22:00:00Z'))).toMatchObject({
      untilMs: at('2026-03-02T23:00:00Z'),
    });
    expect(open(windowVerdict([nightly(true), nightly(false)], at('2026-03-02T22:00:00Z')))).toBe(false);
  });

  it('can be once, between two times', () => {
    const freeze: Window = {
      deny: true,
      fromMs: at('2026-12-24T00:00:00Z'),
      untilMs: at('2027-01-02T00:00:00Z'),
    };
    expect(windowVerdict([freeze], at('2026-12-31T12:00:00Z'))).toEqual({
      open: false,
      reason: 'frozen by 2026-12-24T00:00:00Z – 2027-01-02T00:00:00Z',
      untilMs: freeze.untilMs,
    });
    expect(open(windowVerdict([freeze], freeze.fromMs - 1))).toBe(true);
    expect(open(windowVerdict([freeze], freeze.untilMs))).toBe(true);
    const once = { ...freeze, deny: false };
    expect(windowVerdict([once], 0)).toMatchObject({ open: false, untilMs: once.fromMs });
    expect(windowVerdict([once], once.untilMs)).toMatchObject({ open: false, untilMs: null });
  });

  it('close 10 minutes early and open 10 minutes late for an agent that does not hear the hub', () => {
    const allow = (text: string) => open(offlineWindowVerdict([nightly(false)], at(text)));
    expect(allow('2026-03-02T22:09:59Z')).toBe(false);
    expect(allow('2026-03-02T22:10:00Z')).toBe(true);
    expect(allow('2026-03-02T22:49:59Z')).toBe(true);
    expect(allow('2026-03-02T22:50:00Z')).toBe(false);
    const deny = (text: string) => open(offlineWindowVerdict([nightly(true)], at(text)));
    expect(deny('2026-03-02T21:49:59Z')).toBe(true);
    expect(deny('2026-03-02T21:50:00Z')).toBe(false);
    expect(deny('2026-03-02T23:09:59Z')).toBe(false);
    expect(deny('2026-03-02T23:10:00Z')).toBe(true);
    expect(offlineWindowVerdict([nightly(true)], at('2026-03-02T22:30:00Z'))).toMatchObject({
      untilMs: at('2026-03-02T23:10:00Z'),
    });
  });

  it('that are shorter than the margin never open, or close, unseen', () => {
    const short = (deny: boolean): Window => ({ ...nightly(deny), durationMs: 90_000 }) as Window;
    expect(open(offlineWindowVerdict([short(true)], at('2026-03-02T22:05:00Z')))).toBe(false);
    for (let minute = 0; minute < 60; minute++)
      expect(open(offlineWindowVerdict([short(false)], at('2026-03-02T21:45:00Z') + minute * 60_000))).toBe(
        false,
      );
  });
});
