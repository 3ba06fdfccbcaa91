import { expect, it } from 'vitest';
import { liveObject, matters } from './live-object.ts';

const job = (some: Record<string, unknown> = {}, metadata: Record<string, unknown> = {}) =>
  liveObject({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'a', namespace: 'n', uid: 'u', resourceVersion: '1', ...metadata },
    spec: { parallelism: 1 },
    ...some,
  } as never);

it('calls no change what only the status says, unless it says another health', () => {
  expect(matters(job(), job({ status: { active: 1, ready: 1 } }, { resourceVersion: '2' }))).toBe(false);
  const failed = { conditions: [{ type: 'Failed', status: 'True', message: 'no' }] };
  expect(matters(job(), job({ status: failed }))).toBe(true);
});

it('calls a change whatever else is written', () => {
  expect(matters(job(), job({ spec: { parallelism: 2 } }))).toBe(true);
  expect(matters(job(), job({}, { annotations: { a: 'b' } }))).toBe(true);
  expect(matters(job(), job({}, { uid: 'another' }))).toBe(true);
  expect(matters(job(), job({}, { deletionTimestamp: '2026-01-01T00:00:00Z' }))).toBe(true);
});
