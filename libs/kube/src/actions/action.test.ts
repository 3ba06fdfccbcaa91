import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../object.ts';
import { actionsOf, losesData, planAction } from './action.ts';

const stamp = {
  operation: '0190aaaa-0000-7000-8000-0123456789ab',
  nowMs: Date.parse('2026-01-02T03:04:05.678Z'),
};
const object = (apiVersion: string, kind: string, spec: object = {}, status: object = {}): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name: 'web', namespace: 'shop', uid: 'u1' },
  spec,
  status,
});
const plan = (action: string, of: KubeObject, parameters: Record<string, string> = {}) =>
  planAction(action, of, parameters, stamp);
const bodies = (action: string, of: KubeObject) => {
  const planned = plan(action, of);
  return planned.kind === 'patch'
    ? planned.patches.map(({ subresource, body }) => [subresource, body])
    : planned.kind;
};

describe('actions on workloads', () => {
  test('a restart carries its operation, and kubectl’s own annotation', () => {
    expect(bodies('restart', object('apps/v1', 'Deployment'))).toEqual([
      [
        undefined,
        {
          spec: {
            template: {
              metadata: {
                annotations: {
                  'kubectl.kubernetes.io/restartedAt': '2026-01-02T03:04:05.678Z',
                  'muster.dev/restarted-by': stamp.operation,
                },
              },
            },
          },
        },
      ],
    ]);
    expect(() => plan('restart', object('apps/v1', 'Deployment', { paused: true }))).toThrow('is paused');
  });

  test('a scale goes through its subresource, and only to a number', () => {
    expect(plan('scale', object('example.org/v1', 'Widget'), { replicas: '3' })).toMatchObject({
      patches: [{ subresource: 'scale', body: { spec: { replicas: 3 } } }],
    });
    for (const replicas of ['', '-1', '1.5', '1e3', '100001', 'many'])
      expect(() => plan('scale', object('apps/v1', 'Deployment'), { replicas })).toThrow(
        'is no number of replicas',
      );
  });

  test('what holds data is deleted only where that is meant', () => {
    const claim = object('v1', 'PersistentVolumeClaim');
    expect(losesData({ group: '', kind: 'PersistentVolumeClaim' })).toBe(true);
    expect(() => plan('delete', claim)).toThrow('data may be lost');
    expect(plan('delete', claim, { data: 'true' })).toEqual({ kind: 'delete', propagation: 'Background' });
    expect(() => plan('delete', object('v1', 'Pod'), { propagation: 'None' })).toThrow('is not Foreground');
  });

  test('what a kind does not know is refused with what it knows', () => {
    expect(() => plan('promote', object('apps/v1', 'Deployment'))).toThrow('cannot be told to promote');
    expect(actionsOf({ group: '', kind: 'ConfigMap' })).toEqual(['delete']);
  });

  test('a CronJob is triggered by a Job whose name holds the operation', () => {
    const cron = object('batch/v1', 'CronJob', {
      jobTemplate: { metadata: { labels: { a: 'b' } }, spec: { x: 1 } },
    });
    expect(plan('trigger', cron)).toMatchObject({
      kind: 'create',
      object: {
        kind: 'Job',
        metadata: {
          name: 'web-23456789ab',
          labels: { a: 'b' },
          ownerReferences: [{ kind: 'CronJob', uid: 'u1' }],
        },
        spec: { x: 1 },
      },
    });
    expect(bodies('suspend', cron)).toEqual([[undefined, { spec: { suspend: true } }]]);
    expect(bodies('resume', cron)).toBe('nothing');
  });
});

describe('actions on a Rollout', () => {
  const canary = { strategy: { canary: { steps: [{ setWeight: 20 }, { pause: {} }, { setWeight: 60 }] } } };
  const underWay = { currentPodHash: 'new', stableRS: 'old' };
  const paused = { ...underWay, pauseConditions: [{ reason: 'CanaryPauseStep' }], currentStepIndex: 1 };
  const rollout = (spec: object, status: object) => object('argoproj.io/v1alpha1', 'Rollout', spec, status);

  test.each([
    ['restart', canary, underWay, [[undefined, { spec: { restartAt: '2026-01-02T03:04:05Z' } }]]],
    ['pause', canary, underWay, [[undefined, { spec: { paused: true } }]]],
    ['abort', canary, paused, [['status', { status: { abort: true } }]]],
    ['retry', canary, { ...underWay, abort: true }, [['status', { status: { abort: false } }]]],
    ['promote-full', canary, paused, [['status', { status: { promoteFull: true } }]]],
    ['promote', canary, paused, [['status', { status: { pauseConditions: null } }]]],
    // No pause holds it: on to the next step, never both.
    [
      'promote',
      canary,
      { ...underWay, currentStepIndex: 0 },
      [['status', { status: { pauseConditions: null, currentStepIndex: 1 } }]],
    ],
    [
      'promote',
      { ...canary, paused: true },
      paused,
      [
        ['status', { status: { pauseConditions: null } }],
        [undefined, { spec: { paused: false } }],
      ],
    ],
    [
      'promote',
      canary,
      {
        ...paused,
        controllerPause: true,
        canary: { currentStepAnalysisRunStatus: { status: 'Inconclusive' } },
      },
      [['status', { status: { pauseConditions: null, controllerPause: false, currentStepIndex: 2 } }]],
    ],
    ['promote', { strategy: { blueGreen: {} } }, paused, [['status', { status: { pauseConditions: null } }]]],
    ['resume', { ...canary, paused: true }, underWay, [[undefined, { spec: { paused: false } }]]],
    ['resume', canary, { ...underWay, currentStepIndex: 0 }, 'nothing'],
    ['skip-step', canary, paused, [['status', { status: { currentStepIndex: 2 } }]]],
    ['skip-all-steps', canary, paused, [['status', { status: { currentStepIndex: 3 } }]]],
    [
      'skip-step',
      canary,
      { ...underWay, currentStepIndex: 3 },
      [['status', { status: { currentStepIndex: 3 } }]],
    ],
    ['promote', canary, { currentPodHash: 'a', stableRS: 'a', currentStepIndex: 3 }, 'nothing'],
    ['promote-full', canary, { currentPodHash: 'a', stableRS: 'a' }, 'nothing'],
  ] as const)('%s %#', (action, spec, status, expected) => {
    expect(bodies(action, rollout(spec, status))).toEqual(expected);
  });

  test.each([
    ['abort', canary, { currentPodHash: 'a', stableRS: 'a' }, 'no update is under way'],
    ['retry', canary, underWay, 'not aborted'],
    ['promote', canary, { ...underWay, abort: true }, 'is aborted'],
    ['skip-step', { strategy: { blueGreen: {} } }, underWay, 'has no steps'],
    ['skip-step', { strategy: { canary: {} } }, underWay, 'no steps'],
  ] as const)('%s is refused where it means nothing %#', (action, spec, status, message) => {
    expect(() => bodies(action, rollout(spec, status))).toThrow(message);
  });
});
