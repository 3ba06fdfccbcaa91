import { expect, it } from 'vitest';
import { operationText, progressText } from './operation-text.ts';

const now = Date.parse('2026-01-31T12:00:00Z');
const plain = { now, colour: false };
const migrate = { group: 'batch', kind: 'Job', namespace: 'shop', name: 'migrate' };

it('shows what an operation waits for, its hooks and when it is tried again', () => {
  const running = {
    phase: 'Running',
    message: 'waiting for completion of hook batch/Job/migrate',
    startedAt: '2026-01-31T11:59:30Z',
    retries: 1,
    step: 'PreSync',
    wave: 0,
    waitsFor: [{ ...migrate, health: 'Progressing', message: 'one Pod is active' }],
    waitsForTotal: 4,
    hooks: [{ ...migrate, step: 'PreSync', status: 'Running' }],
  };
  expect(operationText(running, now)).toMatch(/^Running, PreSync wave 0, since 30s, 1 retries, waiting/);
  const text = progressText(running, plain);
  expect(text).toMatch(
    /Waits for:\nKIND +NAMESPACE[^]*Job\.batch +shop +migrate +Progressing +one Pod is active/,
  );
  expect(text).toContain('and 3 more');
  expect(text).toMatch(/Hooks:\nHOOK[^]*PreSync +Job\.batch +shop +migrate +Running/);
  const failed = { phase: 'Failed', message: 'no', retries: 1 };
  const nextTry = { attempt: 2, limit: 5, at: '2026-01-31T12:01:00Z' };
  expect(progressText({ ...failed, nextTry }, plain)).toBe('Next try: retry 2 of 5, in 60s');
  expect(progressText(failed, plain)).toBe('');
});
