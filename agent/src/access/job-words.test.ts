import { expect, it } from 'vitest';
import { endOf, jobManifest, lastWords, verdictMessage } from './job-words.ts';

const at = { name: 'muster-gate-1', namespace: 'shop', application: 'argocd/web' };
const make = (job: object, deadlineSeconds = 60) =>
  jobManifest(
    { manifest: JSON.stringify({ apiVersion: 'batch/v1', kind: 'Job', spec: {}, ...job }), deadlineSeconds },
    at,
  );

it('a Job gets its name, its namespace, an end, and no marks of an Application', () => {
  const made = make({
    metadata: {
      name: 'other',
      labels: { a: 'b', 'muster.dev/application': 'x' },
      finalizers: ['x'],
      ownerReferences: [{}],
    },
    spec: { template: {}, activeDeadlineSeconds: 3600 },
  });
  expect(made).toEqual({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: 'muster-gate-1',
      namespace: 'shop',
      labels: { a: 'b', 'muster.dev/gate': 'true' },
      annotations: { 'muster.dev/gate-of': 'argocd/web' },
    },
    spec: { template: {}, activeDeadlineSeconds: 60, ttlSecondsAfterFinished: 600 },
  });
  expect(make({ metadata: { namespace: 'tests' }, spec: { activeDeadlineSeconds: 5 } })).toMatchObject({
    metadata: { namespace: 'tests' },
    spec: { activeDeadlineSeconds: 5 },
  });
});

it('anything else than a Job is refused', () => {
  for (const manifest of [
    '',
    '[]',
    '{"apiVersion":"v1","kind":"Pod","spec":{}}',
    '{"apiVersion":"batch/v1","kind":"Job"}',
  ])
    expect(() => jobManifest({ manifest, deadlineSeconds: 1 }, at)).toThrow(/manifest/);
  expect(() =>
    jobManifest(
      { manifest: '{"apiVersion":"batch/v1","kind":"Job","spec":{}}', deadlineSeconds: 1 },
      { ...at, namespace: '' },
    ),
  ).toThrow(/namespace/);
});

it('its conditions say how it ended', () => {
  const job = (...conditions: object[]) => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {},
    status: { conditions },
  });
  expect(endOf(job({ type: 'Complete', status: 'True' }))).toMatchObject({ succeeded: true });
  expect(endOf(job({ type: 'Failed', status: 'True', message: 'deadline' }))).toEqual({
    succeeded: false,
    message: 'deadline',
  });
  expect(
    endOf(job({ type: 'Failed', status: 'False' }, { type: 'Suspended', status: 'True' })),
  ).toBeUndefined();
  expect(endOf({ apiVersion: 'batch/v1', kind: 'Job', metadata: {} })).toBeUndefined();
});

it('the last lines of the newest Pod that failed are told, or why it does not run', () => {
  const pod = (creationTimestamp: string, state: object) => ({
    metadata: { creationTimestamp },
    status: { containerStatuses: [{ name: 'main', state }] },
  });
  const failed = (message?: string) => ({ terminated: { exitCode: 2, reason: 'Error', message } });
  expect(lastWords([pod('2027-01-01', failed('old')), pod('2027-01-02', failed('1\n2\n3\n4\n5\n6\n'))])).toBe(
    'container main ended with 2 (Error): 2\n3\n4\n5\n6',
  );
  expect(lastWords([pod('2027-01-01', failed())])).toBe('container main ended with 2 (Error)');
  expect(
    lastWords([pod('2027-01-01', { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } })]),
  ).toBe('container main waits: ImagePullBackOff, no such image');
  expect(lastWords([{}, pod('2027-01-01', { terminated: { exitCode: 0 } })])).toBe('');
});

it('what is told is bounded', () => {
  expect(verdictMessage('failed', 'x'.repeat(10_000)).length).toBeLessThan(1_100);
});
