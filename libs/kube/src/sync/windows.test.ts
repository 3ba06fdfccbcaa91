import { describe, expect, it } from 'vitest';
import { type SyncWindow, syncAllowed, syncAllowedOffline, windowProblems, windowsFor } from './windows.ts';

const at = (text: string) => Date.parse(text);
const window = (more: Partial<SyncWindow> = {}): SyncWindow => ({
  deny: false,
  schedule: '0 22 * * *',
  timeZone: 'UTC',
  durationMs: 3_600_000,
  manualSync: false,
  ...more,
});
const deny = (more: Partial<SyncWindow> = {}) => window({ deny: true, ...more });

describe('a sync', () => {
  const open = at('2026-03-02T22:30:00Z');
  const closed = at('2026-03-02T12:00:00Z');

  it('may begin where no window is', () => {
    expect(syncAllowed([], closed, false)).toEqual({ allowed: true });
  });

  it('waits while a deny window is open, and says until when', () => {
    expect(syncAllowed([deny()], closed, false)).toEqual({ allowed: true });
    expect(syncAllowed([deny()], open, false)).toEqual({
      allowed: false,
      reason: 'a deny window is open ("0 22 * * *" for 1h)',
      untilMs: at('2026-03-02T23:00:00Z'),
    });
    // A deny goes before an allow.
    expect(syncAllowed([window(), deny()], open, false).allowed).toBe(false);
  });

  it('waits while no allow window is open, and says until when', () => {
    expect(syncAllowed([window()], open, false)).toEqual({ allowed: true });
    expect(syncAllowed([window()], closed, false)).toMatchObject({ untilMs: at('2026-03-02T22:00:00Z') });
  });

  it('that someone asks for is let through by manualSync of all that forbid it', () => {
    expect(syncAllowed([deny({ manualSync: true })], open, true).allowed).toBe(true);
    expect(syncAllowed([deny({ manualSync: true }), deny()], open, true).allowed).toBe(false);
    expect(syncAllowed([deny({ manualSync: true })], open, false).allowed).toBe(false);
    expect(syncAllowed([window({ manualSync: true })], closed, true).allowed).toBe(true);
    expect(syncAllowed([window({ manualSync: true }), window()], closed, true).allowed).toBe(false);
  });

  it('may begin as a deny window ends, not as it begins', () => {
    expect(syncAllowed([deny()], at('2026-03-02T22:00:00Z'), false).allowed).toBe(false);
    expect(syncAllowed([deny()], at('2026-03-02T23:00:00Z'), false).allowed).toBe(true);
    expect(syncAllowed([deny()], at('2026-03-02T21:59:59Z'), false).allowed).toBe(true);
  });

  it('is judged by the clock of the window', () => {
    const berlin = deny({ timeZone: 'Europe/Berlin' });
    expect(syncAllowed([berlin], at('2026-03-02T21:30:00Z'), false).allowed).toBe(false);
    expect(syncAllowed([berlin], at('2026-07-02T20:30:00Z'), false).allowed).toBe(false);
    expect(syncAllowed([berlin], open, false).allowed).toBe(true);
  });

  it('knows days of the week, steps, and a window longer than its period', () => {
    const weekend = deny({ schedule: '0 0 * * SAT,SUN', durationMs: 24 * 3_600_000 });
    expect(syncAllowed([weekend], at('2026-03-07T12:00:00Z'), false).allowed).toBe(false);
    expect(syncAllowed([weekend], at('2026-03-09T12:00:00Z'), false).allowed).toBe(true);
    const always = deny({ schedule: '*/10 * * * *', durationMs: 30 * 60_000 });
    expect(syncAllowed([always], closed, false).allowed).toBe(false);
    const either = deny({ schedule: '0 0 1 * MON', durationMs: 3_600_000 });
    expect(syncAllowed([either], at('2026-03-02T00:30:00Z'), false).allowed).toBe(false);
    expect(syncAllowed([either], at('2026-04-01T00:30:00Z'), false).allowed).toBe(false);
  });
});

describe('a sync by an agent that does not hear its hub', () => {
  const allowed = (windows: SyncWindow[], time: string) =>
    syncAllowedOffline(windows, at(`2026-03-02T${time}Z`), false).allowed;

  it('finds windows closed 10 minutes early and opened 10 minutes late', () => {
    const times = [
      '21:49:59',
      '21:50:00',
      '22:09:59',
      '22:10:00',
      '22:49:59',
      '22:50:00',
      '23:09:59',
      '23:10:00',
    ];
    expect(times.map((time) => allowed([window()], time))).toEqual([
      false,
      false,
      false,
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(times.map((time) => allowed([deny()], time))).toEqual([
      true,
      false,
      false,
      false,
      false,
      false,
      false,
      true,
    ]);
  });

  it('misses no window that is shorter than the margin, and says until when it waits', () => {
    const short = deny({ durationMs: 30_000 });
    expect(allowed([short], '22:05:00')).toBe(false);
    expect(syncAllowedOffline([short], at('2026-03-02T22:05:00Z'), false)).toMatchObject({
      untilMs: at('2026-03-02T22:10:30Z'),
    });
    expect(allowed([window({ durationMs: 1_200_000 })], '22:10:00')).toBe(false);
  });
});

describe('windows of a project', () => {
  const target = {
    application: 'web-dev',
    namespace: 'shop',
    cluster: { name: 'dev', server: 'https://dev' },
  };
  const of = (more: object) =>
    windowsFor([{ kind: 'deny', schedule: '0 22 * * *', duration: '1h', ...more }], target).length === 1;

  it('hold for what any of their lists names, or all with andOperator', () => {
    expect(of({ applications: ['web-*'] })).toBe(true);
    expect(of({ applications: ['api-*'] })).toBe(false);
    expect(of({ applications: ['api-*'], clusters: ['dev'] })).toBe(true);
    expect(of({ applications: ['api-*'], clusters: ['https://dev'], andOperator: true })).toBe(false);
    expect(of({ applications: ['web-*'], namespaces: ['sh*'], useAndOperator: true })).toBe(true);
    expect(of({})).toBe(false);
  });

  it('are refused with the field that cannot be obeyed', () => {
    const right = { kind: 'allow', schedule: '*/5 8-18 * * 1-5', duration: '1h30m', timeZone: 'Asia/Tokyo' };
    expect(windowProblems([right])).toEqual([]);
    expect(windowProblems([right, { ...right, kind: 'maybe', duration: '10' }])).toEqual([
      'spec.syncWindows[1].kind: "maybe" is neither allow nor deny',
      'spec.syncWindows[1].duration: "10" is no duration such as 1h30m',
    ]);
    expect(windowProblems([{ ...right, timeZone: 'Mars/Olympus' }])).toHaveLength(1);
    for (const schedule of ['', '* * * *', '0 0 * * * *', '61 * * * *', '@daily', '0 0 L * *']) {
      expect(windowProblems([{ ...right, schedule }]), schedule).toHaveLength(1);
    }
  });
});
