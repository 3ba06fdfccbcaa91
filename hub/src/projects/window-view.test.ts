import { expect, it } from 'vitest';
import { applicationWindows, windowViews } from './window-view.ts';

const now = Date.parse('2026-01-31T12:10:00Z');
const dev = { name: 'dev', server: 'muster://dev' };
const night = {
  kind: 'deny',
  schedule: '0 12 * * *',
  duration: '1h',
  applications: ['web*'],
  manualSync: true,
};
const other = { kind: 'allow', schedule: '0 3 * * *', duration: '30m', clusters: ['prod'] };

it('shows which windows are open, until when, and when they open next', () => {
  expect(windowViews([night, other, { ...night, kind: 'maybe' }], now)).toMatchObject([
    { kind: 'deny', open: true, closesAt: '2026-01-31T13:00:00.000Z', opensAt: '2026-02-01T12:00:00.000Z' },
    { kind: 'allow', open: false, opensAt: '2026-02-01T03:00:00.000Z', timeZone: 'UTC' },
    { open: false, problem: 'kind: "maybe" is neither allow nor deny' },
  ]);
});

it('says what they let begin of an Application, by itself and by hand', () => {
  const held = applicationWindows([night, other], dev, { name: 'web-1', namespace: 'shop' }, now);
  expect(held.items).toMatchObject([{ kind: 'deny' }]);
  expect(held.automated).toMatchObject({ allowed: false, until: '2026-01-31T13:00:00.000Z' });
  expect(held.manual).toEqual({ allowed: true });
  const free = applicationWindows([night, other], dev, { name: 'db', namespace: 'shop' }, now);
  expect(free).toEqual({ items: [], automated: { allowed: true }, manual: { allowed: true } });
});
